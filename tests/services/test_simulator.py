"""The simulator's plan: a level number of open tickets, walks that nobody refuses, and a run against a real server."""

import asyncio
import random
import time
from itertools import pairwise

import httpx
import psycopg
import pytest

import profiles
from geodata.queries.simulation import OpenTicket, Past, Walk
from geodata.servers import Stores
from services.positions.rules import jumps
from services.simulator import script
from services.simulator.caseload import STEPS, Caseload
from services.simulator.run import Simulator
from services.simulator.walker import Walker
from services.tickets import TRANSITIONS
from tests.live_app import make_app, served
from tests.small_place import centre

PAST = [Past("grid", "01001", "垃圾", None, *centre(1, 1, 1), False)]


def test_as_many_tickets_leave_as_come() -> None:
    chance = random.Random(1)
    met = [OpenTicket(number, 1, chance.choice(STEPS), False) for number in range(2000)]
    caseload = Caseload(PAST, met, chance)
    levels = []
    for number in range(6000):
        caseload.count += 1
        caseload.put(10_000 + number, 1, "accepted")
        while (due := caseload.next_due()) is not None:
            after = TRANSITIONS[caseload.step(due)[0]].after
            caseload.put(due.id, due.version + 1, after, due.life)
        levels.append(len(caseload))
    assert min(levels) > 1700 and max(levels) < 2300


def test_a_walk_has_the_pace_of_people() -> None:
    places = [centre(1, 1, grid) for grid in range(1, 10)]
    walker = Walker(Walk(1, places, on_foot=True), 0.0, random.Random(2))
    readings = []
    for now in range(3600):
        if walker.reports_at <= now:
            readings.append(walker.report(float(now)))
    assert 360 <= len(readings) <= 720
    assert not any(jumps(before, after, max_speed_mps=4) for before, after in pairwise(readings))
    assert len({(reading.lon, reading.lat) for reading in readings}) > 100


async def test_a_run_moves_workers_and_tickets_over_http(clone: Stores) -> None:
    with served(make_app(clone)) as url:
        with psycopg.connect(clone.database_url) as conn:
            tokens, workers = script.register_devices(conn)
            plan = script.learn(conn, profiles.load("zoucheng"), tokens, workers)
        with psycopg.connect(clone.database_url) as conn:
            assert conn.execute("SELECT count(*) FROM device").fetchone() == (36,)
        simulator = Simulator(plan, url, speed=20_000, seed=3)
        run = asyncio.create_task(simulator.run())
        until = time.monotonic() + 20
        while min(simulator.counts[key] for key in ("fixes", "tickets", "steps")) < 5:
            assert time.monotonic() < until, simulator.counts
            await asyncio.sleep(0.1)
        simulator.stop()
        await asyncio.wait_for(run, 10)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            state = (await client.get("/api/live/snapshot")).json()
        assert len(state["workers"]) >= 5
    with psycopg.connect(clone.database_url) as conn:
        script.forget(conn)
        assert conn.execute("SELECT count(*) FROM device").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM ticket WHERE location = 'exact'").fetchone()[0] >= 5


@pytest.mark.parametrize("kind", ["grid", "town"])
def test_every_worker_has_a_walk(conn: psycopg.Connection, kind: str) -> None:
    if kind == "town":
        conn.execute(
            "UPDATE worker SET area_no = (SELECT no FROM area WHERE code = '370883001') WHERE id % 2 = 0"
        )
    plan = script.learn(conn, profiles.load("zoucheng"), *script.register_devices(conn))
    assert len(plan.walks) == 36 and all(walk.places for walk in plan.walks)
    assert sum(not walk.on_foot for walk in plan.walks) == (18 if kind == "town" else 0)
    assert {past.category for past in plan.past} == {
        k.code for c in profiles.load("zoucheng").categories for k in c.kinds
    }
