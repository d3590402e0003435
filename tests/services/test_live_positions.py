"""Workers on the screens: where they are, who goes."""

import time

import psycopg
import pytest

from geodata.scope import EVERYTHING, Pool
from geodata.servers import Stores
from services.live import Hub, frames
from services.positions.fix import Fix, Reading
from tests.services.live_screen import TOWN_1, same_as_fresh, screen
from tests.small_place import centre, grid_no


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
