"""Rounds: what every area of a level checks or reports in each period, which are missing, and making one."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from geodata.queries import rounds as queries
from geodata.queries.rounds import Made, RoundRow
from geodata.scope import Db
from profiles import Profile
from profiles.loop import Round
from profiles.periods import Period, due_of, period_of
from services.access.viewer import Viewer

OLDEST = timedelta(days=62)  # a round of an older period is not made up any more
SHOWN = timedelta(days=3660)  # so far to both sides rounds are looked up
State = Literal["done", "done_late", "missing", "waiting"]


class BadRound(ValueError):
    """A round that cannot be made so; `details` say which field, and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable: {given}")
        self.details = [{"field": field, "given": str(given), "expected": expected}]


class MadeAlready(Exception):
    """The area has made this round of this period."""


class NewRound(BaseModel):
    """A round that somebody has made."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    kind: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="Code of a round of the place: daily, weekly, monthly."
    )
    area: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="Code of the area, of the level that makes it."
    )
    on: date | None = Field(None, description="A local day of its period; today without it.")
    words: str | None = Field(None, max_length=2000, description="What was seen, or is to be done.")


@dataclass(frozen=True, slots=True)
class Lower:
    """The rounds of the next narrower kind in an area: made, of so many owed until now."""

    kind: str
    made: int
    owed: int


@dataclass(frozen=True, slots=True)
class Line:
    """An area with its round of the period."""

    row: RoundRow
    state: State
    lower: Lower | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """All rounds of one kind and period in a scope."""

    kind: Round
    period: Period
    due: datetime
    lines: list[Line]

    def count(self, *states: State) -> int:
        """How many of its areas stand in one of those states."""
        return sum(line.state in states for line in self.lines)


def kind_of(profile: Profile, code: str) -> Round:
    """The place's round with that code; BadRound when it has none."""
    found = next((kind for kind in profile.loop.rounds if kind.code == code), None)
    if found is None:
        codes = [kind.code for kind in profile.loop.rounds]
        raise BadRound("kind", code, codes or "this place has no rounds")
    return found


def sheet(
    conn: Db, profile: Profile, code: str, on: date | None = None, *, now: datetime | None = None
) -> Sheet:
    """The rounds of a kind for the period that a local day lies in (today without one), areas of the scope by number.

    Raises BadRound.
    """
    now = now or datetime.now(UTC)
    kind = kind_of(profile, code)
    today = _today(profile, now)
    day = on or today
    if not today - SHOWN <= day <= today + SHOWN:
        raise BadRound("on", day, f"{today - SHOWN} … {today + SHOWN}")
    period = period_of(kind.every, day)
    due = due_of(kind, period, profile.time_zone)
    rows = _rows(conn, profile, kind, period, now)
    lower = _lower(conn, profile, kind, period, now)
    lines = [Line(row, _state(row, due, now), lower.get(row.area_no) if lower else None) for row in rows]
    return Sheet(kind, period, due, lines)


def make(conn: Db, profile: Profile, viewer: Viewer, new: NewRound, *, now: datetime | None = None) -> Line:
    """Enter that an area has made its round, with the figures of its period as they stand now.

    Raises BadRound, MadeAlready.
    """
    now = now or datetime.now(UTC)
    kind = kind_of(profile, new.kind)
    today = _today(profile, now)
    day = new.on or today
    if not today - OLDEST <= day <= today:
        raise BadRound("on", day, f"{today - OLDEST} … {today}")
    place = queries.place(conn, new.area)
    if place is None or place.level != kind.level:
        raise BadRound("area", new.area, f"the code of an area of the level {kind.level} that you may see")
    period = period_of(kind.every, day)
    row = _rows(conn, profile, kind, period, now, place.no)[0]
    lower = (_lower(conn, profile, kind, period, now) or {}).get(place.no)
    figures: dict[str, Any] = {name: getattr(row, name) for name in FIGURES}
    if lower is not None:
        figures |= {"lower": lower.kind, "made": lower.made, "owed": lower.owed}
    due = due_of(kind, period, profile.time_zone)
    made = Made(place.no, kind.code, *period, due, now, viewer.name, new.words, figures)
    if not queries.enter(conn, made):
        raise MadeAlready(f"{place.name} has made this round already")
    row = row._replace(done_at=now, done_by=viewer.name, words=new.words, figures=figures)
    return Line(row, _state(row, due, now), lower)


FIGURES = ("found", "closed", "open", "overdue", "patrols")


def _rows(
    conn: Db, profile: Profile, kind: Round, period: Period, now: datetime, area_no: int | None = None
) -> list[RoundRow]:
    return queries.rounds(
        conn, kind=kind.code, level=kind.level, days=period, span=period.moments(profile.time_zone),
        channels=kind.channels, now=now, area_no=area_no,
    )  # fmt: skip


def _lower(conn: Db, profile: Profile, kind: Round, period: Period, now: datetime) -> dict[int, Lower] | None:
    """The rounds of the kind before this one in the profile, by area; None when there is none."""
    at = profile.loop.rounds.index(kind)
    if at == 0:
        return None
    narrower = profile.loop.rounds[at - 1]
    until = min(period.last, _today(profile, now))
    firsts: set[date] = set()
    day = period.first
    while day <= until:
        first = period_of(narrower.every, day).first
        if first >= period.first:
            firsts.add(first)
        day += timedelta(days=1)
    made = queries.made(conn, narrower.code, (period.first, until), kind.level)
    owed = queries.owed(conn, narrower.level, kind.level)
    return {no: Lower(narrower.code, made.get(no, 0), count * len(firsts)) for no, count in owed.items()}


def _state(row: RoundRow, due: datetime, now: datetime) -> State:
    if row.done_at is not None:
        return "done" if row.done_at <= due else "done_late"
    return "missing" if now > due else "waiting"


def _today(profile: Profile, now: datetime) -> date:
    return now.astimezone(ZoneInfo(profile.time_zone)).date()
