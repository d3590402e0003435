"""Tries are counted in Redis, each key by itself, with the same counts for threads and the event loop."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from geodata.servers import Stores
from services.access.limits import AsyncLimits, Limits


@pytest.fixture
def clone(stores: Stores) -> Iterator[Stores]:
    """Keys of this test's own; no database is needed."""
    own = stores.with_database(f"wangge_test_{uuid.uuid4().hex[:12]}")
    yield own
    with redis.Redis.from_url(own.redis_url) as client:
        for key in client.scan_iter(f"{own.key_prefix}*"):
            client.delete(key)


@pytest.fixture
def client(clone: Stores) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(clone.redis_url) as one:
        yield one


@pytest.fixture
def limits(client: redis.Redis, clone: Stores) -> Limits:
    return Limits(client, clone.key_prefix)


def test_as_many_as_allowed_then_a_wait(limits: Limits) -> None:
    assert [limits.take("sign_in", "a", 5, 60) for _ in range(5)] == [0] * 5
    assert 11 <= limits.take("sign_in", "a", 5, 60) <= 12  # the next one of five a minute
    assert 11 <= limits.take("sign_in", "a", 5, 60) <= 12  # a refused try does not lengthen the wait


def test_keys_and_buckets_are_counted_apart(limits: Limits) -> None:
    assert limits.take("sign_in", "a", 1, 60) == 0
    assert limits.take("sign_in", "a", 1, 60) == 60
    assert limits.take("sign_in", "b", 1, 60) == 0
    assert limits.take("pairing", "a", 1, 60) == 0


def test_after_the_wait_it_goes_on(limits: Limits, client: redis.Redis, clone: Stores) -> None:
    assert [limits.take("intake", "a", 10, 1) for _ in range(10)] == [0] * 10
    assert limits.take("intake", "a", 10, 1) == 1  # rounded up: 0 would mean go on
    (key,) = client.scan_iter(f"{clone.key_prefix}limit:*")
    client.decrby(key, 120_000)  # 0.12 s later
    assert limits.take("intake", "a", 10, 1) == 0


def test_forgotten_keys_start_anew_and_old_ones_leave_nothing(
    limits: Limits, client: redis.Redis, clone: Stores
) -> None:
    limits.take("sign_in", "a", 1, 60)
    limits.forget("sign_in", "a")
    assert limits.take("sign_in", "a", 1, 60) == 0
    (key,) = client.scan_iter(f"{clone.key_prefix}limit:*")
    assert 0 < client.pttl(key) <= 60_000


def test_any_text_may_be_a_key_and_none_is_kept(limits: Limits, client: redis.Redis, clone: Stores) -> None:
    for key in ("", "姓名" * 10_000, "a\x00b", "\ud800", "13800000000"):
        assert limits.take("sign_in", key, 1, 60) == 0
    assert not [key for key in client.scan_iter(f"{clone.key_prefix}*") if b"13800000000" in key]


def test_many_threads_together_get_no_more_than_allowed(limits: Limits) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: limits.take("sign_in", "a", 20, 3600), range(100)))
    assert answers.count(0) == 20


async def test_the_event_loop_counts_the_same(limits: Limits, clone: Stores) -> None:
    async with redis.asyncio.Redis.from_url(clone.redis_url) as client:
        soon = AsyncLimits(client, clone.key_prefix)
        assert [await soon.take("intake", "a", 3, 60) for _ in range(2)] == [0, 0]
        assert limits.take("intake", "a", 3, 60) == 0
        assert await soon.take("intake", "a", 3, 60) > 0


def test_redis_away_is_said() -> None:
    away = redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0))
    with pytest.raises(redis.RedisError):
        Limits(away, "x:").take("sign_in", "a", 1, 1)


@pytest.mark.parametrize(("most", "seconds"), [(0, 60), (5, 0)])
def test_a_limit_of_nothing_is_a_mistake(limits: Limits, most: int, seconds: int) -> None:
    with pytest.raises(ValueError):
        limits.take("sign_in", "a", most, seconds)
