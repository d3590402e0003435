"""Import of rosters: whole days of a duty, replaced by what the file says of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from geodata.importing.fields import Choice
from geodata.importing.report import Progress, Report, silent
from geodata.importing.rows import Kind, PeopleOptions, Reading, import_rows
from geodata.importing.shifts import parse_hours
from geodata.scope import Db


def import_roster(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Turns of duty: area, role, on_date, from_time, to_time, name, phone, substitute_for.

    Whatever stood there for an area, role and day that the file names is replaced. Without times a turn lasts from
    08:00 to 08:00 of the next day; a to_time not after from_time is on the next day.
    """
    return import_rows(conn, path, _ROSTER, options, generated, progress)


def _roster(read: Reading) -> dict[str, pa.Array]:
    fields = read.fields
    role = read.named("role", read.place.profile.posts, "a post of this place")
    area = _area(read)
    day = fields.date("on_date", read.zone, required=True)
    name = fields.text("name", required=True, longest=100)
    from_time = parse_hours(fields, "from_time", "08:00")
    to_time = parse_hours(fields, "to_time", "08:00")
    substitute_for = fields.text("substitute_for", longest=100)

    duties = list(zip(area.to_pylist(), role.to_pylist(), day.to_pylist(), strict=True))
    who, instead = name.to_pylist(), substitute_for.to_pylist()
    own = {(*duty, one) for duty, one, other in zip(duties, who, instead, strict=True) if other is None}
    lost = [
        other is not None and None not in duty and ((*duty, other) not in own or other == one)
        for duty, one, other in zip(duties, who, instead, strict=True)
    ]
    fields.complain(
        "substitute_for",
        np.array(lost, bool),
        "the name of somebody else who has that duty on that day",
        "Give both rows: who was to be on duty, and who stands in.",
    )
    turns = list(zip(duties, who, from_time.to_pylist(), strict=True))
    often = Counter(turns)
    twice = [often[turn] > 1 and None not in turn[0] and turn[1] is not None for turn in turns]
    fields.complain("name", np.array(twice, bool), "each turn once", "Two rows say the same: remove one.")
    return {
        "area_no": area,
        "role": role,
        "on_date": day,
        "from_time": from_time,
        "to_time": to_time,
        "name": name,
        "phone": fields.text("phone", longest=40),
        "substitute_for": substitute_for,
    }


def _area(read: Reading) -> pa.Array:
    """Numbers of the areas, by code, or by name where no other area of the place has it."""
    rows = read.conn.execute("SELECT code, name, no FROM area WHERE valid_to IS NULL").fetchall()
    codes = {str(code): int(number) for code, _, number in rows}
    often = Counter(name for _, name, _ in rows)
    named = {str(name): int(number) for _, name, number in rows if often[name] == 1}
    choice = Choice(codes, named, frozenset(len(code) for code in codes if code.isdigit()))
    hint = "Write its code where several areas have the name."
    found = read.fields.choice(
        "area", choice, "the code or the name of an area of this place", required=True, hint=hint
    )
    return pa.array(found, pa.int64())


_ROSTER = Kind(
    "roster",
    ("area", "role", "on_date", "from_time", "to_time", "name", "phone", "substitute_for"),
    True,
    _roster,
    "area_no bigint, role text, on_date date, from_time time, to_time time, name text, phone text, substitute_for text",
    "SELECT count(*) FROM incoming_row i WHERE EXISTS (SELECT FROM roster r WHERE r.area_no = i.area_no"
    " AND r.role = i.role AND r.on_date = i.on_date)",
    (
        """
        DELETE FROM roster r USING (SELECT DISTINCT area_no, role, on_date FROM incoming_row) i
        WHERE r.area_no = i.area_no AND r.role = i.role AND r.on_date = i.on_date
        """,
        """
        INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, phone, substitute_for, source, generated)
        SELECT area_no, role, on_date, from_time, to_time, name, phone, substitute_for, %(source)s, %(generated)s
        FROM incoming_row ORDER BY row_no
        """,
    ),
    "",
)
