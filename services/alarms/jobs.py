"""The job that lets an alarm go one level up when nobody acknowledged it in time."""

from datetime import UTC, datetime, timedelta

from geodata.queries import alarms as queries
from geodata.scope import EVERYTHING, Db, scoped
from profiles import Profile
from services.alarms.raising import JOB, plan, tell
from services.jobs.registry import Work, job


@job(JOB, queue="moments")
def alarm_escalation(work: Work, alarm: int, failures: int = 0) -> None:
    """Let it go up if it is still open; done twice it goes up once."""
    with scoped(work.pool, EVERYTHING) as conn:
        escalate(conn, work.profile, alarm, datetime.now(UTC))


def escalate(conn: Db, profile: Profile, alarm: int, now: datetime) -> int | None:
    """Let an open alarm go up if its moment has come, and plan the next; its level then, None when it is over."""
    held = queries.hold(conn, alarm)
    if held is None:
        return None
    if held.escalates_at is None:
        return held.level
    if held.escalates_at > now:
        plan(conn, alarm, held.escalates_at)
        return held.level
    notice = profile.alarms.notice(held.kind, held.severity)
    level = held.level + 1
    further = notice is not None and level < notice.levels
    again = now + timedelta(minutes=notice.acknowledge_minutes) if notice and further else None
    queries.raise_level(conn, alarm, level, again)
    if again is not None:
        plan(conn, alarm, again)
    tell(conn, held.area_no, alarm)
    return level
