"""The job queue in the database: putting jobs in, taking up those of dead workers, and how full it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from geodata.scope import Db

MOST_ATTEMPTS = 5  # a job whose worker died so often is left as failed


class Planned(NamedTuple):
    """A job that waits: its lock, what it is told, and when it is due (aware)."""

    lock: str
    args: dict[str, Any]
    at: datetime


class Figures(NamedTuple):
    """How full the queue is; late is the age of the oldest due job (seconds)."""

    waiting: int  # due, and not begun
    planned: int  # due later
    running: int
    failed: int
    late_s: float


def plan(
    conn: Db, queue: str, task: str, lock: str | None, args: dict[str, Any], at: datetime | None
) -> None:
    """Put a job into the caller's transaction; due now, or at `at` (aware). One of the same lock moves."""
    conn.execute("SELECT plan_job(%s, %s, %s, %s, %s)", (queue, task, lock, Jsonb(args), at))


def drop(conn: Db, lock: str) -> None:
    """Take the waiting job of a lock out, in the caller's transaction."""
    conn.execute("SELECT drop_job(%s)", (lock,))


def plan_many(conn: Db, queue: str, task: str, jobs: Sequence[Planned]) -> int:
    """Put jobs in with one statement where their locks have none yet; returns how many were put in."""
    row = conn.execute(
        "SELECT plan_jobs(%s, %s, %s, %s, %s)",
        (
            queue,
            task,
            [job.lock for job in jobs],
            [Jsonb(job.args) for job in jobs],
            [job.at for job in jobs],
        ),
    ).fetchone()
    return int(row[0]) if row else 0


def take_up_again(conn: Db, silent_s: float) -> int:
    """Let jobs begin anew whose worker has been silent for so long (or is gone); returns how many.

    One that has been planned anew meanwhile is dropped: the newer one does all that is due. Runs as wangge_jobs.
    """
    gone = """
        job.status = 'doing' AND NOT EXISTS (
            SELECT FROM procrastinate_workers w
            WHERE w.id = job.worker_id AND w.last_heartbeat > now() - make_interval(secs => %(silent_s)s)
        )
    """
    values = {"silent_s": silent_s, "most": MOST_ATTEMPTS}
    with conn.transaction():
        conn.execute(
            f"""
            DELETE FROM procrastinate_jobs job WHERE {gone} AND queueing_lock IS NOT NULL AND EXISTS (
                SELECT FROM procrastinate_jobs next
                WHERE next.queueing_lock = job.queueing_lock AND next.status = 'todo'
            )
            """,  # nosec B608 # our own words
            values,
        )
        return conn.execute(
            f"""
            UPDATE procrastinate_jobs job
            SET status = (CASE WHEN attempts >= %(most)s THEN 'failed' ELSE 'todo' END)::procrastinate_job_status,
                attempts = attempts + 1, worker_id = NULL
            WHERE {gone}
            """,  # nosec B608 # our own words
            values,
        ).rowcount


def figures(conn: Db) -> Figures:
    """How full the queue is. Runs as wangge_jobs."""
    row = conn.execute(
        """
        SELECT count(*) FILTER (WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())),
               count(*) FILTER (WHERE status = 'todo' AND scheduled_at > now()),
               count(*) FILTER (WHERE status = 'doing'),
               count(*) FILTER (WHERE status = 'failed'),
               coalesce(extract(epoch FROM now() - min(scheduled_at) FILTER (
                   WHERE status = 'todo' AND scheduled_at <= now())), 0)::float8
        FROM procrastinate_jobs
        """
    ).fetchone()
    assert row is not None
    return Figures(*row)
