"""What a list of tickets is asked to hold: filters, words and order, as an address or a kept filter says them."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from geodata.queries import ticket_words
from geodata.queries.ticket_conditions import Conditions
from geodata.queries.ticket_list import Order
from geodata.scope import Db, Scope
from profiles import Profile
from services.access import Right, Viewer
from services.tickets.states import ENDED, OPEN, STATUSES, UNASSIGNED, VOID

Code = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f,]+$")]
Flag = Literal["overdue", "due_soon", "unsigned", "supervised", "escalated", "suspended", "picture", "mine"]
Located = Literal["exact", "shared_point", "by_name", "outside", "none"]
FLAGS: tuple[Flag, ...] = get_args(Flag)
LOCATED: tuple[Located, ...] = get_args(Located)
SORTS = ("due", "reported", "status", "area", "severity")
# Names for several states, in the order of a ticket's life.
GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "open": frozenset(OPEN),
        "todo": frozenset(UNASSIGNED),
        "unsigned": frozenset({"dispatched", "transferred"}),
        "working": frozenset({"signed", "in_progress"}),
        "waiting": frozenset({"suspended", "consulted"}),
        "check": frozenset({"handled", "verified"}),
        "ended": frozenset(ENDED),
        "done": frozenset(ENDED - VOID),
        "void": frozenset(VOID),
        "all": frozenset(STATUSES),
    }
)
MOST_TERMS = 6
MANY = ("status", "channel", "category", "severity", "department", "flag", "located")  # comma between several
Value = TypeVar("Value")
_NUMBER = re.compile(r"(?:\d{8}-)?(\d{1,18})")


class BadFilter(ValueError):
    """A filter names something that does not exist here; details say which and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable: {given}")
        self.details = [{"field": field, "given": given, "expected": expected}]


class WordsHidden(Exception):
    """The role does not see the words of tickets, so it may not search in them."""


class Asked(BaseModel):
    """A list; what is not named may be anything, but without a status only open tickets are listed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    q: str | None = Field(
        None, max_length=100, pattern=r"^[^\x00-\x1f]*$", description="Words, all of which are found."
    )
    area: Code | None = Field(None, description="Code of an area.")
    status: list[Code] = Field(["open"], max_length=20, description="States, or groups of them.")
    channel: list[Code] = Field([], max_length=40)
    category: list[Code] = Field([], max_length=60, description="Codes of classes or subclasses.")
    severity: list[Code] = Field([], max_length=20)
    department: list[Code] = Field([], max_length=60)
    worker: Code | None = Field(None, description="Code of a worker.")
    flag: list[Flag] = Field([], max_length=8, description="All of these hold.")
    located: list[Located] = Field([], max_length=5, description="How its place is known.")
    since: date | None = Field(None, description="First local day of report.")
    until: date | None = Field(None, description="Last local day of report.")
    closed_since: date | None = None
    closed_until: date | None = None
    sort: str = Field(
        "due", pattern=r"^-?(due|reported|status|area|severity)$", description="- = descending."
    )

    @classmethod
    def of_query(cls, given: Mapping[str, str | None]) -> "Asked":
        """From an address' parameters, where a comma stands between several values. Raises BadFilter."""
        values: dict[str, Any] = {name: value for name, value in given.items() if value}
        for name in MANY:
            if name in values:
                values[name] = [part for part in values[name].split(",") if part]
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = str(fault["loc"][0])
            raise BadFilter(name, str(given.get(name))[:100], fault["msg"]) from None

    def kept(self) -> dict[str, Any]:
        """What differs from the usual, as it is kept and put into addresses."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude_none=True)


def order_of(asked: Asked, profile: Profile) -> Order:
    """What the list is sorted by."""
    by = asked.sort.removeprefix("-")
    return Order(by, asked.sort.startswith("-"), tuple(one.code for one in reversed(profile.loop.severities)))  # type: ignore[arg-type]


def conditions_of(conn: Db, profile: Profile, viewer: Viewer, asked: Asked, scope: Scope) -> Conditions:
    """What the database is asked for, in the scope of the transaction. Raises BadFilter, WordsHidden."""
    terms = tuple(dict.fromkeys((asked.q or "").split()))[:MOST_TERMS]
    if terms and not viewer.may(Right.PEOPLE):
        raise WordsHidden("Your role does not see the words of tickets, so it cannot search in them.")
    found = _NUMBER.fullmatch(asked.q or "")
    statuses = _statuses(asked.status)
    words = ticket_words.vocabulary(conn)
    severities = {one.code: one for one in profile.loop.severities}
    return Conditions(
        terms=terms,
        number=int(found[1]) if found else None,
        source=asked.q if len(terms) == 1 else None,
        statuses=None if statuses == frozenset(STATUSES) else tuple(sorted(statuses)),
        only_open=statuses <= OPEN,
        channels=tuple(_known("channel", code, words.channels) for code in asked.channel),
        categories=tuple(
            number for code in asked.category for number in _known("category", code, words.categories)
        ),
        departments=tuple(_known("department", code, words.departments) for code in asked.department),
        severities=tuple(_known("severity", code, severities).code for code in asked.severity),
        usual_severity=any(
            code == one.code for one in profile.loop.severities[:1] for code in asked.severity
        ),
        worker_id=None if asked.worker is None else _worker(conn, asked.worker),
        located=tuple(asked.located),
        flags=frozenset(asked.flag) - {"mine"},
        actor=viewer.name if "mine" in asked.flag else None,
        within=scope,
        **_spans(asked, ZoneInfo(profile.time_zone)),
    )


def cursor(sort: str, key: Iterable[str]) -> str:
    """Where the next page begins, for the asker to send back."""
    return base64.urlsafe_b64encode(orjson.dumps([sort, *key])).decode().rstrip("=")


def key_of(after: str | None, sort: str) -> list[str] | None:
    """The key in a cursor of a list with that order; None at its beginning. Raises BadFilter."""
    if after is None:
        return None
    try:
        told = orjson.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (binascii.Error, ValueError):
        told = None
    length = 3 if sort.removeprefix("-") in ("due", "reported") else 4
    if not (isinstance(told, list) and len(told) == length and all(isinstance(one, str) for one in told)):
        raise BadFilter("after", after[:40], "`next` of the page before")
    if told[0] != sort:
        raise BadFilter("after", after[:40], f"`next` of a list sorted by {sort}")
    return told[1:]


def _statuses(names: list[str]) -> frozenset[str]:
    found: set[str] = set()
    for name in names or ["all"]:
        if name in GROUPS:
            found |= GROUPS[name]
        elif name in STATUSES:
            found.add(name)
        else:
            raise BadFilter("status", name, [*GROUPS, *STATUSES])
    return frozenset(found)


def _known(field: str, code: str, words: Mapping[str, Value]) -> Value:
    if code not in words:
        raise BadFilter(field, code, list(words)[:100])
    return words[code]


def _worker(conn: Db, code: str) -> int:
    number = ticket_words.worker_of(conn, code)
    if number is None:
        raise BadFilter("worker", code, "the code of a worker in your areas")
    return number


def _spans(asked: Asked, zone: ZoneInfo) -> dict[str, Any]:
    """Local days as moments; the last day is inside."""

    def start(day: date | None, more: int = 0) -> datetime | None:
        if day is None:
            return None
        if not 1970 <= day.year < 9999:
            raise BadFilter("since, until", day.isoformat(), "a day after 1970")
        return datetime.combine(day + timedelta(days=more), time(), zone)

    return {
        "since": start(asked.since),
        "until": start(asked.until, 1),
        "closed_since": start(asked.closed_since),
        "closed_until": start(asked.closed_until, 1),
    }
