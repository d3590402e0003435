"""The job that sends what waits for a target, and comes again when the next try is due."""

from geodata.queries import notices as queries
from geodata.scope import EVERYTHING, scoped
from services.jobs.registry import Work, job, plan
from services.notices.sending import Sender
from services.notices.targets import JOB

FOR_S = 60.0  # then others have their turn
KEPT_DAYS = 30  # what was sent or given up


@job(JOB)
def send_notices(work: Work, target: int, failures: int = 0) -> None:
    """Send what is due to a target. Two at once send each notice once, and never a ticket's out of order."""
    with scoped(work.pool, EVERYTHING, "jobs") as conn:
        row = queries.target(conn, target)
        if row is None:
            queries.drop_waiting(conn, target)
            return
        queries.forget(conn, KEPT_DAYS)
    Sender(work.pool, work.profile, work.settings, row).send_due(FOR_S)
    with scoped(work.pool, EVERYTHING, "jobs") as conn:
        due = queries.next_due(conn, target)
        if due is not None:  # a lock of its own: a new event's job must not be moved to a later moment
            plan(conn, JOB, {"target": target}, at=due, lock=f"notices:{target}:again")
