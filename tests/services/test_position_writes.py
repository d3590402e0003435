"""How readings are written: at once when few come, together when many do, and acknowledged each by itself."""

import asyncio
import time
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Away

from geodata.queries.workers import WorkerRow
from services.positions.directory import Directory, digest_of
from services.positions.fix import SIZE, Fix, Reading, unpack
from services.positions.intake import ENOUGH, GATHER_S, Intake
from settings import Settings

WORKERS = 400


class Store:
    """Redis as the intake uses it: each write as the fixes it held."""

    def __init__(self) -> None:
        self.writes: list[list[Fix]] = []
        self.at: list[float] = []
        self.takes_s = 0.0
        self.away = False

    def pipeline(self, transaction: bool) -> "Store":
        assert transaction
        return self

    def xadd(self, _: str, fields: dict[str, bytes], minid: str) -> None:
        assert minid and len(fields["b"]) % SIZE == 0
        self.at.append(time.monotonic())
        self.writes.append(unpack(fields["b"]))

    def hset(self, _: str, mapping: dict[int, bytes]) -> None:
        assert mapping

    async def execute(self) -> None:
        await asyncio.sleep(self.takes_s)
        if self.away:
            raise Away("away")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def intake(store: Store) -> Intake:
    directory = Directory(None, "Asia/Shanghai")  # type: ignore[arg-type]
    directory.workers = {
        number: WorkerRow(number, f"W{number}", "full_time", 1, "grid", 0, 1440, 127)
        for number in range(WORKERS)
    }
    directory.devices = {digest_of(f"token-{number}"): number for number in range(WORKERS)}
    directory.read_at = time.monotonic()
    return Intake(Settings(), directory, store, "test:", {})


def send(intake: Intake, number: int, ago_s: int = 0) -> asyncio.Task[Any]:
    reading = Reading(int(time.time() - ago_s) * 1000, 123.0, 41.0)
    return asyncio.create_task(intake.take([(f"token-{number}", reading)]))


async def test_a_lone_reading_waits_for_nobody(intake: Intake, store: Store) -> None:
    sent_at = time.monotonic()
    assert await send(intake, 1) == []
    assert len(store.writes) == 1 and store.at[0] - sent_at < GATHER_S


async def test_few_that_follow_are_one_write_a_moment_later(intake: Intake, store: Store) -> None:
    await send(intake, 0)
    await asyncio.gather(*(send(intake, number) for number in range(1, ENOUGH)))
    assert [len(write) for write in store.writes] == [1, ENOUGH - 1]
    assert store.at[1] - store.at[0] >= GATHER_S * 0.9


async def test_enough_wait_for_nothing(intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.positions.intake.GATHER_S", 3600.0)
    intake._wrote_at = time.monotonic()
    async with asyncio.timeout(10):
        await asyncio.gather(*(send(intake, number) for number in range(ENOUGH)))
    assert [len(write) for write in store.writes] == [ENOUGH]


async def test_many_at_a_steady_pace_take_few_writes(intake: Intake, store: Store) -> None:
    tasks, started = [], time.monotonic()
    for number in range(WORKERS):
        tasks.append(send(intake, number))
        await asyncio.sleep(0.001)
    await asyncio.gather(*tasks)
    took_s = time.monotonic() - started
    assert sum(map(len, store.writes)) == WORKERS
    assert len(store.writes) <= took_s / GATHER_S + WORKERS / ENOUGH + 2
    assert intake._waiting == intake._waiters == []


async def test_who_hangs_up_takes_nobodys_acknowledgement_away(intake: Intake, store: Store) -> None:
    store.takes_s = 0.05
    tasks = [send(intake, number) for number in range(3)]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    assert await asyncio.gather(tasks[0], tasks[2]) == [[], []]
    assert sum(map(len, store.writes)) == 3
    assert await send(intake, 4) == []


async def test_a_store_that_is_away_acknowledges_nothing_and_is_tried_again(
    intake: Intake, store: Store
) -> None:
    store.away = True
    assert all(
        isinstance(answer, Away)
        for answer in await asyncio.gather(
            *(send(intake, number) for number in range(3)), return_exceptions=True
        )
    )
    assert intake._latest == {}
    store.away = False
    assert await send(intake, 1) == [] and len(store.writes[-1]) == 1
