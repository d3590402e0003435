"""Call-backs: who is called, by a sample that nobody can bend, until when, and what of a call in vain."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from geodata.clock.worktime import worktime_of
from geodata.outbox import add_event
from geodata.queries import calendar
from geodata.queries import desks as queries
from geodata.queries.desks import Candidate, Rates
from geodata.scope import Db
from profiles import Profile
from services.access import Viewer
from services.clock.due import due_of
from services.desks.errors import BadDesk, UnknownDesk
from services.desks.limits import Started, ends_of

Outcome = Literal["no_answer", "busy", "wrong_number", "declined"]
FINAL: frozenset[Outcome] = frozenset({"wrong_number", "declined"})  # nobody is tried again after these
State = Literal["late", "now", "later", "given_up"]
STATES: tuple[State, ...] = ("late", "now", "later", "given_up")
REASONS = ("unsatisfied", "supervised", "sample")
MOST = 5000  # tickets on the desk of one scope


class Call(NamedTuple):
    """A ticket on the desk: until when it is to be called, and how that stands."""

    ticket: Candidate
    due: datetime | None
    state: State


class Desk(NamedTuple):
    """All that is on the desk, in the order of what is to be done next, and how many there are of each sort."""

    calls: list[Call]
    states: dict[str, int]
    reasons: dict[str, int]  # without those given up


def draw(ticket_id: int) -> float:
    """Where a ticket falls in the sample, 0 to 1: the same as call_back_draw of the database."""
    digest = hashlib.sha256(f"call back {ticket_id}".encode()).digest()
    return float(int.from_bytes(digest[:6]) / 2**48)


def rates_of(profile: Profile) -> Rates:
    """The shares of call-backs for all channels and subclasses of a place."""
    rows = [
        (channel.code, kind.code, profile.desks.call_back.rate_of(channel.code, kind.code))
        for channel in profile.channels
        for category in profile.categories
        for kind in category.kinds
    ]
    return Rates([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def desk(conn: Db, profile: Profile, now: datetime | None = None) -> Desk:
    """Who is to be called in scope: what is late or due first, then what waits for another try, then what was given up.

    Tickets of the sample, and always those that are supervised or whose reporter was unsatisfied before.
    """
    now = now or datetime.now(UTC)
    calls = _calls(conn, profile, now, _candidates(conn, profile, now, None))
    ranks = {state: number for number, state in enumerate(STATES)}
    far = datetime.max.replace(tzinfo=UTC)
    calls.sort(
        key=lambda one: (
            ranks[one.state],
            one.ticket.again_at if one.state == "later" and one.ticket.again_at else one.due or far,
            REASONS.index(one.ticket.reason),
            one.ticket.id,
        )
    )
    states = Counter[str](one.state for one in calls)
    reasons = Counter(one.ticket.reason for one in calls if one.state != "given_up")
    return Desk(calls, dict(states), dict(reasons))


def one_call(conn: Db, profile: Profile, ticket_id: int, now: datetime | None = None) -> Call | None:
    """The ticket as it stands on the desk; None when it is not to be called (any more)."""
    now = now or datetime.now(UTC)
    found = _calls(conn, profile, now, _candidates(conn, profile, now, ticket_id))
    return found[0] if found else None


def in_vain(
    conn: Db, profile: Profile, actor: Viewer, ticket_id: int, outcome: Outcome, *, again_at: datetime | None = None,
    now: datetime | None = None,
) -> datetime | None:  # fmt: skip
    """Write down that nobody answered; returns when to try again, None when that was the last time.

    Without `again_at` the profile says when. Raises UnknownDesk (not on the desk), BadDesk.
    """
    now = now or datetime.now(UTC)
    call = one_call(conn, profile, ticket_id, now)
    if call is None:
        raise UnknownDesk(f"The ticket {ticket_id} is not to be called back.")
    rules = profile.desks.call_back
    last = now + timedelta(days=rules.within_days)
    if again_at is not None and not now < again_at <= last:
        raise BadDesk("again_at", again_at.isoformat(), f"a moment after now, until {last.isoformat()}")
    if outcome in FINAL or call.ticket.attempts + 1 >= rules.most_attempts:
        again_at = None
    elif again_at is None:
        again_at = due_of(rules.again_after, now, worktime_of(profile, calendar.overrides(conn)))
    queries.add_attempt(
        conn, ticket_id=ticket_id, area_no=call.ticket.area_no, at=now, outcome=outcome, again_at=again_at,
        actor=actor.name,
    )  # fmt: skip
    add_event(conn, "desk", call.ticket.area_no, {"desk": "call_back", "id": ticket_id, "version": 0})
    return again_at


def _candidates(conn: Db, profile: Profile, now: datetime, ticket_id: int | None) -> list[Candidate]:
    oldest = now - timedelta(days=profile.desks.call_back.within_days)
    return queries.candidates(conn, rates_of(profile), oldest, MOST, ticket_id)


def _calls(conn: Db, profile: Profile, now: datetime, found: Sequence[Candidate]) -> list[Call]:
    started = [
        Started(
            profile.limit(
                "call_back",
                category=one.category,
                channel=one.channel,
                severity=one.severity,
                nature=one.nature,
            ),
            one.since,
        )
        for one in found
    ]
    dues = ends_of(started, worktime_of(profile, calendar.overrides(conn)))
    return [Call(one, due, _state(one, due, now)) for one, due in zip(found, dues, strict=True)]


def _state(ticket: Candidate, due: datetime | None, now: datetime) -> State:
    if ticket.attempts and ticket.again_at is None:
        return "given_up"
    if ticket.again_at is not None and ticket.again_at > now:
        return "later"
    return "late" if due is not None and due < now else "now"
