"""From a commit to the screens: after every event stale state + event == fresh state."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from geodata.outbox import add_event
from geodata.scope import EVERYTHING, Pool, scoped
from services.live import Hub
from tests.services.live_screen import PROFILE, TOWN_1, Screen, advance, file, same_as_fresh, screen, until
from tests.small_place import centre, grid_no


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
    assert wall.coloured < filed and hub._measuring.version < filed == hub.version
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
