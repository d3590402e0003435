"""The clock of one stored ticket: its course read from its events, worked out and explained for its card."""

from datetime import datetime, timedelta
from typing import Any

from geodata.clock.worktime import worktime_of
from geodata.queries import calendar
from geodata.queries.cards import TicketCard
from geodata.queries.ticket_events import clock_events
from geodata.scope import Db
from profiles import Profile
from services.clock.due import reckon, state_at
from services.clock.escalation import level_of
from services.clock.explain import explain
from services.clock.timeline import Event, Happening, Timeline, timeline_of
from services.tickets.states import VOID

ROUNDED = timedelta(seconds=1)  # what a deadline may be off and still be the one worked out here
# What the commands of a ticket are to its clock.
TOLD: dict[str, Happening] = {
    "suspend": "paused", "resume": "resumed", "transfer": "transferred", "send_back": "returned", "refuse": "returned",
    "recall": "returned",
    "redo": "redone", "reopen": "redone", "dispatch": "dispatched", "whistle": "dispatched",
}  # fmt: skip


def clock_of(conn: Db, profile: Profile, ticket: TicketCard, now: datetime) -> dict[str, Any] | None:
    """What a card shows of the ticket's clock (docs/reference/clock.md); None without a deadline, and when void.

    It holds no words of people. `provisional` until dispatch; `given` when the stored deadline is another than the
    clock's: it holds then, and there are no lines.
    """
    limit = profile.limit(
        "handle",
        category=ticket.category,
        channel=ticket.channel,
        severity=ticket.severity,
        nature=ticket.nature,
    )
    if ticket.due_at is None or ticket.status in VOID:
        return None
    start = ticket.dispatched_at or ticket.reported_at
    events = [Event("dispatched", start)]
    if ticket.dispatched_at is not None:
        events += [event for event in _happened(conn, ticket, now) if event.at > start]
    if ticket.closed_at is not None:
        events.append(Event("closed", ticket.closed_at))
    line = timeline_of(events) or Timeline(start)
    unsigned_until = ticket.signed_at or ticket.closed_at or now
    told: dict[str, Any] = {
        "provisional": ticket.dispatched_at is None,
        "given": False,
        "unsigned_s": None
        if ticket.dispatched_at is None
        else max(round((unsigned_until - ticket.dispatched_at).total_seconds()), 0),
    }
    if not limit:
        return told | _given(ticket.due_at, line, profile, now)
    worktime = worktime_of(profile, calendar.overrides(conn))
    found = reckon(limit, line, worktime, now)
    if not found.lasting and abs(found.due - ticket.due_at) > ROUNDED:
        return told | _given(ticket.due_at, line, profile, now)
    level = level_of(found, worktime)
    named = level and {"code": level.code, "name": level.name, "name_en": level.name_en}
    return told | explain(found, worktime) | {"level": named}


def _happened(conn: Db, ticket: TicketCard, now: datetime) -> list[Event]:
    """What its clock heard of; a pause whose planned end has passed is over, whether or not that was told yet."""
    told = clock_events(conn, ticket.id)
    events = [Event(TOLD[kind], at) for kind, at in told if kind in TOLD]
    if ticket.suspended_until is not None and ticket.suspended_until <= now:
        events.append(Event("resumed", ticket.suspended_until))
    return events


def _given(due: datetime, line: Timeline, profile: Profile, now: datetime) -> dict[str, Any]:
    """A deadline that came with the ticket: how far along it is, without arithmetic."""
    clock = profile.clock
    until = now if line.end is None else min(now, line.end)
    whole = max(due - line.start, ROUNDED)
    warn = line.start + whole * clock.warn_share
    state = state_at(until, warn, due, due + timedelta(minutes=clock.grace_minutes), False, line.end)
    return {
        "given": True,
        "start": round(line.start.timestamp() * 1000),
        "due": round(due.timestamp() * 1000),
        "warn": round(warn.timestamp() * 1000),
        "state": state,
        "share": round(min(max((until - line.start) / whole, 0.0), 1.0), 4),
        "limit": [],
        "hours": clock.hours,
        "lines": [],
        "warnings": [],
        "level": None,
    }
