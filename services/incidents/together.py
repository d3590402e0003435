"""What is done with all tickets of an incident at once: each by the engine, each answers for itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from geodata.queries import incidents as queries
from geodata.queries.incidents import Member
from geodata.queries.tickets import Ticket
from geodata.scope import Db, Pool
from profiles import Profile
from services import tickets
from services.access import Viewer, opened
from services.dispatch.assign import Assign, assign
from services.dispatch.errors import Claimed
from services.incidents.keeping import held, tell
from services.tickets import ORDERS
from services.tickets.orders import Party
from services.tickets.states import ENDED, UNASSIGNED

REFUSED = (
    tickets.UnknownTicket, tickets.StaleVersion, tickets.NotAllowed, tickets.NotYours, tickets.BadReport, Claimed,
)  # fmt: skip
Via = Literal["dispatch", "whistle", "transfer"]


class Answer(NamedTuple):
    """What became of one ticket: as it was left, or why it was refused."""

    ticket_id: int
    ticket: Ticket | None
    error: Exception | None


class Handing(NamedTuple):
    """To whom, with whom, in which way, and with which words; `seen` are versions that the sender has seen."""

    to: Party
    joint: Sequence[Party] = ()
    note: str | None = None
    via: Via = "dispatch"
    seen: Mapping[int, int] | None = None  # ticket → version; all open ones, as they are, without


class Closing(NamedTuple):
    """How to end them: the `result` handles those in work first; without it they stay."""

    version: int
    result: str | None = None
    satisfaction: str | None = None


def assign_all(
    pool: Pool, profile: Profile, viewer: Viewer, incident_id: int, wanted: Handing, now: datetime,
    *, key: str | None = None,
) -> list[Answer]:  # fmt: skip
    """Hand the open tickets of an incident to somebody, those that somebody has already only with via `transfer`.

    Each in a transaction of its own. Raises UnknownIncident, IncidentClosed.
    """
    with opened(pool, viewer) as (conn, _):
        held(conn, incident_id, None)
        members = [one for one in queries.members(conn, incident_id) if one.closed_at is None]
    seen = wanted.seen
    chosen = [one for one in members if seen is None or one.id in seen]

    def hand(conn: Db, one: Member) -> Ticket:
        via: Via = "dispatch" if wanted.via == "transfer" and one.status in UNASSIGNED else wanted.via
        order = Assign(
            version=seen[one.id] if seen else one.version, to=wanted.to, joint=list(wanted.joint), via=via,
            note=wanted.note,
        )  # fmt: skip
        return assign(conn, profile, viewer, one.id, order, key=key and f"{key}:{one.id}").ticket

    answers = [_each(pool, viewer, one, hand) for one in chosen]
    done = [one.ticket_id for one in answers if one.ticket is not None]
    with opened(pool, viewer) as (conn, _):
        _note(conn, viewer, incident_id, "assign", {"to": wanted.to.model_dump(), "tickets": done}, now)
    return answers


def close_all(
    pool: Pool, profile: Profile, viewer: Viewer, incident_id: int, wanted: Closing, now: datetime
) -> tuple[list[Answer], list[int]]:
    """End the tickets of an incident as far as their states allow, then the incident once all have ended.

    A handled one is verified where the place asks for it, and closed; one in work is handled with the given result
    first. Others are refused by the engine and stay. Returns the answers and the ids of those still open.
    Raises UnknownIncident, StaleIncident, IncidentClosed.
    """
    with opened(pool, viewer) as (conn, _):
        held(conn, incident_id, wanted.version)
        members = [one for one in queries.members(conn, incident_id) if one.closed_at is None]

    def end(conn: Db, one: Member) -> Ticket:
        ticket = tickets.read(conn, one.id)
        for command, carried in _steps(profile, ticket.status, wanted):
            order = ORDERS[command].model_validate({"version": ticket.version, **carried})
            ticket = tickets.perform(conn, profile, viewer, one.id, command, order).ticket
        return ticket

    answers = [_each(pool, viewer, one, end) for one in members]
    with opened(pool, viewer) as (conn, _):
        incident = held(conn, incident_id, None)
        left = [one.id for one in queries.members(conn, incident_id) if one.status not in ENDED]
        said: dict[str, Any] = {"tickets": [one.ticket_id for one in answers if one.ticket], "left": left}
        if not left:
            queries.end_membership(conn, incident_id)
            closed = incident._replace(closed_at=now, closed_by=viewer.name, version=incident.version + 1)
            queries.update(conn, closed)
        _note(conn, viewer, incident_id, "close", said, now)
    return answers, left


def _steps(profile: Profile, status: str, wanted: Closing) -> list[tuple[str, dict[str, Any]]]:
    """The commands that lead a ticket from that state to its end."""
    close = ("close", {"satisfaction": wanted.satisfaction} if wanted.satisfaction else {})
    verify: list[tuple[str, dict[str, Any]]] = [("verify", {})] if profile.loop.verify else []
    if status in ("signed", "in_progress") and wanted.result:
        start: list[tuple[str, dict[str, Any]]] = [("start", {})] if status == "signed" else []
        return [*start, ("handle", {"result": wanted.result}), *verify, close]
    return [*(verify if status == "handled" else []), close]


def _each(pool: Pool, viewer: Viewer, one: Member, act: Callable[[Db, Member], Ticket]) -> Answer:
    try:
        with opened(pool, viewer) as (conn, _):
            return Answer(one.id, act(conn, one), None)
    except REFUSED as error:
        return Answer(one.id, None, error)


def _note(conn: Db, viewer: Viewer, incident_id: int, kind: str, said: dict[str, Any], now: datetime) -> None:
    found = queries.read(conn, incident_id)
    assert found is not None
    queries.note(conn, (incident_id, found.area_no), kind, viewer.name, said, now)
    tell(conn, found.area_no, incident_id)
