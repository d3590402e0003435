"""The job queue in the database: putting jobs in, taking up those of dead workers, and how full it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from geodata.scope import Db

SWEEP = "sweep_tickets"  # name and lock of the job that gives open tickets their job
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
    values = {"silent_s": silent_s, "most": MOST_ATTEMPTS}
    with conn.transaction():
        stale = [row[0] for row in conn.execute(_STALE, values)]
        if not stale:
            return 0
        conn.execute(
            """
            DELETE FROM procrastinate_jobs job WHERE id = ANY (%s) AND status = 'doing' AND EXISTS (
                SELECT FROM procrastinate_jobs next
                WHERE next.queueing_lock = job.queueing_lock AND next.status = 'todo'
            )
            """,
            (stale,),
        )
        return conn.execute(
            """
            UPDATE procrastinate_jobs
            SET status = (CASE WHEN attempts >= %(most)s THEN 'failed' ELSE 'todo' END)::procrastinate_job_status,
                attempts = attempts + 1, worker_id = NULL
            WHERE id = ANY (%(stale)s) AND status = 'doing'
            """,
            values | {"stale": stale},
        ).rowcount


def figures(conn: Db) -> Figures:
    """How full the queue is. Runs as wangge_jobs."""
    row = conn.execute(
        """
        SELECT count(*) FILTER (WHERE scheduled_at <= now()), count(*) FILTER (WHERE scheduled_at > now()),
               (SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'),
               (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'),
               coalesce(extract(epoch FROM now() - min(scheduled_at) FILTER (WHERE scheduled_at <= now())), 0)::float8
        FROM procrastinate_jobs WHERE status = 'todo'
        """
    ).fetchone()
    assert row is not None
    return Figures(*row)


_STALE = """
    SELECT id FROM procrastinate_jobs job
    WHERE status = 'doing' AND status IN ('doing', 'failed') AND NOT EXISTS (
        SELECT FROM procrastinate_workers w
        WHERE w.id = job.worker_id AND w.last_heartbeat > now() - make_interval(secs => %(silent_s)s)
    )
    FOR UPDATE SKIP LOCKED
"""  # the second test of the state names the index
