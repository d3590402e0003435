"""Assignment: one decision of a dispatcher, carried out by the engine's commands in one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime, Field

from geodata.outbox import add_event
from geodata.queries import claims as claimed
from geodata.queries import ticket_events
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services import audit, tickets
from services.access.viewer import Viewer
from services.dispatch import claims
from services.dispatch.errors import TooLate
from services.dispatch.telling import holder_of, last_told
from services.tickets import ORDERS, BadReport, Order, StaleVersion
from services.tickets.orders import UNDO_WITHIN, Code, Party
from services.tickets.place_rules import tier_for
from services.tickets.states import HELD

Via = Literal["dispatch", "whistle", "transfer", "onward"]
Step = Callable[[Ticket, str, Order], Ticket]
ASSIGN = frozenset(
    {"dispatch", "transfer", "whistle"}
)  # the engine's commands that give a ticket to somebody


class Assign(Order):
    """Who gets a ticket, by which way, who helps, and what is said with it."""

    to: Party | None = Field(None, description="Who takes it; the usual department of its category without.")
    joint: list[Party] = Field(default_factory=list, max_length=10, description="Who helps.")
    via: Via = "dispatch"
    onward: Code | None = Field(None, description="Where it is handed on to, via onward: 12345, mediation.")
    tier: int | None = Field(None, ge=1, le=9, description="Of a whistle; the nearest that fits without.")
    due_at: AwareDatetime | None = Field(None, description="A deadline before the clock's own.")


class Assigned(NamedTuple):
    """A ticket after its assignment, and until when it may be taken back; `replayed`: it had been done before."""

    ticket: Ticket
    undo_until: datetime
    replayed: bool = False


def assign(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    ticket_id: int,
    wanted: Assign,
    *,
    key: str | None = None,
) -> Assigned:
    """Give a ticket to somebody: taken up if need be, handed over, the claim given up, in the caller's transaction.

    The version is the one that the dispatcher has seen; with a used `key` nothing is done again. The audit's row is
    the last statement, so commit soon. Raises UnknownTicket, Claimed, TooLate, NotAllowed, NotYours, BadReport.
    """
    if key is not None and ticket_events.hold_key(conn, viewer.name, key) is not None:
        return _again(conn, profile, viewer, ticket_id, wanted, key)

    def step(ticket: Ticket, command: str, order: Order) -> Ticket:
        own = key and (key if command in ASSIGN else f"{key} {command}")
        return tickets.perform(conn, profile, viewer, ticket.id, command, order, key=own).ticket

    ticket, command = _decided(conn, profile, viewer, ticket_id, wanted, step)
    event = ticket_events.last_event(conn, ticket_id)
    assert event is not None
    if claimed.release(conn, ticket_id, viewer.kind, viewer.name):
        add_event(conn, "desk", ticket.area.no, {"desk": "claim", "id": ticket_id})
    write_down(conn, viewer, ticket, command)
    return Assigned(ticket, event.at + UNDO_WITHIN)


def preview(conn: Db, profile: Profile, viewer: Viewer, ticket_id: int, wanted: Assign) -> Ticket:
    """The ticket as the assignment would leave it, deadlines included; nothing is written. Raises as `assign`."""

    def step(ticket: Ticket, command: str, order: Order) -> Ticket:
        return tickets.foresee(conn, profile, viewer, ticket, command, order)

    return _decided(conn, profile, viewer, ticket_id, wanted, step)[0]


def done_before(conn: Db, viewer: Viewer, ticket_id: int, key: str) -> Assigned | None:
    """The assignment of that ticket that this key led to; None when it led to none."""
    event = ticket_events.event_of_key(conn, viewer.name, key)
    if event is None or event.kind not in ASSIGN:
        return None
    return Assigned(tickets.read(conn, ticket_id), event.at + UNDO_WITHIN, replayed=True)


def write_down(conn: Db, viewer: Viewer, ticket: Ticket, command: str) -> None:
    """The audit's row of an assignment, and of what takes one back; the transaction's last statement."""
    holders = {party["kind"]: party["code"] for party in ticket.parties if party["part"] == "lead"}
    detail = {"worker": ticket.worker, "department": ticket.department} | holders | {"command": command}
    audit.record(
        conn, viewer, audit.Action.assignment, object_kind="ticket", object_id=ticket.id, area_no=ticket.area.no,
        detail=detail,
    )  # fmt: skip


@contextmanager
def told_who_was_quicker(
    conn: Db, profile: Profile, viewer: Viewer, ticket_id: int, seen: int
) -> Iterator[None]:
    """Turn the engine's StaleVersion into TooLate: who did what and when, and who has the ticket now."""
    try:
        yield
    except StaleVersion:
        ticket = tickets.read(conn, ticket_id)
        said = last_told(conn, viewer, ticket_events.last_event(conn, ticket_id))
        raise TooLate(ticket, seen, said | {"holder": holder_of(conn, profile, viewer, ticket)}) from None


def _decided(
    conn: Db, profile: Profile, viewer: Viewer, ticket_id: int, wanted: Assign, step: Step
) -> tuple[Ticket, str]:
    """The ticket after the commands of the decision, each done by `step`, and the one that handed it over."""
    claims.require_free(conn, viewer, ticket_id)
    with told_who_was_quicker(conn, profile, viewer, ticket_id, wanted.version):
        ticket, seen = tickets.read(conn, ticket_id), wanted.version
        if ticket.status == "reported" and wanted.via != "transfer":
            ticket = step(ticket, "accept", ORDERS["accept"].model_validate({"version": seen}))
            seen = ticket.version
        command = _command(wanted, ticket)
        return step(ticket, command, _order(conn, profile, viewer, wanted, command, seen)), command


def _again(conn: Db, profile: Profile, viewer: Viewer, ticket_id: int, wanted: Assign, key: str) -> Assigned:
    """What the key led to, if it came with the same decision. Raises BadReport otherwise."""
    event = ticket_events.event_of_key(conn, viewer.name, key)
    if event is None or event.kind not in ASSIGN:
        raise BadReport("key", key, "a new key: this one came with another command")
    order = _order(conn, profile, viewer, wanted, event.kind, wanted.version)
    done = tickets.perform(conn, profile, viewer, ticket_id, event.kind, order, key=key)
    return Assigned(done.ticket, event.at + UNDO_WITHIN, replayed=True)


def _command(wanted: Assign, ticket: Ticket) -> str:
    """The engine's command; handing on what somebody holds is a transfer."""
    if wanted.via == "onward":
        return "transfer" if ticket.status in HELD else "dispatch"
    return wanted.via


def _order(conn: Db, profile: Profile, viewer: Viewer, wanted: Assign, command: str, version: int) -> Order:
    """What that command carries."""
    body: dict[str, Any] = {"version": version, "joint": wanted.joint}
    if command != "dispatch" and not wanted.note:
        raise BadReport("note", wanted.note, f"why: a {command} needs a word")
    if command == "whistle":
        if wanted.to is None:
            raise BadReport("to", None, "whom to call")
        if wanted.due_at is not None:
            raise BadReport(
                "due_at", wanted.due_at.isoformat(), "none: who is called has the clock's own time"
            )
        tier = wanted.tier or tier_for(conn, profile, viewer, wanted.to)
        return ORDERS[command].model_validate(body | {"tier": tier, "lead": wanted.to, "reason": wanted.note})
    body |= {"due_at": wanted.due_at, "note" if command == "dispatch" else "reason": wanted.note}
    return ORDERS[command].model_validate(body | _taker(profile, wanted))


def _taker(profile: Profile, wanted: Assign) -> dict[str, str]:
    """The field that names who takes it."""
    if wanted.via == "onward":
        ways = {row.code: row.department for row in profile.loop.onward}
        if wanted.onward not in ways or wanted.to is not None:
            raise BadReport("onward", wanted.onward, {"one of": list(ways), "and": "no `to` beside it"})
        return {"department": ways[wanted.onward]}
    if wanted.onward is not None:
        raise BadReport("onward", wanted.onward, "none but with `via` onward")
    return {wanted.to.kind: wanted.to.code} if wanted.to else {}
