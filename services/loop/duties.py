"""The responsibility list and the task list of each grid: what is on them, what of it is done in the current period."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from geodata.queries import duties as queries
from geodata.queries.duties import DoneRow, GridRow
from geodata.queries.rounds import Place, place
from geodata.scope import Db
from profiles import Profile
from profiles.loop import Every
from profiles.periods import Period, period_of
from services.access.viewer import Viewer

Kind = Literal["responsibility", "task"]
FAR = timedelta(days=3660)
PERIODS: tuple[Every, ...] = ("day", "week", "month", "quarter", "year")
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class BadDuty(ValueError):
    """An item that cannot be so; `details` say which field, and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable: {given}")
        self.details = [{"field": field, "given": str(given), "expected": expected}]


class UnknownDuty(LookupError):
    """There is no such item, or it lies outside of the scope: the same answer for both."""


class DoneAlready(Exception):
    """The item was entered as done for this period."""


class NewDuty(BaseModel):
    """An item for the list of one grid."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    area: Code = Field(description="Code of the grid.")
    kind: Kind
    words: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    every: Every = Field(description="Once in each such period.")
    since: date | None = Field(None, description="Local day; today without it.")
    until: date | None = Field(None, description="First local day on which it is not on the list any more.")


class DoneDuty(BaseModel):
    """That an item was done."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    area: Code = Field(description="Code of the grid.")
    item: Code = Field(description="As the list names it.")
    words: str | None = Field(None, max_length=1000)


@dataclass(frozen=True, slots=True)
class Duty:
    """An item on a grid's list; `item` is the code of the place's list, or # and the number of an own one."""

    item: str
    kind: str
    name: str
    name_en: str | None  # of the place's list only
    every: Every
    period: Period
    done: DoneRow | None


class Share(NamedTuple):
    """How much of one list is done in the current periods."""

    done: int
    owed: int


@dataclass(frozen=True, slots=True)
class GridLists:
    """How far a grid is with both lists."""

    grid: GridRow
    responsibility: Share
    task: Share


def lists(conn: Db, profile: Profile, code: str, *, now: datetime | None = None) -> tuple[Place, list[Duty]]:
    """A grid and its lists, with what is done in the periods that today lies in. Raises UnknownDuty."""
    grid, today = _grid(conn, code), _today(profile, now or datetime.now(UTC))
    done = {(row.item, row.first_day): row for row in queries.done(conn, _firsts(today), grid.no)}
    found = [(duty.code, duty.kind, duty.name, duty.name_en, duty.every) for duty in profile.loop.duties] + [
        (f"#{item.id}", item.kind, item.words, None, _every(item.every))
        for item in queries.items(conn, today, grid.no)
    ]
    duties = []
    for item, kind, name, name_en, every in found:
        period = period_of(every, today)
        duties.append(Duty(item, kind, name, name_en, every, period, done.get((item, period.first))))
    return grid, duties


def progress(conn: Db, profile: Profile, *, now: datetime | None = None) -> list[GridLists]:
    """How far each grid of the scope is with its lists in the current periods, by number."""
    today = _today(profile, now or datetime.now(UTC))
    every: dict[str, tuple[str, date]] = {  # item → its list, and the first day of its period
        duty.code: (duty.kind, period_of(duty.every, today).first) for duty in profile.loop.duties
    }
    common = Counter(kind for kind, _ in every.values())
    owed: dict[int, Counter[str]] = {}
    for item in queries.items(conn, today):
        owed.setdefault(item.area_no, Counter())[item.kind] += 1
        every[f"#{item.id}"] = (item.kind, period_of(_every(item.every), today).first)
    done: dict[int, Counter[str]] = {}
    for row in queries.done(conn, _firsts(today)):
        kind, first = every.get(row.item, ("", None))
        if first == row.first_day:
            done.setdefault(row.area_no, Counter())[kind] += 1
    none: Counter[str] = Counter()

    def share(no: int, kind: Kind) -> Share:
        return Share(done.get(no, none)[kind], common[kind] + owed.get(no, none)[kind])

    return [
        GridLists(grid, share(grid.no, "responsibility"), share(grid.no, "task"))
        for grid in queries.grids(conn)
    ]


def add(conn: Db, profile: Profile, viewer: Viewer, new: NewDuty, *, now: datetime | None = None) -> str:
    """Put an item on a grid's list and return its name there. Raises UnknownDuty, BadDuty."""
    today = _today(profile, now or datetime.now(UTC))
    since = new.since or today
    if not today <= since <= today + FAR:
        raise BadDuty("since", since, f"{today} … {today + FAR}")
    if new.until is not None and not since < new.until <= since + FAR:
        raise BadDuty("until", new.until, f"after {since}")
    number = queries.add(
        conn, area_no=_grid(conn, new.area).no, kind=new.kind, words=new.words, every=new.every, since=since,
        until=new.until, by=viewer.name,
    )  # fmt: skip
    return f"#{number}"


def end(conn: Db, profile: Profile, item_id: int, *, now: datetime | None = None) -> None:
    """Take an own item off its list from today on; what was done of it stays. Raises UnknownDuty."""
    if not queries.end(conn, item_id, _today(profile, now or datetime.now(UTC))):
        raise UnknownDuty("no such item on a list")


def finish(
    conn: Db, profile: Profile, viewer: Viewer, done: DoneDuty, *, now: datetime | None = None
) -> Duty:
    """Enter that an item was done in its current period. Raises UnknownDuty, DoneAlready."""
    now = now or datetime.now(UTC)
    grid, duties = lists(conn, profile, done.area, now=now)
    duty = next((duty for duty in duties if duty.item == done.item), None)
    if duty is None:
        raise UnknownDuty(f"no item {done.item} on the list of {grid.name}")
    row = DoneRow(grid.no, duty.item, duty.period.first, now, viewer.name, done.words)
    if duty.done is not None or not queries.enter(conn, row):
        raise DoneAlready("this was entered as done for the period already")
    return Duty(duty.item, duty.kind, duty.name, duty.name_en, duty.every, duty.period, row)


def _grid(conn: Db, code: str) -> Place:
    grid = place(conn, code)
    if grid is None or grid.level != "grid":
        raise UnknownDuty(f"no grid with the code {code}")
    return grid


def _every(text: str) -> Every:
    return next(every for every in PERIODS if every == text)


def _firsts(today: date) -> list[date]:
    return sorted({period_of(every, today).first for every in PERIODS})


def _today(profile: Profile, now: datetime) -> date:
    return now.astimezone(ZoneInfo(profile.time_zone)).date()
