"""The workers who could be sent somewhere now, and whether one may be given a ticket."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from geodata.queries import candidates as queries
from geodata.queries.candidates import Near
from geodata.scope import Db
from profiles import Profile
from services.access.roles import RIGHTS, Right

DESKS = [role for role, rights in RIGHTS.items() if Right.TICKETS_DISPATCH in rights and role != "client"]
OK = ""


class CrewMember(NamedTuple):
    """A worker as dispatch sees one: degrees (EPSG:4326) and seconds; `load` is tickets in hand."""

    id: int
    code: str
    name: str
    kind: str
    area_no: int
    area: str
    lon: float | None
    lat: float | None
    position_age_s: int | None
    on_shift: bool
    shift_left_s: int
    shift_from: str
    away_until: datetime | None
    load: int
    capacity: int
    skills: tuple[str, ...]
    assigned_today: int

    @property
    def on_leave(self) -> bool:
        """Whether the worker is away."""
        return self.away_until is not None


class Matter(Protocol):
    """What a ticket is about."""

    @property
    def category(self) -> str:
        """Code of its subclass."""


def crew(conn: Db, profile: Profile, now: datetime) -> list[CrewMember]:
    """All workers in scope that are on shift, not on leave, and whose position is young enough; by id."""
    local = now.astimezone(ZoneInfo(profile.time_zone))
    found = queries.on_shift(conn, now=now, local=local, oldest=oldest(profile, now))
    hands = queries.in_hands(conn, None, midnight(local))
    here = [one for one in found if one.away_until is None]
    return [member(profile, one, hands.get(one.id, (0, 0)), now) for one in here]


def member(profile: Profile, found: Near, hands: tuple[int, int], now: datetime) -> CrewMember:
    """The worker found, with the tickets in hand and those handed over today."""
    on_shift = found.shift_left_s is not None
    age = None if found.at is None else max(0, round((now - found.at).total_seconds()))
    seen = on_shift and age is not None  # a position is of the shift, and of nobody's free time
    return CrewMember(
        found.id, found.code, found.name, found.kind, found.area_no, found.area,
        found.lon if seen else None, found.lat if seen else None, age if seen else None,
        on_shift, round(found.shift_left_s or 0), found.shift_from, found.away_until,
        hands[0], profile.dispatch.capacity_of(found.kind), tuple(found.skills), hands[1],
    )  # fmt: skip


def suits(profile: Profile, ticket: Matter, one: CrewMember) -> tuple[bool, str]:
    """Whether a worker may be given a ticket: (True, "") or (False, why); who refused it is not looked at here."""
    able, why = fit(profile, one)
    return (able, why) if not able else of_trade(profile, ticket.category, one.kind, one.skills)


def fit(profile: Profile, one: CrewMember) -> tuple[bool, str]:
    """Whether a worker may be given anything now: off_shift, on_leave, no_position, position_old, at_limit."""
    rules = profile.dispatch
    if one.on_leave:
        return False, "on_leave"
    if not one.on_shift:
        return False, "off_shift"
    if one.position_age_s is None:
        return False, "no_position"
    if one.position_age_s > rules.oldest_position_s:
        return False, "position_old"
    return (False, "at_limit") if one.load >= one.capacity else (True, OK)


def of_trade(profile: Profile, category: str, kind: str, skills: Sequence[str]) -> tuple[bool, str]:
    """Whether a matter may go to a worker of that kind and those skills: a professional takes the own trade alone."""
    foreign = kind == "professional" and bool(skills) and trade(profile, category, skills) is None
    return (False, "other_trade") if foreign else (True, OK)


def trade(profile: Profile, category: str, skills: Sequence[str]) -> str | None:
    """The skill that makes a matter the worker's own; None without one."""
    return next((skill for skill in wanted_skills(profile, category) if skill in skills), None)


def wanted_skills(profile: Profile, category: str) -> list[str]:
    """Skills that a matter may ask for: its subclass, its class, the trade of the department that usually has it."""
    kind = profile.kind(category)
    return [category, category[:2], *([kind.department] if kind and kind.department else [])]


def wants_trade(profile: Profile, category: str) -> bool:
    """Whether a matter is one of a trade that has professional workers."""
    kind = profile.kind(category)
    return kind is not None and kind.department in profile.dispatch.trades


def refusals(conn: Db, profile: Profile, tickets: Iterable[int], now: datetime) -> dict[int, set[str]]:
    """Of each of those tickets the codes of workers and departments that refused it lately."""
    since = now - timedelta(hours=profile.dispatch.refused_hours)
    found = queries.refusals(conn, list(tickets), DESKS)
    return {ticket: {code for code, at in who.items() if at > since} for ticket, who in found.items()}


def oldest(profile: Profile, now: datetime) -> datetime:
    """From when on a position is young enough."""
    return now - timedelta(seconds=profile.dispatch.oldest_position_s)


def midnight(local: datetime) -> datetime:
    """The begin of that local day."""
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
