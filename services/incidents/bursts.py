"""Bursts: many like reports within an hour are noticed once, told to the screens, and raise an alarm."""

from datetime import UTC, datetime, timedelta

from geodata.queries import incident_likeness as queries
from geodata.queries.incident_likeness import Burst
from geodata.scope import EVERYTHING, Db, scoped
from profiles import Profile
from services.alarms import raise_alarm
from services.incidents.keeping import common_area, tell
from services.incidents.suggestions import MOST_TICKETS, Group, grouped
from services.jobs.registry import Work, job, plan

JOB = "incidents.bursts"
EVERY = timedelta(seconds=30)


@job(JOB)
def look_for_bursts(work: Work, failures: int = 0) -> None:
    """Look for bursts, and come again half a minute later."""
    with scoped(work.pool, EVERYTHING) as conn:
        notice(conn, work.profile, datetime.now(UTC))
    with scoped(work.pool, EVERYTHING, "jobs") as conn:
        plan(conn, JOB, {}, at=datetime.now(UTC) + EVERY, lock=JOB)


def notice(conn: Db, profile: Profile, now: datetime) -> list[int]:
    """Keep the bursts that nobody noticed yet and let known ones grow; ids of the new ones.

    In the caller's transaction, which sees the whole place; done twice it notices nothing more.
    """
    queries.hold_bursts(conn)
    since = now - timedelta(minutes=profile.incidents.burst_minutes)
    known = queries.bursts(conn, since - timedelta(minutes=profile.incidents.burst_minutes))
    noticed = []
    for group in grouped(profile, queries.recent(conn, since, MOST_TICKETS)):
        burst = next((one for one in known if set(one.tickets) & set(group.ids)), None)
        if burst is not None:
            _grow(conn, burst, group)
        elif len(group.tickets) >= profile.incidents.burst:
            noticed.append(_begin(conn, profile, group, now))
    return noticed


def _begin(conn: Db, profile: Profile, group: Group, now: datetime) -> int:
    area_no = common_area([one.area_no for one in group.tickets])
    burst = queries.add_burst(conn, area_no, now, group.tickets[-1].reported_at, group.category, group.ids)
    tell(conn, area_no, f"burst-{burst}")
    minutes = round((group.tickets[-1].reported_at - group.tickets[0].reported_at).total_seconds() / 60)
    told = {"burst": burst, "tickets": len(group.tickets), "minutes": minutes, "category": group.category}
    raise_alarm(conn, profile, area_no, "burst", data=told, key=f"burst:{burst}", now=now)
    return burst


def _grow(conn: Db, burst: Burst, group: Group) -> None:
    more = sorted(set(burst.tickets) | set(group.ids))
    if more == sorted(burst.tickets):
        return
    area_no = common_area([burst.area_no, *(one.area_no for one in group.tickets)])
    queries.grow_burst(conn, burst.id, area_no, max(burst.last_at, group.tickets[-1].reported_at), more)
    tell(conn, area_no, f"burst-{burst.id}")
