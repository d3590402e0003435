"""The jobs of tickets' clocks: telling a moment that came, and finding tickets that have no job."""

from datetime import datetime

from geodata import jobs as queue
from geodata.clock.worktime import worktime_of
from geodata.queries import calendar
from geodata.queries import moments as queries
from geodata.queries.moments import Clocked
from geodata.scope import EVERYTHING, Db, scoped
from profiles import Profile
from services.access.viewer import SYSTEM
from services.jobs.registry import Work, job
from services.tickets import moments
from services.tickets.engine import perform
from services.tickets.moments import JOB, QUEUE, Coming, lock_of, moments_of
from services.tickets.orders import ORDERS, Order

AT_ONCE = 2_000  # tickets that are planned in one transaction


@job(JOB, queue="moments")
def tell_moment(work: Work, ticket: int, failures: int = 0) -> None:
    """Tell what has come for a ticket; done twice it tells nothing more."""
    with scoped(work.pool, EVERYTHING) as conn:
        tell_due(conn, work.profile, ticket)


@job(queue.SWEEP)
def sweep_tickets(work: Work, failures: int = 0) -> None:
    """Give open tickets their job that have none: imported and generated ones, and whatever was lost."""
    after: int | None = 0
    while after is not None:
        with scoped(work.pool, EVERYTHING, "jobs") as conn:
            after = plan_unplanned(conn, work.profile, after)


def tell_due(conn: Db, profile: Profile, ticket_id: int, now: datetime | None = None) -> list[Coming]:
    """Give the commands of all moments of a ticket that have come, in order, and plan its next; returns them.

    `now` is the database's clock by default, by which jobs are due. In the caller's transaction; the ticket stays held
    until its end, so two workers tell one after the other, and the second finds nothing left.
    """
    now = now or queries.database_time(conn)
    told: list[Coming] = []
    while (ticket := queries.hold(conn, ticket_id)) is not None:
        coming = _waiting(conn, profile, ticket, now)
        if not coming or coming[0].at > now:
            moments.plan(conn, profile, ticket, now)
            break
        done = perform(
            conn, profile, SYSTEM, ticket_id, *_order(coming[0], ticket),
            key=f"{ticket_id}:{coming[0].key}", source="job", now=now,
        )  # fmt: skip
        if done.replayed:
            raise RuntimeError(f"ticket {ticket_id} was told of {coming[0].key} and does not show it")
        told.append(coming[0])
    return told


def plan_unplanned(conn: Db, profile: Profile, after: int = 0, most: int = AT_ONCE) -> int | None:
    """Give the next open tickets above that id their job that have none, with one statement; the last id looked at.

    None when there are no more. Runs as wangge_jobs.
    """
    tickets = queries.unplanned(conn, after, most)
    if not tickets:
        return None
    now = queries.database_time(conn)
    worktime = worktime_of(profile, calendar.overrides(conn))
    past: dict[int, list[queries.Happened]] = {}
    for event in queries.happened(conn, [ticket.id for ticket in tickets if ticket.version > 1]):
        past.setdefault(event.ticket_id, []).append(event)
    planned = []
    for ticket in tickets:
        coming = moments_of(profile, worktime, ticket, past.get(ticket.id, []), now)
        if coming:
            planned.append(queue.Planned(lock_of(ticket.id), {"ticket": ticket.id}, coming[0].at))
    queue.plan_many(conn, QUEUE, JOB, planned)
    return tickets[-1].id


def _waiting(conn: Db, profile: Profile, ticket: Clocked, now: datetime) -> list[Coming]:
    past = queries.happened(conn, [ticket.id])
    return moments_of(profile, worktime_of(profile, calendar.overrides(conn)), ticket, past, now)


def _order(coming: Coming, ticket: Clocked) -> tuple[str, Order]:
    if coming.moment in ("resume", "archive"):
        return coming.moment, ORDERS[coming.moment].model_validate({"version": ticket.version})
    body = {
        "version": ticket.version,
        "moment": coming.moment,
        "at": coming.at,
        "level": coming.level or None,
    }
    return "tick", ORDERS["tick"].model_validate(body)
