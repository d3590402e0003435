"""The job queue: jobs come and go with their transaction, fail, wait and begin anew; its schema is the library's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources

import psycopg
import pytest
from psycopg import errors

import profiles
from geodata import jobs as queue
from geodata.migrate import FOLDER
from geodata.scope import EVERYTHING, Db, Pool, Scope, scoped
from geodata.servers import Stores
from services.jobs import JOBS, Work, job, plan, worker
from services.jobs.metrics import JobCollector
from services.jobs.worker import Worker
from settings import Settings
from tests.small_place import grid_no
from tests.waiting import until

TOWN = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)


@pytest.fixture
def done() -> Iterator[list[str]]:
    """What a job of the tests was told, in order; it fails as often as its argument says."""
    told: list[str] = []

    @job("test_note", most_retries=2, first_wait=timedelta(seconds=0.1))
    def note(work: Work, word: str, fails: int = 0, failures: int = 0) -> None:
        told.append(word)
        if told.count(word) <= fails:
            raise ValueError(word)

    yield told
    del JOBS["test_note"]


@contextmanager
def working(stores: Stores, pool: Pool) -> Iterator[Worker]:
    running = Worker(Work(Settings(), profiles.load("zoucheng"), stores, pool))
    running.start()
    try:
        yield running
    finally:
        running.stop()


def rows(stores: Stores) -> list[tuple[str, int]]:
    with psycopg.connect(stores.database_url) as conn:
        return conn.execute(
            "SELECT status::text, attempts FROM procrastinate_jobs WHERE task_name = 'test_note' ORDER BY id"
        ).fetchall()


def test_the_schema_is_the_librarys() -> None:
    """Another version of it needs a migration of ours first."""
    theirs = (resources.files("procrastinate") / "sql" / "schema.sql").read_text()
    assert theirs.strip() in (FOLDER / "0015.jobs.sql").read_text()


def test_a_job_comes_with_its_transaction_or_not_at_all(clone: Stores, pool: Pool, done: list[str]) -> None:
    with working(clone, pool):
        with pytest.raises(KeyError), scoped(pool, TOWN) as conn:
            plan(conn, "test_note", {"word": "rolled back"})
            raise KeyError
        with scoped(pool, TOWN) as conn:
            plan(conn, "test_note", {"word": "committed"})
            time.sleep(0.5)
            assert done == []
        until(lambda: done == ["committed"])
        until(lambda: rows(clone) == [])


def test_of_a_lock_one_job_waits(conn: Db, done: list[str]) -> None:
    soon, late = (datetime.now(UTC) + timedelta(hours=hours) for hours in (1, 2))
    plan(conn, "test_note", {"word": "a"}, at=late, lock="x")
    plan(conn, "test_note", {"word": "b"}, at=soon, lock="x")
    waiting = "SELECT scheduled_at, args ->> 'word' FROM procrastinate_jobs WHERE queueing_lock LIKE 'x%'"
    assert conn.execute(waiting).fetchall() == [(soon, "b")]
    many = [queue.Planned(lock, {"word": "c"}, late) for lock in ("x", "xy")]
    assert queue.plan_many(conn, "work", "test_note", many) == 1
    assert conn.execute(waiting + " ORDER BY 1").fetchall() == [(soon, "b"), (late, "c")]
    queue.drop(conn, "x")
    assert conn.execute(waiting).fetchall() == [(late, "c")]


def test_the_sooner_due_is_fetched_first(conn: Db) -> None:
    now = datetime.now(UTC)
    for word, minutes in (("late", 1), ("latest", 9), ("not yet", -9)):
        plan(conn, "test_note", {"word": word}, at=now - timedelta(minutes=minutes), queue="moments")
    fetched = [
        conn.execute("SELECT args ->> 'word' FROM procrastinate_fetch_job_v2('{moments}', NULL)").fetchone()
        for _ in range(3)
    ]
    assert fetched == [("latest",), ("late",), (None,)]


def test_who_sees_a_town_puts_jobs_in_and_reads_none(pool: Pool) -> None:
    with scoped(pool, TOWN) as conn:
        plan(conn, "test_note", {"word": "x"}, at=datetime.now(UTC) + timedelta(days=1))
    for scope, hat in ((TOWN, "facts"), (EVERYTHING, "facts"), (EVERYTHING, "wall")):
        with pytest.raises(errors.InsufficientPrivilege), scoped(pool, scope, hat) as conn:
            conn.execute("SELECT * FROM procrastinate_jobs")


def test_a_failing_job_is_tried_again_and_left_as_failed(
    clone: Stores, pool: Pool, done: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with working(clone, pool):
        with scoped(pool, EVERYTHING) as conn:
            plan(conn, "test_note", {"word": "twice", "fails": 1})
            plan(conn, "test_note", {"word": "locked", "fails": 3}, lock="locked")
            plan(conn, "test_note", {"word": "never", "fails": 99})
        until(lambda: done.count("twice") == 2 and done.count("never") == 3 and done.count("locked") == 4)
        until(lambda: rows(clone) == [("failed", 3)])
    with scoped(pool, EVERYTHING, "jobs") as conn:
        assert queue.figures(conn).failed == 1
    assert "a job failed" in caplog.text


@pytest.mark.parametrize("planned_anew", [False, True])
def test_the_job_of_a_dead_worker_begins_anew(
    clone: Stores, pool: Pool, done: list[str], planned_anew: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SILENT_S", 0.5)
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.1)
    monkeypatch.setattr(worker, "LOOK_S", 0.2)
    with scoped(pool, EVERYTHING, "jobs") as conn:
        plan(conn, "test_note", {"word": "begun"}, lock="x")
        conn.execute(
            "SELECT procrastinate_fetch_job_v2('{work}', (SELECT procrastinate_register_worker_v1()))"
        )
        if planned_anew:
            plan(conn, "test_note", {"word": "anew"}, at=datetime.now(UTC) + timedelta(hours=1), lock="x")
    assert ("doing", 0) in rows(clone)
    with working(clone, pool):
        until(lambda: rows(clone) == ([("todo", 0)] if planned_anew else []))
    assert done == ([] if planned_anew else ["begun"])  # the newer one does all that is due then


def test_a_job_that_kills_every_worker_is_left_as_failed(pool: Pool) -> None:
    with scoped(pool, EVERYTHING, "jobs") as conn:
        plan(conn, "test_note", {"word": "poison"})
        for _ in range(queue.MOST_ATTEMPTS + 1):
            conn.execute("SELECT procrastinate_fetch_job_v2('{work}', NULL)")
            assert queue.take_up_again(conn, 10) == 1
        assert queue.figures(conn)[:4] == (0, 0, 0, 1)


def test_the_measures_tell_how_full_and_how_late_it_is(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        plan(conn, "test_note", {"word": "late"}, at=datetime.now(UTC) - timedelta(seconds=90))
        plan(conn, "test_note", {"word": "later"}, at=datetime.now(UTC) + timedelta(days=1))
    values = {
        (family.name, *sample.labels.values()): sample.value
        for family in JobCollector(pool).collect()
        for sample in family.samples
    }
    assert values["wangge_jobs", "waiting"] == 1 and values["wangge_jobs", "planned"] == 1
    assert values["wangge_jobs", "failed"] == values["wangge_jobs", "running"] == 0
    assert 90 <= values["wangge_jobs_late_seconds",] < 120


def test_a_name_belongs_to_one_job(done: list[str]) -> None:
    def other(work: Work) -> None: ...

    other.__module__ = "elsewhere"
    with pytest.raises(ValueError, match="test_note"):
        job("test_note")(other)
