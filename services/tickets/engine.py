"""Carrying out a command: checked against table, version and rights; one transaction of row and event."""

import hashlib
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from geodata.queries import ticket_events
from geodata.queries import tickets as queries
from geodata.queries.ticket_events import TicketEvent
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services import pictures
from services.access.viewer import Viewer
from services.tickets import merging, moments, place_rules
from services.tickets.case import Case
from services.tickets.effects import EFFECTS
from services.tickets.errors import BadReport, NotAllowed, NotYours, StaleVersion, UnknownTicket
from services.tickets.fold import changes, state_of
from services.tickets.orders import ORDERS, UNDO_WITHIN, Order
from services.tickets.record import Said, record
from services.tickets.states import BACK, STAY, TRANSITIONS, WAITING, commands_from

NOT_DATA = frozenset({"version", "note"})


class Done(NamedTuple):
    """The ticket after a command; `replayed` when its key had been used, and nothing was done now."""

    ticket: Ticket
    replayed: bool = False


class Allowed(NamedTuple):
    """A command that a viewer may give now, and the fields that it must carry here."""

    command: str
    needs: tuple[str, ...]


def perform(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    ticket_id: int,
    command: str,
    order: Order,
    *,
    key: str | None = None,
    source: str | None = None,
    now: datetime | None = None,
) -> Done:
    """Carry a command out: row, event and outbox row in the caller's transaction.

    `key` is the sender's idempotency key: the same command with a used one does nothing and answers the ticket as it
    is. Raises UnknownTicket, StaleVersion, NotAllowed, NotYours, BadReport.
    """
    _require_right(viewer, command)
    digest = _digest(ticket_id, command, order)
    if key is not None and (known := ticket_events.hold_key(conn, viewer.name, key)) is not None:
        if known.digest != digest:
            raise BadReport("key", key, "a new key: this one came with another command")
        return Done(read(conn, known.ticket_id), replayed=True)
    merging.hold(conn, command)
    before = queries.read_ticket(conn, ticket_id, lock=True)
    if before is None:
        raise UnknownTicket(f"no ticket with the id {ticket_id}")
    case = _case(conn, profile, viewer, before, command, order, now)
    said = Said(order.note, _data(order), key, digest, source)
    if command == "undo":
        return Done(_undo(case, said))
    after = _after(case, command, order)
    pictures.claim(conn, after, getattr(order, "pictures", ()))
    _write(case, after, command, said)
    merging.cascade(case, after, said)
    return Done(after)


def foresee(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    before: Ticket,
    command: str,
    order: Order,
    *,
    now: datetime | None = None,
) -> Ticket:
    """The ticket as the command would leave it, checked as `perform` does; nothing is written and nobody waits.

    For commands that take nothing but the ticket: no number of the register, no undo. Raises as `perform`.
    """
    _require_right(viewer, command)
    return _after(_case(conn, profile, viewer, before, command, order, now), command, order)


def allowed(
    profile: Profile, viewer: Viewer, ticket: Ticket, last: TicketEvent | None = None
) -> list[Allowed]:
    """What the viewer may do with the ticket as it is; `last` is its last event that stands, for undo."""
    found = []
    for command in commands_from(ticket.status):
        transition = TRANSITIONS[command]
        if transition.right is None or not viewer.may(transition.right):
            continue
        if command == "close" and profile.loop.verify and ticket.status == "handled":
            continue
        if not place_rules.is_open(profile, viewer, ticket, command):
            continue
        if command == "undo" and _why_not(viewer, last, datetime.now(UTC)):
            continue
        if command in ("respond", "refuse") and not _is_awaited(ticket):
            continue
        if command == "register" and ticket.registered_no is not None:
            continue
        if command == "node_done" and all(node.get("done_at") for node in ticket.nodes):
            continue
        found.append(Allowed(command, needs(profile, command)))
    return found


def needs(profile: Profile, command: str) -> tuple[str, ...]:
    """The fields that a command must carry in this place, besides the version."""
    fields = ORDERS[command].model_fields
    must = [name for name, field in fields.items() if field.is_required() and name != "version"]
    return (*must, *(name for name in profile.loop.needs.get(command, ()) if name not in must))


def read(conn: Db, ticket_id: int) -> Ticket:
    """The ticket with that id; raises UnknownTicket."""
    ticket = queries.read_ticket(conn, ticket_id)
    if ticket is None:
        raise UnknownTicket(f"no ticket with the id {ticket_id}")
    return ticket


def _require_right(viewer: Viewer, command: str) -> None:
    right = TRANSITIONS[command].right
    if viewer.kind != "system" and (right is None or not viewer.may(right)):
        raise NotYours(f"Your role may not give the command {command}.")


def _case(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    before: Ticket,
    command: str,
    order: Order,
    now: datetime | None,
) -> Case:
    """What the command works on, if version, state and the place's own rules let it."""
    if before.version != order.version:
        raise StaleVersion(before, order.version, _last(conn, before.id))
    if before.status not in TRANSITIONS[command].before:
        raise NotAllowed(command, before.status, commands_from(before.status))
    for field in profile.loop.needs.get(command, ()):
        if not getattr(order, field, None):
            raise BadReport(field, None, "given: here this command must carry it")
    place_rules.require(profile, viewer, before, command, order)
    now = max(now or datetime.now(UTC), before.reported_at)
    if command == "resume" and before.suspended_until is not None:
        now = min(now, before.suspended_until)  # a pause is over when it was to be, whoever says so later
    return Case(conn, profile, viewer, before, now)


def _after(case: Case, command: str, order: Order) -> Ticket:
    return _moved(case.ticket, EFFECTS[command](case, order), TRANSITIONS[command].after)


def _is_awaited(ticket: Ticket) -> bool:
    """Whether somebody was whistled for and has not answered yet."""
    return any(
        party.get("tier") and not party.get("responded_at") and not party.get("refused_at")
        for party in ticket.parties
    )


def _moved(before: Ticket, changed: Ticket, after: str) -> Ticket:
    """The ticket with its next version and state: the table's, unless the effect chose one."""
    status, resume = changed.status, changed.resume_status
    if changed.status == before.status and after == BACK:
        status = before.resume_status or before.status
    elif changed.status == before.status and after != STAY:
        status = after
    return changed._replace(
        status=status, resume_status=resume if status in WAITING else None, version=before.version + 1
    )


def _write(case: Case, after: Ticket, command: str, said: Said) -> None:
    was = state_of(case.ticket)
    changed = changes(was, state_of(after))
    queries.update_ticket(case.conn, after, changed[1])
    record(case.conn, case.profile, case.viewer, after, command, case.now, changed, case.ticket.status, said)
    moments.plan(case.conn, case.profile, after, case.now)


def _undo(case: Case, said: Said) -> Ticket:
    """Put the fields that the last command that stands changed back to what they were."""
    last = ticket_events.standing_event(case.conn, case.ticket.id)
    why = _why_not(case.viewer, last, case.now)
    if why or last is None or last.before is None:
        raise NotAllowed("undo", case.ticket.status, [], why)
    ticket = case.ticket._replace(version=case.ticket.version + 1)
    queries.update_ticket(case.conn, ticket, last.before)
    restored = read(case.conn, ticket.id)
    changed = changes(state_of(case.ticket), state_of(restored))
    record(
        case.conn, case.profile, case.viewer, restored, "undo", case.now, changed, case.ticket.status,
        said._replace(undoes=last.id),
    )  # fmt: skip
    merging.cascade(case, restored, said)
    moments.plan(case.conn, case.profile, restored, case.now)
    return restored


def _why_not(viewer: Viewer, last: TicketEvent | None, now: datetime) -> str:
    """Why the viewer cannot take the last command back; empty when they can."""
    row = last and TRANSITIONS.get(last.kind)
    if not last or not row or not row.undoable or last.before is None:
        return "the last thing that happened cannot be taken back"
    if last.actor != viewer.name:
        return "somebody else gave the last command"
    if now - last.at > UNDO_WITHIN:
        return f"a command can be taken back within {UNDO_WITHIN.total_seconds():.0f} s"
    return ""


def _last(conn: Db, ticket_id: int) -> str:
    """Who changed it last, how and when, for whoever came too late."""
    event = ticket_events.last_event(conn, ticket_id)
    return f"{event.kind} by {event.actor} at {event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if event else ""


def _data(order: Order) -> dict[str, Any] | None:
    data = order.model_dump(mode="json", exclude=set(NOT_DATA), exclude_none=True, exclude_defaults=True)
    return data or None


def _digest(ticket_id: int, command: str, order: Order) -> bytes:
    body = [ticket_id, command, order.model_dump(mode="json", exclude={"version"})]
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
