"""What a card and a history show of a ticket's way: its steps with who, when and until when, as JSON values."""

from datetime import datetime
from typing import Any

from geodata.clock.worktime import worktime_of
from geodata.queries import calendar, loop, ticket_events
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services.clock.due import due_of
from services.loop.course import Course, Passage, stages


def shown(conn: Db, profile: Profile, ticket: Ticket, *, people: bool) -> dict[str, Any]:
    """The ticket's track with its steps in order; who did them only with `people`. Times with their UTC offset."""
    patrolled = loop.patrol_before(conn, ticket.area.no, ticket.reported_at, profile.time_zone)
    course = stages(profile, ticket, ticket_events.events_of(conn, ticket.id), patrolled)
    _set_dues(conn, profile, ticket, course)
    status = profile.statuses.get(ticket.status)
    told = profile.loop.catalogue
    return {
        "id": ticket.id,
        "version": ticket.version,
        "status": {
            "code": ticket.status,
            "name": status.name if status else ticket.status,
            "name_en": status.name_en if status else ticket.status,
        },
        "way": _named(course.track),
        "assumed": told.model_dump(include={"name", "name_en"}) if told and told.assumed else None,
        "current": course.current,
        "ended": course.ended,
        "stages": [_step(passage, people) for passage in course.passages],
    }


def words(profile: Profile, ticket: Ticket, commands: list[str]) -> dict[str, dict[str, str]]:
    """What commands are called for that ticket, as far as the place has words of its own."""
    found = {command: profile.loop.word(command, ticket) for command in commands}
    return {command: label.model_dump() for command, label in found.items() if label is not None}


def _step(passage: Passage, people: bool) -> dict[str, Any]:
    stage, done = passage.stage, passage.done
    late = passage.due is not None and done is not None and done.at > passage.due
    told = {
        **_named(stage),
        "standing": passage.standing,
        "who": stage.by and stage.by.model_dump(),
        "at": done and done.at,
        "role": done and done.role,
        "since": passage.since,
        "times": passage.times,
        "due": passage.due,
        "late": late,
    }
    return told | {"by": done and done.actor} if people else told


def _set_dues(conn: Db, profile: Profile, ticket: Ticket, course: Course) -> None:
    """Until when each step that the clock knows is to be done; none where it has not begun or has no limit."""
    own = {"handle": ticket.due_at, "sign": ticket.sign_due, "respond": ticket.respond_due}
    begun: dict[str, datetime | None] = {
        "take_up": ticket.reported_at, "progress": ticket.dispatched_at, "call_back": ticket.handled_at,
    }  # fmt: skip
    worktime = None
    for passage in course.passages:
        step = passage.stage.step
        if step is None:
            continue
        if step in own:
            passage.due = own[step]
            continue
        start = begun[step]
        limit = profile.limit(
            step,
            category=ticket.category,
            channel=ticket.channel,
            severity=ticket.severity,
            nature=ticket.nature,
        )
        if start is not None and limit:
            worktime = worktime or worktime_of(profile, calendar.overrides(conn))
            passage.due = due_of(limit, start, worktime).astimezone(start.tzinfo)


def _named(thing: Any) -> dict[str, str]:
    return {"code": thing.code, "name": thing.name, "name_en": thing.name_en}
