"""What a screen gets that missed something: what it missed, or a fresh snapshot."""

import asyncio
import threading
from typing import Any

import orjson
import pytest

from geodata.outbox import add_event
from geodata.scope import EVERYTHING, Pool, scoped
from services.live import Hub
from services.live.channel import QUEUE_LENGTH, Client
from tests.services.live_screen import Screen, file, same_as_fresh, screen, until
from tests.small_place import grid_no


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


@pytest.mark.parametrize("by", ["import", "midnight"])
async def test_what_was_measured_before_a_fresh_snapshot_is_not_told_after_it(
    hub: Hub, pool: Pool, by: str
) -> None:
    wall, measures = await screen(hub), hub._looks.measures
    begun, turn = threading.Event(), threading.Event()

    def slow(grids: list[int]) -> Any:
        old = measures(grids)
        begun.set()
        turn.wait(8)
        return [measure._replace(open=99) for measure in old]

    hub._looks.measures = slow  # type: ignore[method-assign]
    await file(pool)
    await asyncio.to_thread(begun.wait, 8)
    if by == "import":
        with scoped(pool, EVERYTHING) as conn:
            add_event(conn, "areas", grid_no(0, 0, 0), {})
    else:
        hub._restart_channels("midnight")
    await wall.read_until(lambda: wall.gaps == 1)
    hub._looks.measures = measures  # type: ignore[method-assign]
    turn.set()
    await file(pool)
    await wall.read_until(lambda: wall.grids[grid_no(1, 1, 1)][1] == 2 and wall.coloured == hub.version)
    assert 99 not in [row[1] for row in wall.told("grids")]


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
    await until(lambda: hub._measuring.version == 1)
    polled = orjson.loads(hub.poll(EVERYTHING, first["v"], first["of"], first["turn"]))
    assert [row[0] for frame in polled["frames"] for row in frame.get("grids", ())] == [ticket.area.no]
    assert orjson.loads(hub.poll(EVERYTHING, 99, first["of"], 0))["frames"][0]["t"] == "gap"


async def test_a_slow_screen_is_told_of_a_gap_and_memory_stays_bounded() -> None:
    client = Client('{"t":"gap"}')
    for number in range(1000):
        client.put(str(number))
        assert len(client._frames) <= QUEUE_LENGTH
    frames = await client.frames()
    assert frames is not None and frames[0] == '{"t":"gap"}' and frames[-1] == "999"
    client.close()
    assert await client.frames() is None
