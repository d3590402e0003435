"""Raising an alarm: once for what it is about, with the moment at which it goes up if nobody acknowledges it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from geodata import jobs
from geodata.outbox import add_event
from geodata.queries import alarms as queries
from geodata.queries.alarms import NewAlarm
from geodata.scope import Db
from profiles import Profile
from profiles.alarms import AlarmKind

DESK = "alarm"  # its name in the live stream
JOB, QUEUE = "alarm_escalation", "moments"


def raise_alarm(
    conn: Db,
    profile: Profile,
    area_no: int,
    kind: AlarmKind,
    *,
    ticket_id: int | None = None,
    incident_id: int | None = None,
    severity: str | None = None,
    data: dict[str, Any] | None = None,
    key: str | None = None,
    now: datetime | None = None,
) -> int | None:
    """Raise an alarm in the caller's transaction and return its id; `data` holds figures, no words of people.

    None when the place gives none of that kind and severity, or while one of its key is open (without a key: of that
    kind about that ticket or incident).
    """
    notice = profile.alarms.notice(kind, severity)
    if notice is None:
        return None
    now = now or datetime.now(UTC)
    about = f"ticket:{ticket_id}" if ticket_id is not None else f"incident:{incident_id}"
    goes_up = now + timedelta(minutes=notice.acknowledge_minutes) if notice.levels else None
    alarm = queries.add(
        conn,
        NewAlarm(
            area_no,
            kind,
            severity,
            ticket_id,
            incident_id,
            data or {},
            key or f"{kind}:{about}",
            now,
            goes_up,
        ),
    )
    if alarm is None:
        return None
    if goes_up is not None:
        plan(conn, alarm, goes_up)
    tell(conn, area_no, alarm)
    return alarm


def plan(conn: Db, alarm: int, at: datetime) -> None:
    """Let the job come that lets it go up."""
    jobs.plan(conn, QUEUE, JOB, f"alarm:{alarm}", {"alarm": alarm}, at)


def tell(conn: Db, area_no: int, alarm: int) -> None:
    """Tell the screens that it changed."""
    add_event(conn, "desk", area_no, {"desk": DESK, "id": alarm})
