"""From a commit to the screens: relay, reader, channels, gaps; after every event stale state + event == fresh state."""

import asyncio
import itertools
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import orjson
import psycopg
import pytest
import redis

import profiles
from geodata.outbox import add_event
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Pool, Scope, scoped
from geodata.servers import Stores
from services import tickets
from services.live import Event, Hub, frames
from services.live.channel import QUEUE_LENGTH, Client
from services.live.events import relay_key, stream_key
from services.positions.fix import Fix, Reading
from services.tickets import Report
from settings import Settings
from tests.small_place import centre, grid_no
from tests.ticket_steps import give
from tests.viewers import DISPATCHER

PROFILE = profiles.load("zoucheng")
TOWN_1 = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)


class Screen:
    """What assets/10-live.js does, in Python: joins, takes a snapshot, applies what comes after it."""

    def __init__(
        self, hub: Hub, scope: Scope = EVERYTHING, since: int | None = None, of: int | None = None
    ) -> None:
        self.hub, self.scope = hub, scope
        self.client = hub.join(scope, since, of)
        self.v, self.of = since or 0, of
        self.grids: dict[int, list[Any]] = {}
        self.workers: dict[int, tuple[float, float]] = {}
        self.seen: list[dict[str, Any]] = []
        self.changed = self.coloured = 0  # versions of the last news of a ticket, and of the last colours
        self.gaps = 0

    async def take_snapshot(self) -> None:
        state = orjson.loads(await self.hub.snapshot(self.scope))
        self.v, self.of = state["v"], state["of"]
        self.coloured = max(self.coloured, self.v)  # its grids are at least as young
        self.grids = {row[0]: row for row in state["grids"]}
        self.workers = {row[0]: (row[1], row[2]) for row in state["workers"]}

    async def read(self) -> None:
        """Apply all that is queued, waiting for at least one frame."""
        queued = await asyncio.wait_for(self.client.frames(), 5)
        for frame in queued or ():
            if isinstance(frame, bytes):
                kind, count = struct.unpack_from("<B3xI", frame)
                if kind == 2:
                    self.workers.clear()
                for worker, lon, lat, _ in itertools.islice(struct.iter_unpack("<IffI", frame[8:]), count):
                    if lon != lon:
                        self.workers.pop(worker, None)
                    else:
                        self.workers[worker] = (lon, lat)
                continue
            told = orjson.loads(frame)
            self.seen.append(told)
            if told["t"] == "gap":
                self.gaps += 1
                await self.take_snapshot()
            elif told["t"] == "delta" and told["v"] >= self.v:
                self.grids |= {row[0]: row for row in told.get("grids", ())}
                self.v = told["v"]
                self.changed = self.v if "tickets" in told else self.changed
                self.coloured = self.v if "grids" in told else self.coloured
            elif told["t"] == "beat":
                self.v = max(self.v, told["v"])

    async def read_until(self, holds: Callable[[], bool], timeout_s: float = 8) -> None:
        until = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < until, self.seen[-3:]
            await self.read()

    def told(self, key: str) -> list[Any]:
        return [item for frame in self.seen for item in frame.get(key, ())]


@pytest.fixture
async def hub(clone: Stores, pool: Pool) -> AsyncIterator[Hub]:
    hub = Hub(clone, pool, Settings(live_interval_ms=30, position_interval_ms=100), PROFILE)
    await hub.start()
    await until(lambda: hub.health()["redis"] and hub.health()["postgres"] and hub._relay.leads)
    yield hub
    await hub.stop()


async def until(holds: Callable[[], bool], timeout_s: float = 8) -> None:
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, "did not come true"
        await asyncio.sleep(0.02)


async def screen(hub: Hub, scope: Scope = EVERYTHING) -> Screen:
    shown = Screen(hub, scope)
    await shown.take_snapshot()
    await shown.read()  # what was queued at the joining: all workers
    return shown


async def file(pool: Pool, place: tuple[int, int, int] = (1, 1, 1), **given: Any) -> Ticket:
    lon, lat = centre(*place)
    report = Report.model_validate(
        {"channel": "grid", "category": "01001", "title": "事项", "lon": lon, "lat": lat} | given
    )

    def now() -> Ticket:
        with scoped(pool, EVERYTHING) as conn:
            return tickets.file_ticket(conn, PROFILE, DISPATCHER, report).ticket

    return await asyncio.to_thread(now)


async def advance(pool: Pool, ticket: Ticket, command: str) -> Ticket:
    def now() -> Ticket:
        with scoped(pool, EVERYTHING) as conn:
            return give(conn, PROFILE, ticket, command)

    return await asyncio.to_thread(now)


async def same_as_fresh(shown: Screen) -> None:
    await shown.read_until(lambda: shown.coloured >= shown.changed)  # colours follow the news
    fresh = await screen(shown.hub, shown.scope)
    assert shown.grids == fresh.grids
    assert shown.workers.keys() == fresh.workers.keys()
    shown.hub.leave(shown.scope, fresh.client)


async def test_a_ticket_is_on_the_screen_quickly_and_state_is_as_fresh(hub: Hub, pool: Pool) -> None:
    wall = await screen(hub)
    await file(pool)
    started = time.monotonic()
    await wall.read_until(lambda: wall.grids[grid_no(1, 1, 1)][1] == 1)
    assert time.monotonic() - started < 3  # a tenth of a second on an idle machine
    assert [item["kind"] for item in wall.told("tickets")] == ["report"]
    lon, lat = centre(1, 1, 1)
    assert [heat[1:6] for heat in wall.told("heat")] == [[lon, lat, "01001", "grid", 1]]
    assert wall.grids[grid_no(1, 1, 1)][3] == round(1000 / 660, 1)
    await same_as_fresh(wall)


async def test_each_step_of_a_ticket_leaves_the_screen_as_fresh(hub: Hub, pool: Pool) -> None:
    wall = await screen(hub)
    ticket = await file(pool)
    for command in ("dispatch", "sign", "start", "handle", "close", "reopen", "reject"):
        ticket = await advance(pool, ticket, command)
        await wall.read_until(lambda: any(i["kind"] == command for i in wall.told("tickets")))  # noqa: B023
        await same_as_fresh(wall)
        assert wall.grids[ticket.area.no][1] == (ticket.closed_at is None)


async def test_news_do_not_wait_for_the_colours_and_the_age_does(hub: Hub, pool: Pool) -> None:
    wall, measures, turn = await screen(hub), hub._looks.measures, threading.Event()
    shown_before: list[Any] = []

    def slow(grids: list[int]) -> Any:
        shown_before.append(list(wall.told("tickets")))
        if len(shown_before) == 1:
            raise psycopg.OperationalError("the database is away")
        turn.wait(8)
        return measures(grids)

    hub._looks.measures = slow  # type: ignore[method-assign]
    ticket = await file(pool)
    await wall.read_until(lambda: bool(wall.told("tickets")))
    filed = wall.changed
    await until(lambda: len(shown_before) == 2)  # what failed is measured again
    assert wall.coloured < filed and hub._measured < filed == hub.version
    hub._handed_over, hub._as_of_ms = (filed, 10**15), 1
    await hub._beat()
    assert hub.health()["as_of"] == 1  # as long as a grid has its old colour, the state is as old
    back = Screen(hub, since=filed, of=wall.of)
    back.grids = dict(wall.grids)
    later = await file(pool)  # the same grid again, while it is being measured
    await wall.read_until(lambda: len(wall.told("tickets")) == 2)
    turn.set()
    await wall.read_until(lambda: wall.grids[ticket.area.no][1] == 2 and wall.coloured >= wall.changed)
    assert later.area.no == ticket.area.no
    await same_as_fresh(wall)
    await back.read_until(lambda: back.grids[ticket.area.no][1] == 2)


async def test_what_is_everybodys_reaches_a_part_of_the_place(hub: Hub, pool: Pool) -> None:
    town = await screen(hub, TOWN_1)
    with scoped(pool, EVERYTHING) as conn:
        add_event(conn, "desk", grid_no(2, 1, 1), {"desk": "claim", "id": 1})
        add_event(conn, "desk", 0, {"desk": "weights", "id": 7})
    await town.read_until(lambda: bool(town.told("desks")))
    assert town.told("desks") == [["weights", 7]]


async def test_a_screen_gets_its_own_scope_only(hub: Hub, pool: Pool) -> None:
    wall, town = await screen(hub), await screen(hub, TOWN_1)
    await file(pool, (2, 1, 1))
    await file(pool, lon=None, lat=None)
    inside = await file(pool, (1, 2, 3))
    await wall.read_until(lambda: len(wall.told("tickets")) == 3)
    await town.read_until(lambda: town.coloured >= town.changed > 0)
    assert [item["id"] for item in town.told("tickets")] == [inside.id]
    assert {no for no, *_ in town.told("grids")} == {inside.area.no}
    assert set(town.grids) == {no for no in wall.grids if TOWN_1.holds(no)}
    await same_as_fresh(town)


async def test_a_deadline_that_passes_changes_its_grid(hub: Hub, pool: Pool) -> None:
    wall = await screen(hub)
    ticket = await file(pool)
    with scoped(pool, EVERYTHING) as conn:
        due = datetime.now(UTC) + timedelta(seconds=0.5)
        conn.execute("UPDATE ticket SET due_at = %s WHERE id = %s", (due, ticket.id))
    await wall.read_until(lambda: wall.grids[ticket.area.no][2] == 1)
    await same_as_fresh(wall)


async def test_a_station_and_a_patrol_reach_the_screen(hub: Hub, pool: Pool) -> None:
    wall = await screen(hub)
    grid = grid_no(1, 1, 2)
    assert wall.grids[grid][4] is None
    with scoped(pool, EVERYTHING) as conn:
        add_event(conn, "station", grid, {"id": "3" * 20, "state": "live"})
        conn.execute(
            "INSERT INTO patrol SELECT %s, %s, min(id), now(), now() FROM worker",
            (grid, datetime.now(ZoneInfo(PROFILE.time_zone)).date()),
        )
        add_event(conn, "patrol", grid, {})
    await wall.read_until(lambda: wall.grids[grid][4] == 0 and bool(wall.told("stations")))
    assert wall.told("stations") == [["3" * 20, "live"]]
    await same_as_fresh(wall)


async def test_an_import_makes_screens_take_a_snapshot(hub: Hub, pool: Pool) -> None:
    wall = await screen(hub)
    with scoped(pool, EVERYTHING) as conn:
        add_event(conn, "areas", grid_no(0, 0, 0), {})
    await wall.read_until(lambda: wall.gaps == 1)
    await file(pool)
    await wall.read_until(lambda: wall.grids[grid_no(1, 1, 1)][1] == 1)
    await same_as_fresh(wall)


async def test_a_screen_that_comes_back_is_played_what_it_missed(hub: Hub, pool: Pool) -> None:
    wall = await screen(hub)
    await file(pool)
    await wall.read_until(lambda: wall.grids[grid_no(1, 1, 1)][1] == 1)
    hub.leave(wall.scope, wall.client)
    await file(pool, (2, 2, 2))
    before = hub.version
    await until(lambda: hub.version > before or hub.version == 2)
    again = Screen(hub, since=wall.v, of=wall.of)
    again.grids = dict(wall.grids)
    await again.read_until(lambda: again.grids[grid_no(2, 2, 2)][1] == 1)
    assert again.gaps == 0 and [item["area_no"] for item in again.told("tickets")] == [grid_no(2, 2, 2)]
    await same_as_fresh(again)


@pytest.mark.parametrize("since", [0, 10_000])
async def test_a_version_that_is_not_known_gives_a_gap(hub: Hub, pool: Pool, since: int) -> None:
    await file(pool)
    await until(lambda: hub.version == 1)
    if since == 0:
        hub._channels.clear()
    wall = Screen(hub, since=since, of=hub._channel(EVERYTHING).born)
    await wall.read_until(lambda: wall.gaps == 1)
    assert wall.v == 1
    await same_as_fresh(wall)


async def test_what_only_time_changed_reaches_who_comes_back_to_another_process(hub: Hub, pool: Pool) -> None:
    """Nothing happened while no process ran, so the version is the same; but a deadline passed."""
    ticket = await file(pool)
    wall = await screen(hub)
    await wall.read_until(lambda: wall.coloured == hub.version)
    hub.leave(wall.scope, wall.client)
    hub._channels.clear()  # as after a start
    with scoped(pool, EVERYTHING) as conn:
        conn.execute("UPDATE ticket SET due_at = now() - interval '1 minute'")
    others = Screen(hub)  # somebody is there already
    back = Screen(hub, since=wall.v, of=wall.of)
    back.grids = dict(wall.grids)
    await back.read_until(lambda: back.gaps == 1)
    assert back.v == wall.v and back.grids[ticket.area.no][2] == 1
    assert await others.client.frames()
    polled = orjson.loads(hub.poll(EVERYTHING, wall.v, wall.of, 0))
    assert polled["frames"][0]["t"] == "gap"
    again = Screen(hub, since=back.v, of=back.of)  # which now is known
    await again.read_until(lambda: any(told["t"] == "beat" for told in again.seen))
    assert again.gaps == 0


async def test_polling_brings_the_same(hub: Hub, pool: Pool) -> None:
    first = orjson.loads(hub.poll(EVERYTHING, hub.version, None, 0))
    ticket = await file(pool)
    await until(lambda: hub._measured == 1)
    polled = orjson.loads(hub.poll(EVERYTHING, first["v"], first["of"], first["turn"]))
    assert [row[0] for frame in polled["frames"] for row in frame.get("grids", ())] == [ticket.area.no]
    assert orjson.loads(hub.poll(EVERYTHING, 99, first["of"], 0))["frames"][0]["t"] == "gap"


async def test_a_slow_screen_is_told_of_a_gap_and_memory_stays_bounded() -> None:
    client = Client('{"t":"gap"}')
    for number in range(1000):
        client.put(str(number))
        assert len(client._frames) <= QUEUE_LENGTH
    frames = await client.frames()
    assert frames[0] == '{"t":"gap"}' and frames[-1] == "999"
    client.close()
    assert await client.frames() is None


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


async def test_workers_move_and_go(hub: Hub, pool: Pool, clone: Stores) -> None:
    wall, town = await screen(hub), await screen(hub, TOWN_1)
    with psycopg.connect(clone.database_url) as conn:
        ids = dict(conn.execute("SELECT area_no, id FROM worker").fetchall())
        for place in ((1, 1, 1), (2, 1, 1)):
            conn.execute(
                "INSERT INTO device VALUES (sha256(%s), %s, 'test')",
                (f"token-{place[0]}".encode(), ids[grid_no(*place)]),
            )
    await hub._read_directory()
    here, there = ids[grid_no(1, 1, 1)], ids[grid_no(2, 1, 1)]
    now_ms = int(time.time() * 1000)
    for town_no in (1, 2):
        assert await hub.intake.take([(f"token-{town_no}", Reading(now_ms, *centre(town_no, 1, 1)))]) == []
    await wall.read_until(lambda: wall.workers.keys() == {here, there})
    await town.read_until(lambda: town.workers.keys() == {here})
    assert wall.workers[here] == pytest.approx(centre(1, 1, 1), abs=2e-5)
    await same_as_fresh(wall)
    with psycopg.connect(clone.database_url) as conn:
        conn.execute("UPDATE worker SET shift_days = 0 WHERE id = %s", (there,))
    await hub._read_directory()
    hub.crew.hide_gone(int(time.time() * 1000))
    await wall.read_until(lambda: wall.workers.keys() == {here})
    await same_as_fresh(wall)


async def test_screens_that_join_together_share_one_frame_of_all_positions(hub: Hub) -> None:
    def fix(lon: float) -> Fix:
        now_ms = int(time.time() * 1000)
        return Fix(1, grid_no(1, 1, 1), now_ms, Reading(now_ms, lon, 35.4))

    async def joined() -> bytes:
        *_, last = await hub.join(EVERYTHING).frames()  # type: ignore[misc]
        assert isinstance(last, bytes)
        return last

    hub.crew.take([fix(117.0)])
    first = await joined()
    assert await joined() is first
    hub.crew.take([fix(117.5)])
    early = hub.join(EVERYTHING)
    assert [*await early.frames()][-1] is first  # type: ignore[misc]
    await hub._send_positions()
    moved = [*await early.frames()][-1]  # type: ignore[misc]
    assert moved == frames.positions(hub.crew.all_moves(EVERYTHING)), "what it was behind comes next"
    fresh = await joined()
    assert fresh is not first
    assert fresh == frames.positions(hub.crew.all_moves(EVERYTHING), frames.ALL)
