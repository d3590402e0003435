"""The simulator's plan: a level number of open tickets, walks that nobody refuses, and a run against a real server."""

import asyncio
import io
import random
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from PIL import Image

import profiles
from geodata.queries.mediation import Session
from geodata.queries.simulation import OpenTicket, Past, Walk
from geodata.servers import Stores
from services.mediation.orders import ORDERS as MEDIATION_ORDERS
from services.mediation.orders import Receive
from services.mediation.states import commands_from as mediation_commands
from services.positions.rules import jumps
from services.simulator import scene, script
from services.simulator.caseload import WAY, Caseload
from services.simulator.choice import choose
from services.simulator.desk import Desk
from services.simulator.played import Played
from services.simulator.run import Simulator
from services.simulator.walker import Walker
from services.tickets.orders import ORDERS
from services.tickets.states import BACK, STAY, TRANSITIONS, commands_from
from tests.live_app import make_app, served
from tests.small_place import centre

PAST = [Past("grid", "01001", "垃圾", None, *centre(1, 1, 1), False)]


def met(number: int, status: str) -> dict[str, Any]:
    """A ticket as the server would answer it, with what the table of states offers."""
    return {
        "id": number, "status": status, "version": 1, "severity": None, "nature": None, "category": "01001",
        "satisfaction": None, "respond_due": None, "parties": [], "nodes": [], "worker": None, "department": None,
        "redos": 0, "area": {"no": 0}, "dispatched_at": None,
    }  # fmt: skip


def moved(ticket: dict[str, Any], command: str, body: dict[str, Any]) -> str:
    """The status after a command, as the engine's table has it."""
    after = TRANSITIONS[command].after
    if command in ("suspend", "consult"):
        ticket["resume"] = ticket["status"]
    if "satisfaction" in body:
        ticket["satisfaction"] = body["satisfaction"]
    if command == "plan":
        ticket["nodes"] = [{} for _ in body["nodes"]]
    ticket |= {name: code for name, code in body.items() if name in ("severity", "nature")}
    ticket["registered"] = ticket.get("registered") or command == "register"
    if command == "node_done":
        ticket["nodes"][body["node"] - 1] = {"done_at": "now"}
    return ticket["status"] if after == STAY else ticket.pop("resume") if after == BACK else after


@pytest.mark.parametrize("name", ["zoucheng", "shanggao"])
def test_as_many_tickets_leave_as_come(name: str) -> None:
    chance = random.Random(1)
    profile = profiles.load(name)
    place = Played.of(profile, [])
    open_now = [OpenTicket(number, chance.choice(WAY), False) for number in range(2000)]
    tickets = {one.id: met(one.id, one.status) for one in open_now}
    caseload = Caseload(PAST, open_now, chance)
    levels = []
    given: Counter[str] = Counter()
    for number in range(10_000, 14_000):  # as many again as are open, twice
        caseload.count += 1
        tickets[number] = met(number, "accepted")
        caseload.put(number, "accepted")
        while (due := caseload.next_due()) is not None:
            ticket = tickets[due.id]
            ticket["commands"] = offered(ticket["status"], bool(ticket.get("registered")))
            if (chosen := choose(ticket, place, chance)) is None:
                continue
            command, body = chosen
            given[command] += 1
            ORDERS[command].model_validate(body | {"version": 1})  # it carries what it must
            was, ticket["status"] = ticket["status"], moved(ticket, command, body)
            caseload.put(due.id, ticket["status"], due.life, stayed=was == ticket["status"])
        if number % 50 == 0:
            levels.append(len(caseload))
    assert min(levels) > 1500 and max(levels) < 2500, (min(levels), max(levels))
    assert {
        "dispatch",
        "whistle",
        "suspend",
        "resume",
        "consult",
        "redo",
        "call_back",
        "close",
        "archive",
    } <= set(given)
    assert ("register" in given) == bool(profile.loop.work_kinds)


@cache
def offered(status: str, registered: bool) -> list[dict[str, Any]]:
    """The commands of that state, with what each must carry."""
    return [
        {"command": row, "needs": must(row)}
        for row in commands_from(status)
        if row != "register" or not registered
    ]


@cache
def must(command: str) -> list[str]:
    """Fields that a command must carry everywhere."""
    fields = ORDERS[command].model_fields
    return [name for name, field in fields.items() if field.is_required() and name != "version"]


def test_a_drawn_scene_is_a_picture_that_says_what_it_is() -> None:
    first, second = (Image.open(io.BytesIO(scene.draw(kind))) for kind in (1, 2))
    assert first.size == scene.SIZE and first.format == "JPEG"
    assert first.tobytes() != second.tobytes()


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
        simulator = Simulator(plan, url, speed=4_000, seed=3, tokens={})
        run = asyncio.create_task(simulator.run())
        until = time.monotonic() + 60
        while simulator.counts["fixes"] < 5 or not {"dispatch", "sign"} <= set(simulator.commands):
            assert time.monotonic() < until, simulator.counts
            await asyncio.sleep(0.1)
        simulator.stop()
        await asyncio.wait_for(run, 10)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            state = (await client.get("/api/live/snapshot")).json()
        assert len(state["workers"]) >= 5
        assert simulator.counts["turned_down"] == 0
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


@pytest.mark.parametrize("state", ["received", "accepted", "mediated", "settled"])
async def test_the_desks_mediate_watch_and_ring(state: str) -> None:
    asked: list[tuple[str, str, dict[str, Any]]] = []
    planned = Session(1, 1, datetime.now(UTC), None, None, None, None)._asdict() | {"planned_at": 0}
    mediator, state = ("somebody", "accepted") if state == "mediated" else (None, state)
    sessions = [planned] if mediator else []
    answers: dict[str, Any] = {
        "/api/session": {"csrf": "c"},
        "/api/mediation": {"rows": [{"id": 7}]},
        "/api/mediation/7": {
            "id": 7, "version": 3, "state": state, "tier": 1, "mediator": mediator, "sessions": sessions,
            "commands": list(mediation_commands(state)),
        },
        "/api/mediation/7/mediators": {"mediators": [{"kind": "post", "id": 5}], "rooms": ["1"]},
        "/api/desks/supervision": {"rows": [{"id": 9}]},
        "/api/tickets/9": {"id": 9, "version": 2, "supervised_at": None, "commands": [{"command": "supervise"}]},
        "/api/desks/call-backs": {"rows": [{"id": 9}]},
    }  # fmt: skip

    async def ask(method: str, path: str, **what: Any) -> httpx.Response:
        if method == "POST" and path != "/api/session":
            assert what["headers"] == {"X-CSRFToken": "c"}
            asked.append((method, path.rpartition("/")[2], what["json"]))
            return httpx.Response(200, json={})
        return httpx.Response(200, json=answers[path.partition("?")[0]])

    place = Played.of(profiles.load("zoucheng"), [])
    desk = Desk(ask, ("demo", "demo"), place, random.Random(4))
    desk.disputes.append(met(9, "accepted") | {"area": {"code": "370883001"}, "category": "04001"})
    for _ in range(60):
        await desk.act()
    Receive.model_validate(asked[0][2])
    for _, command, body in asked[1:]:
        if command in MEDIATION_ORDERS:
            MEDIATION_ORDERS[command].model_validate(body)
        elif command in ORDERS:
            ORDERS[command].model_validate(body)
    given = {command for _, command, _ in asked}
    expected = {"received": "accept", "accepted": "assign", "settled": "perform"}[state]
    expected = "hold_session" if mediator else expected
    assert {"mediation", "supervise", "attempts", expected} <= given
    assert desk.given["turned_down"] == 0


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati"])  # one of them has another day than UTC
async def test_a_day_is_that_of_the_place(zone: str) -> None:
    async def ask(*_asked: object, **_what: object) -> None:
        """Nothing is asked."""

    place = replace(Played.of(profiles.load("zoucheng"), []), zone=ZoneInfo(zone))
    told = await Desk(ask, ("demo", "demo"), place, random.Random(4))._next({"state": "settled"})
    assert told == ("perform", {"performed_on": datetime.now(place.zone).date().isoformat()})
