"""The job that deletes pictures that no command tied to a ticket."""

from datetime import UTC, datetime

from geodata.queries import pictures as queries
from geodata.scope import EVERYTHING, scoped
from services.jobs.registry import Work, job
from services.pictures.keeping import FORGET, UNTIED_KEPT, forget, plan_to_forget
from services.pictures.store import Store


@job(FORGET)
def forget_pictures(work: Work, failures: int = 0) -> None:
    """Delete those whose day is over, and come again when the next one's is."""
    with work.pool.connection() as conn:
        forget(conn, Store(work.settings), datetime.now(UTC))
    with scoped(work.pool, EVERYTHING, "jobs") as conn:
        oldest = queries.oldest_untied(conn)
        if oldest is not None:
            plan_to_forget(conn, oldest + UNTIED_KEPT)
