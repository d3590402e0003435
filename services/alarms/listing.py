"""Alarms as somebody may see and acknowledge them: who dispatches all, who supervises those that went up."""

from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from geodata import jobs
from geodata.queries import alarms as queries
from geodata.queries.alarms import Alarm
from geodata.scope import Db
from profiles import Profile
from services.access import Right, Viewer
from services.alarms.raising import tell
from services.cards import UnknownThing
from services.care.errors import NotForThem
from services.dispatch.queue import ms
from services.tickets import number

State = Literal["open", "all"]
SHOWN_HOURS = 24
MOST = 200


class UnknownAlarm(UnknownThing):
    """There is no such alarm, or it lies outside of what the asker may see: the same answer."""


class Alarms(NamedTuple):
    """Rows, how many are open, and how many of these went up."""

    rows: list[Alarm]
    open: int
    escalated: int


def alarms(conn: Db, viewer: Viewer, state: State, now: datetime) -> Alarms:
    """Open ones, or all of the last 24 hours. Raises NotForThem."""
    least = _least_level(viewer)
    if state == "open":
        rows = queries.open_alarms(conn, least, MOST)
    else:
        rows = queries.raised_since(conn, now - timedelta(hours=SHOWN_HOURS), least, MOST)
    return Alarms(rows, *queries.counts(conn, least))


def acknowledge(conn: Db, viewer: Viewer, alarm_id: int, note: str | None, now: datetime) -> Alarm:
    """Acknowledge an alarm by name; it comes back as it is, also when somebody was quicker.

    Raises NotForThem, UnknownAlarm.
    """
    found = queries.one(conn, alarm_id)
    if found is None or found.level < _least_level(viewer):
        raise UnknownAlarm(f"There is no alarm with the id {alarm_id}.")
    area_no = queries.acknowledge(conn, alarm_id, viewer.name, note, now)
    if area_no is not None:
        jobs.drop(conn, f"alarm:{alarm_id}")
        tell(conn, area_no, alarm_id)
    after = queries.one(conn, alarm_id)
    assert after is not None
    return after


def told(profile: Profile, viewer: Viewer, alarm: Alarm) -> dict[str, Any]:
    """An alarm as JSON; words and names for who may read them. Times are milliseconds since 1970."""
    people = viewer.may(Right.PEOPLE)
    notice = profile.alarms.notice(alarm.kind, alarm.severity)
    loud = alarm.level > 0 and notice is not None and notice.sound != "none"
    ticket = None
    if alarm.ticket_id is not None and alarm.reported_at is not None:
        ticket = {
            "id": alarm.ticket_id,
            "number": number(alarm.ticket_id, alarm.reported_at, profile.time_zone),
            "version": alarm.ticket_version,
            "status": alarm.status,
            "category": alarm.category,
            "title": alarm.title if people else None,
            "due_at": ms(alarm.due_at),
            "lon": alarm.lon,
            "lat": alarm.lat,
        }
    return {
        "id": alarm.id,
        "kind": alarm.kind,
        "severity": alarm.severity,
        "sound": "urgent" if loud else notice.sound if notice else "none",
        "level": alarm.level,
        "raised_at": ms(alarm.raised_at),
        "escalates_at": ms(alarm.escalates_at),
        "area_no": alarm.area_no,
        "area": alarm.area,
        "town": alarm.town,
        "ticket": ticket,
        "incident": None if alarm.incident_id is None else {
            "id": alarm.incident_id, "title": alarm.incident if people else None,
        },
        "data": alarm.data,
        "acknowledged_at": ms(alarm.acknowledged_at),
        "by": alarm.acknowledged_by if people else None,
        "by_name": alarm.acknowledged_name if people else None,
        "mine": alarm.acknowledged_by == viewer.name,
        "how": alarm.how,
        "note": alarm.note if people else None,
    }  # fmt: skip


def _least_level(viewer: Viewer) -> int:
    if viewer.may(Right.TICKETS_DISPATCH):
        return 0
    if viewer.may(Right.TICKETS_SUPERVISE):
        return 1
    raise NotForThem("Your role neither dispatches nor supervises tickets.")
