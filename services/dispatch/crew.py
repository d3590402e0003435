"""The workers who could be sent somewhere now, and whether one may be given a ticket."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from geodata.queries import dispatch_matter as queries
from geodata.queries.candidates import Near, on_shift
from geodata.scope import Db
from profiles import Profile
from profiles.dispatch import Dispatch
from services.access.roles import RIGHTS, Right

DESKS = [role for role, rights in RIGHTS.items() if Right.TICKETS_DISPATCH in rights and role != "client"]
OK = ""
DAY_S = 86_400


class CrewMember(NamedTuple):
    """A worker as dispatch sees one: degrees (EPSG:4326) and seconds; `load` is tickets in hand."""

    id: int
    code: str
    name: str
    kind: str
    area_no: int
    area: str  # its name, of a candidate
    lon: float | None
    lat: float | None
    position_age_s: int | None
    on_shift: bool
    shift_left_s: int
    shift_from_s: int
    away_until: datetime | None
    load: int
    capacity: int
    skills: tuple[str, ...]
    assigned_today: int

    @property
    def shift_from(self) -> str:
        """When the shift begins, as a clock shows it."""
        return f"{self.shift_from_s // 3600:02}:{self.shift_from_s % 3600 // 60:02}"

    @property
    def on_leave(self) -> bool:
        """Whether the worker is away."""
        return self.away_until is not None


class Wish(NamedTuple):
    """What a matter asks of who takes it: skills that make it one's own, and whether it is one of a trade."""

    skills: frozenset[str]
    of_trade: bool


def crew(conn: Db, profile: Profile, now: datetime) -> list[CrewMember]:
    """All workers in scope that are on shift, not on leave, and whose position is young enough; by id."""
    local = now.astimezone(ZoneInfo(profile.time_zone))
    found = on_shift(conn, now=now, local=local, oldest=oldest(profile, now))
    return [member(profile, one, local) for one in found if one.away_until is None]


def member(profile: Profile, found: Near, local: datetime, *, coming: int = 0) -> CrewMember:
    """The worker found; `coming` are tickets that they are about to get besides those in hand."""
    left_s, age = shift_left_s(found, clock(local)), age_s(found)
    seen = left_s > 0 and age is not None  # a position is of the shift, and of nobody's free time
    return CrewMember(
        found.id, found.code, found.name, found.kind, found.area_no, found.area, found.lon if seen else None,
        found.lat if seen else None, age if seen else None, left_s > 0, left_s, found.shift_from_s, found.away_until,
        found.held + coming, profile.dispatch.capacity_of(found.kind), tuple(found.skills), found.today + coming,
    )  # fmt: skip


def age_s(found: Near) -> int | None:
    """Whole seconds since the latest position; None without any."""
    return None if found.age_s is None else max(0, round(found.age_s))


def clock(local: datetime) -> tuple[int, int]:
    """Second of the day, and day of the week."""
    return local.hour * 3600 + local.minute * 60 + local.second, local.weekday()


def shift_left_s(found: Near, at: tuple[int, int]) -> int:
    """Seconds left of the shift at that `clock`, 0 outside of it; one that passes midnight is of its first day."""
    begins, ends, days = found.shift_from_s, found.shift_to_s, found.shift_days
    time, today = at
    if begins < ends:
        return ends - time if begins <= time < ends and days >> today & 1 else 0
    if time >= begins:
        return DAY_S - time + ends if days >> today & 1 else 0
    return ends - time if time < ends and days >> (today - 1) % 7 & 1 else 0


def fit(profile: Profile, one: CrewMember) -> tuple[bool, str]:
    """Whether a worker may be given anything now: (True, "") or (False, why)."""
    why = unfit(
        profile.dispatch, on_leave=one.on_leave, on_shift=one.on_shift, age_s=one.position_age_s,
        room=one.load < one.capacity,
    )  # fmt: skip
    return not why, why


def unfit(rules: Dispatch, *, on_leave: bool, on_shift: bool, age_s: int | None, room: bool) -> str:
    """Why nothing may be given now: on_leave, off_shift, no_position, position_old, at_limit; empty if it may."""
    if on_leave:
        return "on_leave"
    if not on_shift:
        return "off_shift"
    if age_s is None:
        return "no_position"
    if age_s > rules.oldest_position_s:
        return "position_old"
    return OK if room else "at_limit"


def foreign_or_ok(wanted: Wish, kind: str, skills: Sequence[str]) -> tuple[bool, str]:
    """Whether a matter of that wish may go to such a worker: (True, "") or (False, why)."""
    why = foreign(wanted, kind, skills)
    return not why, why


def foreign(wanted: Wish, kind: str, skills: Sequence[str]) -> str:
    """other_trade, if a matter of that wish is not for a worker of that kind and those skills; else empty."""
    return "other_trade" if kind == "professional" and skills and wanted.skills.isdisjoint(skills) else OK


def wish(profile: Profile, category: str) -> Wish:
    """What a matter asks for: its subclass, its class, the trade of the department that usually has it."""
    kind = profile.kind(category)
    owner = kind.department if kind else None
    return Wish(frozenset(filter(None, (category, category[:2], owner))), owner in profile.dispatch.trades)


def refusals(conn: Db, profile: Profile, tickets: Iterable[int], now: datetime) -> dict[int, set[str]]:
    """Of each of those tickets the codes of workers and departments that refused it lately."""
    since = now - timedelta(hours=profile.dispatch.refused_hours)
    found = queries.refusals(conn, list(tickets), DESKS)
    return {ticket: {code for code, at in who.items() if at > since} for ticket, who in found.items()}


def oldest(profile: Profile, now: datetime) -> datetime:
    """From when on a position is young enough."""
    return now - timedelta(seconds=profile.dispatch.oldest_position_s)
