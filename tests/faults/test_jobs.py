"""Workers are killed between any two steps: every deadline is told exactly once, by whoever comes after."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

import profiles
from geodata.servers import Stores
from services.tickets import ORDERS, Report, file_ticket, perform
from settings import ROOT
from tests.faults.job_worker import STEPS
from tests.small_place import centre
from tests.viewers import DISPATCHER

DAYS = timedelta(days=1)


def start(stores: Stores, step: str = "none") -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.faults.job_worker",
            stores.database_url,
            stores.redis_url,
            stores.key_prefix,
            step,
        ],
        cwd=ROOT,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    assert process.wait(15) == 0


def until(holds: Callable[[], bool], timeout_s: float = 120) -> None:
    ends = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < ends, "did not come true in time"
        time.sleep(0.05)


def dispatched(stores: Stores, count: int) -> list[int]:
    """Tickets handed on 40 days ago and forgotten: to be signed, due and on all levels since."""
    profile, past = profiles.load("zoucheng"), datetime.now(UTC) - 40 * DAYS
    ids = []
    with psycopg.connect(stores.database_url) as conn:
        for number in range(count):
            lon, lat = centre(1, 1, 1 + number % 9)
            report = Report(
                channel="grid", category="02002", title="事项", lon=lon, lat=lat, reported_at=past
            )
            ticket = file_ticket(conn, profile, DISPATCHER, report, now=past).ticket
            order = ORDERS["dispatch"].model_validate({"version": ticket.version})
            ids.append(perform(conn, profile, DISPATCHER, ticket.id, "dispatch", order, now=past).ticket.id)
    return ids


def told(stores: Stores) -> dict[int, list[str]]:
    """Ticket → what its history tells of its clock."""
    found: dict[int, list[str]] = {}
    with psycopg.connect(stores.database_url) as conn:
        for ticket, moment in conn.execute(
            "SELECT ticket_id, data ->> 'moment' FROM ticket_event WHERE kind = 'tick' ORDER BY id"
        ):
            found.setdefault(ticket, []).append(moment)
    return found


def jobs(stores: Stores) -> int:
    with psycopg.connect(stores.database_url) as conn:
        row = conn.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ticket_moment'"
        ).fetchone()
    return row[0] if row else 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("step", [step for step in STEPS if step != "none"])
def test_killed_between_two_steps(clone: Stores, step: str) -> None:
    ids = dispatched(clone, 2)
    assert start(clone, step).wait(120) == -9
    process = start(clone)
    try:
        until(lambda: jobs(clone) == 0)
    finally:
        end(process)
    assert told(clone) == {ticket: ["sign", "due", "escalate"] for ticket in ids}


@pytest.mark.timeout(300)
def test_killed_at_random_with_two_at_work(clone: Stores) -> None:
    ids = dispatched(clone, 40)
    chance = random.Random(5)
    processes = [start(clone) for _ in range(2)]
    try:
        until(lambda: len(told(clone)) > 2)
        for _ in range(3):
            time.sleep(chance.uniform(0.05, 0.4))
            victim = chance.randrange(2)
            processes[victim].kill()
            processes[victim].wait()
            processes[victim] = start(clone)
        until(lambda: jobs(clone) == 0, 120)
    finally:
        for process in processes:
            end(process)
    assert told(clone) == {ticket: ["sign", "due", "escalate"] for ticket in ids}
