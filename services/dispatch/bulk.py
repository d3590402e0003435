"""Many tickets at once: seen before it is done, each assigned by itself, and taken back together by the bulk's key."""

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from geodata.queries import ticket_events
from geodata.queries.tickets import Ticket
from geodata.scope import Db, Pool
from profiles import Profile
from services import tickets
from services.access import Viewer, opened
from services.dispatch import candidates
from services.dispatch.assign import ASSIGN, Assign, Assigned, assign, done_before, preview
from services.dispatch.errors import Claimed, NoCandidate, UnknownBulk
from services.dispatch.telling import Told, holder_of
from services.dispatch.undo import undo
from services.tickets.orders import UNDO_WITHIN, Party

MOST = 200
Best = Literal["best"]
REFUSED = (
    tickets.UnknownTicket, tickets.StaleVersion, tickets.NotAllowed, tickets.NotYours, tickets.BadReport, Claimed,
    NoCandidate,
)  # fmt: skip


class Item(NamedTuple):
    """A ticket, the version that the sender has seen, and who is to take it; None: whom the bulk names."""

    id: int
    version: int
    to: Party | Best | None = None


class Outcome(NamedTuple):
    """What became, or would become, of one ticket: it and who has it then, or why not."""

    id: int
    ticket: Ticket | None = None
    to: Told | None = None
    undo_until: datetime | None = None
    error: Exception | None = None


def seen(
    pool: Pool, profile: Profile, viewer: Viewer, items: Sequence[Item], wanted: Assign, to: Party | Best | None
) -> list[Outcome]:  # fmt: skip
    """What the bulk would do, ticket by ticket; nothing is changed.

    Whom the best candidates already get in it counts as their load, as it will when it is done.
    """
    given: Counter[str] = Counter()
    outcomes = []
    with opened(pool, viewer) as (conn, _):
        for item in items:
            try:
                order = _order(conn, profile, item, wanted, to, given)
                ticket = preview(conn, profile, viewer, item.id, order)
            except REFUSED as error:
                outcomes.append(Outcome(item.id, error=error))
                continue
            outcomes.append(Outcome(item.id, ticket, holder_of(conn, profile, viewer, ticket)))
            if ticket.worker:
                given[ticket.worker] += 1
    return outcomes


def give(
    pool: Pool,
    profile: Profile,
    viewer: Viewer,
    items: Sequence[Item],
    wanted: Assign,
    to: Party | Best | None,
    *,
    key: str | None = None,
) -> tuple[str, list[Outcome]]:
    """Assign each ticket in a transaction of its own, in the order given; the bulk's key, and what became of each.

    Those that are refused change nothing and stop nobody. With a used key nothing is done again.
    """
    key = key or secrets.token_urlsafe(12)
    outcomes = []
    for item in items:
        try:
            with opened(pool, viewer) as (conn, _):
                done = _give(conn, profile, viewer, item, wanted, to, f"{key}:{item.id}")
                holder = holder_of(conn, profile, viewer, done.ticket)
        except REFUSED as error:
            outcomes.append(Outcome(item.id, error=error))
        else:
            outcomes.append(Outcome(item.id, done.ticket, holder, done.undo_until))
    return key, outcomes


def take_back(pool: Pool, profile: Profile, viewer: Viewer, key: str) -> list[Outcome]:
    """Undo what a bulk of one's own assigned within the last minute, each ticket by itself.

    What somebody has signed for, or changed since, stays as it is and says so. Raises UnknownBulk.
    """
    since = datetime.now(UTC) - 2 * UNDO_WITHIN  # too late is told of each; long ago is not found
    with opened(pool, viewer) as (conn, _):
        given = ticket_events.events_of_bulk(conn, viewer.name, f"{key}:", since, sorted(ASSIGN))
    if not given:
        raise UnknownBulk("no bulk of yours has that key and was given in the last two minutes")
    outcomes = []
    for ticket_id, version in given:
        try:
            with opened(pool, viewer) as (conn, _):
                ticket = undo(conn, profile, viewer, ticket_id, version, key=f"{key}:{ticket_id} undo")
                holder = holder_of(conn, profile, viewer, ticket)
        except REFUSED as error:
            outcomes.append(Outcome(ticket_id, error=error))
        else:
            outcomes.append(Outcome(ticket_id, ticket, holder))
    return outcomes


def _give(
    conn: Db, profile: Profile, viewer: Viewer, item: Item, wanted: Assign, to: Party | Best | None, key: str
) -> Assigned:  # fmt: skip
    ticket_events.hold_key(conn, viewer.name, key)
    if "best" in (item.to or to,) and (before := done_before(conn, viewer, item.id, key)) is not None:
        return before  # who is best may have changed since
    return assign(conn, profile, viewer, item.id, _order(conn, profile, item, wanted, to), key=key)


def _order(
    conn: Db,
    profile: Profile,
    item: Item,
    wanted: Assign,
    to: Party | Best | None,
    given: Counter[str] | None = None,
) -> Assign:
    """The decision about one of the tickets. Raises UnknownTicket, NoCandidate."""
    taker = item.to or to
    if taker == "best":
        found = candidates.best(conn, profile, item.id, datetime.now(UTC), more=given or {})
        if found is None:
            raise NoCandidate(item.id)
        taker = Party(kind=found.kind, code=found.code)
    return wanted.model_copy(update={"version": item.version, "to": taker})
