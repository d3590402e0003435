"""From a commit to the stream: one relay, whatever Redis or a session of the database lost."""

import asyncio
import time
from typing import Any, cast

import psycopg
import redis

from geodata.outbox import add_event
from geodata.scope import EVERYTHING, Pool, scoped
from geodata.servers import Stores
from services.live import Event, Hub
from services.live.events import relay_key, stream_key
from settings import Settings
from tests.services.live_screen import PROFILE, file, same_as_fresh, screen, until
from tests.small_place import grid_no


async def test_what_redis_lost_is_published_again(hub: Hub, pool: Pool, clone: Stores) -> None:
    wall = await screen(hub)
    await file(pool)
    await wall.read_until(lambda: wall.v == 1)
    with redis.Redis.from_url(clone.redis_url) as client:
        client.delete(stream_key(clone.key_prefix))
        await file(pool, (2, 1, 1))
        await wall.read_until(lambda: wall.grids[grid_no(2, 1, 1)][1] == 1)
        assert wall.gaps == 0
        assert [entry for entry, _ in client.xrange(stream_key(clone.key_prefix))] == [b"1-0", b"2-0"]
    await same_as_fresh(wall)


async def test_a_hole_in_the_stream_is_a_gap(hub: Hub, pool: Pool, clone: Stores) -> None:
    wall = await screen(hub)
    await file(pool)
    await wall.read_until(lambda: wall.v == 1)
    with scoped(pool, EVERYTHING) as conn:
        conn.execute("SELECT nextval('live_version')")
    await file(pool)
    await wall.read_until(lambda: wall.gaps == 1 and wall.v == 3)
    await same_as_fresh(wall)


async def test_a_database_younger_than_the_stream_goes_on_above_it(clone: Stores, pool: Pool) -> None:
    with redis.Redis.from_url(clone.redis_url) as client:
        client.xadd(stream_key(clone.key_prefix), {"k": "x"}, id="500-0")
    hub = Hub(clone, pool, Settings(live_interval_ms=30), PROFILE)
    await hub.start()
    try:
        await until(lambda: hub.version == 500)
        wall = await screen(hub)
        await file(pool)
        await wall.read_until(lambda: wall.v == 501)
        await same_as_fresh(wall)
    finally:
        await hub.stop()


async def test_two_processes_share_one_relay_and_the_other_takes_over(
    hub: Hub, pool: Pool, clone: Stores
) -> None:
    second = Hub(clone, pool, Settings(live_interval_ms=30), PROFILE)
    heard: list[Event] = []
    second.subscribe_events(heard.extend)
    await second.start()
    try:
        await until(lambda: second.health()["redis"])
        await file(pool)
        await until(lambda: [event.version for event in heard] == [1])
        assert hub._relay.leads and not second._relay.leads
        await asyncio.to_thread(hub._relay.stop)
        started = time.monotonic()
        await until(lambda: second._relay.leads)
        assert time.monotonic() - started < 2
        await file(pool)
        await until(lambda: [event.version for event in heard] == [1, 2])
    finally:
        await second.stop()


async def test_a_killed_session_of_the_relay_is_made_again(hub: Hub, pool: Pool, clone: Stores) -> None:
    wall = await screen(hub)
    with psycopg.connect(clone.database_url, autocommit=True) as admin:
        killed = admin.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name IN ('wangge relay', 'wangge history')"
        ).fetchone()
        assert killed == (2,)
    ticket = await file(pool)
    await wall.read_until(lambda: wall.grids[ticket.area.no][1] == 1)


async def test_what_was_committed_together_comes_together(hub: Hub, pool: Pool, clone: Stores) -> None:
    def wait_for_news(after: bytes | str) -> list[Any]:
        with redis.Redis.from_url(clone.redis_url) as client:
            return cast(list[Any], client.xread({stream_key(clone.key_prefix): after}, count=100, block=5000))

    def commit() -> None:
        with scoped(pool, EVERYTHING) as conn:
            for number in range(20):
                add_event(conn, "desk", grid_no(1, 1, 1), {"desk": "claim", "id": number})

    for _ in range(5):
        with redis.Redis.from_url(clone.redis_url) as client:
            newest = client.xrevrange(stream_key(clone.key_prefix), count=1)
        waiting = asyncio.create_task(asyncio.to_thread(wait_for_news, newest[0][0] if newest else "0"))
        await asyncio.to_thread(commit)
        assert len((await waiting)[0][1]) == 20


async def test_the_age_of_the_state_is_that_of_the_last_hand_over(hub: Hub, clone: Stores) -> None:
    wall = await screen(hub)
    await wall.read_until(lambda: any(frame["t"] == "beat" and frame.get("as_of") for frame in wall.seen))
    beat = next(frame for frame in reversed(wall.seen) if frame["t"] == "beat")
    assert 0 <= beat["now"] - beat["as_of"] < 4000 and beat["postgres"] and beat["redis"]
    await asyncio.to_thread(hub._relay.stop)
    with redis.Redis.from_url(clone.redis_url) as client:
        stopped_at = int(client.get(relay_key(clone.key_prefix)).split(b":")[1])
    wall.seen.clear()
    await wall.read_until(lambda: len(wall.seen) == 2)
    assert wall.seen[-1]["as_of"] == stopped_at


async def test_a_loop_that_does_not_hear_its_end_is_told_again(hub: Hub) -> None:
    heard = 0

    async def deaf() -> None:
        nonlocal heard
        while heard < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                heard += 1

    hub._tasks.append(asyncio.create_task(deaf()))
    await asyncio.sleep(0)  # it has begun
    await asyncio.wait_for(hub.stop(), 30)
    assert heard == 2 and all(task.done() for task in hub._tasks)
