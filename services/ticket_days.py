"""The job that keeps whole days of tickets counted, for the pages that look back over weeks."""

from datetime import UTC, datetime, timedelta

from geodata.queries import ticket_days as queries
from geodata.scope import EVERYTHING, scoped
from services.jobs.registry import Work, job, plan

JOB = "tickets.days"
EVERY = timedelta(minutes=1)


@job(JOB)
def count_days(work: Work, failures: int = 0) -> None:
    """Count days that are over and days that were touched, and come again a minute later."""
    with scoped(work.pool, EVERYTHING, "jobs") as conn:
        queries.count_days(conn)
        plan(conn, JOB, {}, at=datetime.now(UTC) + EVERY, lock=JOB)
