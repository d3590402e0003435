"""The roster: who is on duty now and how to reach them, and changing a day by hand."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from geodata.queries import roster as queries
from geodata.queries.roster import Duty, Entry, Slot
from geodata.scope import Db
from profiles import Profile
from services import audit
from services.access.scopes import scope_of
from services.access.viewer import Viewer

FARTHEST = timedelta(days=400)
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")
]


class BadTurn(ValueError):
    """What was entered cannot stand in the roster; `details` say which field, and what is expected."""

    def __init__(self, field: str, given: object, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.details = [{"field": field, "given": str(given), "expected": expected}]


class UnknownTurn(LookupError):
    """There is no such line in the roster, or it lies outside of the scope: the same answer for both."""


class NewTurn(BaseModel):
    """One turn of duty; times are local to the place, `to` not after `from` is on the next day."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    area: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="Code of the area."
    )
    role: Word = Field(description="Code or name of a post of this place.")
    on_date: date = Field(alias="date", description="Local day on which the duty begins.")
    from_time: time = Field(alias="from", description="Local time, such as 08:00.")
    to_time: time = Field(alias="to", description="Local time; 00:00 ends the day.")
    name: Word
    phone: (
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9+][0-9 +()-]{2,29}$")] | None
    ) = None
    substitute_for: Word | None = Field(None, description="Name of whom they stand in for, on duty that day.")

    @field_validator("from_time", "to_time", mode="before")
    @classmethod
    def _end_of_day(cls, given: object) -> object:
        return "00:00" if given in ("24:00", "24:00:00") else given

    @field_validator("from_time", "to_time")
    @classmethod
    def _local(cls, given: time) -> time:
        if given.tzinfo is not None:
            raise ValueError("give a local time without a zone")
        return given.replace(microsecond=0)


def on_duty(conn: Db, lo: int, hi: int, at: datetime, time_zone: str) -> list[Duty]:
    """Everybody on duty at a moment in the areas lo..hi, whoever is stood in for left out; wider areas first."""
    return queries.on_duty(conn, (lo, hi), at, time_zone)


def reachable(
    conn: Db,
    areas: tuple[int, int] | list[int],
    profile: Profile,
    *,
    people: bool,
    at: datetime | None = None,
) -> list[dict[str, Any]]:
    """Posts held now in the areas lo..hi, or in those listed, wider areas first; who and how to reach them only with
    `people`: without it no column that names anybody is read, so a wall's role may ask. Times in ms since 1970.
    """
    at = at or datetime.now(UTC)
    if not people:
        return [
            {**_where(profile, row), "until": _ms(row.until), "generated": row.generated}
            for row in queries.held(conn, areas, at, profile.time_zone)
        ]
    return [
        {
            **_where(profile, row),
            "since": _ms(row.since),
            "until": _ms(row.until),
            "name": row.name,
            "phone": row.phone,
            "substitute_for": row.substitute_for,
            "generated": row.generated,
        }
        for row in queries.on_duty(conn, areas, at, profile.time_zone)
    ]


def day(
    conn: Db, lo: int, hi: int, on: date | None, profile: Profile, *, people: bool
) -> list[dict[str, Any]]:
    """The lines of a local day (today without one) in the areas lo..hi; names and phones only with `people`."""
    now = datetime.now(UTC)
    on = on or now.astimezone(ZoneInfo(profile.time_zone)).date()
    if not people:
        return [_line(profile, slot) for slot in queries.slots(conn, lo, hi, on, now, profile.time_zone)]
    return [
        {
            "id": row.id,
            **_line(profile, row),
            "name": row.name,
            "phone": row.phone,
            "substitute_for": row.substitute_for,
            "source": row.source,
        }
        for row in queries.entries(conn, lo, hi, on, now, profile.time_zone)
    ]


def add(conn: Db, viewer: Viewer, turn: NewTurn, profile: Profile) -> int:
    """Enter one turn and return its number; recorded. Raises UnknownArea and BadTurn."""
    area_no = scope_of(conn, viewer, turn.area).lo
    post = next((p for p in profile.posts if turn.role in (p.code, p.name, p.name_en)), None)
    if post is None:
        raise BadTurn("role", turn.role, "one of " + ", ".join(p.code for p in profile.posts))
    today = datetime.now(ZoneInfo(profile.time_zone)).date()
    if not today - FARTHEST <= turn.on_date <= today + FARTHEST:
        raise BadTurn("date", turn.on_date, f"a day within {FARTHEST.days} days of today")
    if turn.substitute_for is not None and not queries.holds(
        conn, area_no, post.code, turn.on_date, turn.substitute_for
    ):
        raise BadTurn(
            "substitute_for", turn.substitute_for, "the name of somebody who has that duty on that day"
        )
    if turn.substitute_for == turn.name:
        raise BadTurn("substitute_for", turn.substitute_for, "somebody else")
    number = queries.add(
        conn,
        area_no=area_no,
        role=post.code,
        on_date=turn.on_date,
        from_time=turn.from_time,
        to_time=turn.to_time,
        name=turn.name,
        phone=turn.phone,
        substitute_for=turn.substitute_for,
        source=viewer.name,
    )
    if number is None:
        raise BadTurn("name", turn.name, "somebody who does not have this turn already")
    detail = {
        "change": "added",
        "role": post.code,
        "date": turn.on_date.isoformat(),
        "hours": f"{turn.from_time:%H:%M}-{turn.to_time:%H:%M}",
        "name": turn.name,
        "substitute_for": turn.substitute_for,
    }
    audit.record(
        conn,
        viewer,
        audit.Action.roster_changed,
        object_kind="roster",
        object_id=number,
        area_no=area_no,
        detail=detail,
    )
    return number


def remove(conn: Db, viewer: Viewer, number: int) -> None:
    """Take one turn out, with those who stood in for it; recorded. Raises UnknownTurn."""
    gone = queries.remove(conn, number)
    if gone is None:
        raise UnknownTurn(f"There is no turn of duty with the number {number}.")
    detail = {
        "change": "removed",
        "role": gone.role,
        "date": gone.on_date.isoformat(),
        "name": gone.name,
        "substitutes": gone.substitutes,
    }
    audit.record(
        conn, viewer, audit.Action.roster_changed, object_kind="roster", object_id=number, area_no=gone.area_no,
        detail=detail,
    )  # fmt: skip


def role_words(profile: Profile, code: str) -> dict[str, str]:
    """A post's name in both languages."""
    post = next((post for post in profile.posts if code in (post.code, post.name)), None)
    return {"code": code, "name": post.name if post else code, "name_en": post.name_en if post else code}


def _where(profile: Profile, row: Duty | queries.Held) -> dict[str, Any]:
    return {
        "area_no": row.area_no,
        "area": row.area_name,
        "level": row.level,
        "role": role_words(profile, row.role),
    }


def _line(profile: Profile, row: Entry | Slot) -> dict[str, Any]:
    to = f"{row.to_time:%H:%M}"
    return {
        "area_no": row.area_no,
        "area_code": row.area_code,
        "area": row.area_name,
        "level": row.level,
        "role": role_words(profile, row.role),
        "date": row.on_date.isoformat(),
        "from": f"{row.from_time:%H:%M}",
        "to": "24:00" if to == "00:00" else to,
        "now": row.now,
        "generated": row.generated,
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
