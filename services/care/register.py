"""The register of people owed care: listed and shown masked, entered, changed and ended."""

import secrets
from dataclasses import asdict, replace
from datetime import date
from typing import Any, NamedTuple

from geodata.queries import care as queries
from geodata.queries.care import CareRow, Wanted
from geodata.scope import Db
from profiles import Profile
from services import audit
from services.access import UnknownArea, Viewer
from services.care.contents import Contents, contents_of
from services.care.entry import Entry, check
from services.care.errors import BadCare, UnknownCare
from services.care.opening import Opened, opened, require_person
from services.care.plan import State, first_visit, state_of, wanted
from services.care.sealing import Seals

SEALED = ("name", "phone", "id_number", "contacts")
PLAIN = ("category", "building", "every_days", "next_visit_on", "ended_on")


class Page(NamedTuple):
    """Some of the register; `after` asks for what follows, None when nothing does."""

    rows: list[CareRow]
    total: int
    after: int | None


class Sight(NamedTuple):
    """One record as somebody may see it now: `fields` are masked unless `opened` is there."""

    row: CareRow
    state: State
    fields: dict[str, Any]
    opened: Opened | None


def listed(
    conn: Db, today: date, *, state: State | None, category: str | None, limit: int, after: int | None
) -> Page:
    """Records in scope, masked, those to be visited first before others."""
    asked: Wanted = wanted(state, category, today)
    rows = queries.page(conn, asked, limit + 1, after)
    return Page(rows[:limit], queries.count(conn, asked), rows[limit - 1].id if len(rows) > limit else None)


def seen(conn: Db, actor: Viewer, care_id: int, seals: Seals, today: date) -> Sight:
    """One record, open while the actor's grant lasts. Raises UnknownCare, WrongKey."""
    row = queries.one(conn, care_id)
    if row is None:
        raise UnknownCare(care_id)
    found = opened(conn, actor, row, seals)
    if found is not None:
        fields = found.fields
    else:
        fields = {**contents_of(queries.sealed(conn, [care_id])[care_id], seals).masked(), "building": None}
    return Sight(row, state_of(row.next_visit_on, row.ended_on, today), fields, found)


def add(conn: Db, actor: Viewer, entry: Entry, seals: Seals, profile: Profile, today: date) -> int:
    """Enter a record and return its id. Raises BadCare, UnknownArea (no such grid in scope), NotForThem."""
    require_person(actor)
    told = asdict(replace(entry, contacts=())) | {"contacts": entry.contacts}
    check(told, profile, today)
    grid = queries.grid(conn, entry.area)
    if grid is None:
        raise UnknownArea(f"no grid with the code {entry.area}")
    following = entry.next_visit_on or first_visit(entry.last_visit_on, entry.every_days, today)
    care_id = queries.add(
        conn,
        {
            "code": f"N{secrets.token_hex(4).upper()}",
            "category": entry.category,
            "area_no": grid.no,
            "building": _text(entry.building),
            **_contents(told).sealed(seals),
            "every_days": entry.every_days,
            "last_visit_on": entry.last_visit_on,
            "next_visit_on": following,
            "started_on": min(entry.last_visit_on or today, today),
            "generated": False,
            "lon": entry.lon,
            "lat": entry.lat,
        },
    )
    audit.record(
        conn, actor, audit.Action.care_added, object_kind="care", object_id=care_id, area_no=grid.no,
        detail={"category": entry.category},
    )  # fmt: skip
    return care_id


def change(
    conn: Db,
    actor: Viewer,
    care_id: int,
    changes: dict[str, Any],
    seals: Seals,
    profile: Profile,
    today: date,
) -> None:
    """Change fields of a record (those of Entry, and `ended_on`: care has ended); fields that are not named stay.

    The audit names the fields, not what was in them. Raises UnknownCare, BadCare, UnknownArea, WrongKey, NotForThem.
    """
    require_person(actor)
    row = queries.locked(conn, care_id)
    if row is None:
        raise UnknownCare(care_id)
    if not changes:
        return
    for name in ("name", "category", "area", "every_days", "next_visit_on"):
        if name in changes and changes[name] is None:
            raise BadCare([{"where": name, "message": "a value: it cannot be emptied"}])
    check({"last_visit_on": row.last_visit_on, **changes}, profile, today)
    if changes.get("ended_on") and changes["ended_on"] < row.started_on:
        raise BadCare([{"where": "ended_on", "message": f"a day not before {row.started_on}"}])
    columns = {name: changes[name] for name in PLAIN if name in changes}
    columns |= {name: changes[name] for name in ("lon", "lat") if name in changes}
    if "building" in columns:
        columns["building"] = _text(columns["building"])
    if any(name in changes for name in SEALED):
        before = contents_of(queries.sealed(conn, [care_id])[care_id], seals)
        kept = {name: getattr(before, name) for name in SEALED}
        columns |= _contents({**kept, **changes}).sealed(seals)
    area_no = row.area_no
    if "area" in changes:
        grid = queries.grid(conn, changes["area"])
        if grid is None:
            raise UnknownArea(f"no grid with the code {changes['area']}")
        area_no = columns["area_no"] = grid.no
    queries.change(conn, care_id, columns)
    if area_no != row.area_no:
        queries.follow_area(conn, care_id, area_no)
    audit.record(
        conn, actor, audit.Action.care_changed, object_kind="care", object_id=care_id, area_no=area_no,
        detail={"code": row.code, "fields": sorted(changes)},
    )  # fmt: skip


def _contents(told: dict[str, Any]) -> Contents:
    contacts = tuple(one for one in told["contacts"] or () if one.name or one.phone)
    return Contents(told["name"].strip(), _text(told["phone"]), _text(told["id_number"]), contacts)


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None
