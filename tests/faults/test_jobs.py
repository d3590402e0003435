"""Workers are killed between any two steps: every deadline is told exactly once, by whoever comes after."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

import psycopg
import pytest

import profiles
from geodata.scope import Db
from geodata.servers import Stores
from services.tickets import ORDERS, Report, file_ticket, perform
from tests.faults.job_worker import STEPS, main
from tests.small_place import centre
from tests.viewers import DISPATCHER
from tests.waiting import until

DAYS = timedelta(days=1)


# One process imports the product, 2 s of a core, and every worker is forked from it.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "tests.faults.job_worker"])


def start(stores: Stores, step: str = "none") -> ForkServerProcess:
    process = PROCESSES.Process(target=main, args=(stores, step), daemon=True)
    process.start()
    return process


def ended(process: ForkServerProcess, timeout_s: float) -> int | None:
    """How it ended: 0, or the signal with a minus; None when it goes on."""
    process.join(timeout_s)
    return process.exitcode


def end(process: ForkServerProcess) -> None:
    process.terminate()
    assert ended(process, 15) == 0


def dispatched(stores: Stores, count: int) -> list[int]:
    """Tickets handed on 40 days ago and forgotten: to be signed, due and on all levels since."""
    profile, past = profiles.load("zoucheng"), datetime.now(UTC) - 40 * DAYS
    ids = []
    with psycopg.connect(stores.database_url) as conn:
        conn.execute("SELECT ensure_months('ticket', %s, %s)", (past.date(), past.date()))
        for number in range(count):
            lon, lat = centre(1, 1, 1 + number % 9)
            report = Report(
                channel="grid", category="02002", title="事项", lon=lon, lat=lat, reported_at=past
            )
            ticket = file_ticket(conn, profile, DISPATCHER, report, now=past).ticket
            order = ORDERS["dispatch"].model_validate({"version": ticket.version})
            ids.append(perform(conn, profile, DISPATCHER, ticket.id, "dispatch", order, now=past).ticket.id)
    return ids


@pytest.fixture
def onlooker(clone: Stores) -> Iterator[Db]:
    """One connection for all that is looked at again and again."""
    with psycopg.connect(clone.database_url, autocommit=True) as conn:
        yield conn


def told(conn: Db) -> dict[int, list[str]]:
    """Ticket → what its history tells of its clock."""
    found: dict[int, list[str]] = {}
    for ticket, moment in conn.execute(
        "SELECT ticket_id, data ->> 'moment' FROM ticket_event WHERE kind = 'tick' ORDER BY id"
    ):
        found.setdefault(ticket, []).append(moment)
    return found


def jobs(conn: Db) -> int:
    row = conn.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ticket_moment'").fetchone()
    return row[0] if row else 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("step", [step for step in STEPS if step != "none"])
def test_killed_between_two_steps(clone: Stores, onlooker: Db, step: str) -> None:
    ids = dispatched(clone, 2)
    assert ended(start(clone, step), 120) == -9
    process = start(clone)
    try:
        until(lambda: jobs(onlooker) == 0, 120)
    finally:
        end(process)
    assert told(onlooker) == {ticket: ["sign", "due", "escalate"] for ticket in ids}


@pytest.mark.timeout(300)
def test_killed_at_random_with_two_at_work(clone: Stores, onlooker: Db) -> None:
    ids = dispatched(clone, 40)
    chance = random.Random(5)
    processes = [start(clone) for _ in range(2)]
    try:
        until(lambda: len(told(onlooker)) > 2, 120)
        for _ in range(3):
            time.sleep(chance.uniform(0.05, 0.4))
            victim = chance.randrange(2)
            processes[victim].kill()
            assert ended(processes[victim], 15) == -9
            processes[victim] = start(clone)
        until(lambda: jobs(onlooker) == 0, 120)
    finally:
        for process in processes:
            end(process)
    assert told(onlooker) == {ticket: ["sign", "due", "escalate"] for ticket in ids}
