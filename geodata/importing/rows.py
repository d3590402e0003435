"""How a file of things known by a code becomes rows: read, checked as a whole, then written in bulk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import LiteralString
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.datum import Datum, to_wgs84
from geodata.importing import words
from geodata.importing.bulk import copy_table
from geodata.importing.fields import Choice, Fields
from geodata.importing.place import Place, ask_reload, read_place, required_root
from geodata.importing.report import Progress, Report, refusal
from geodata.importing.sheets import read_sheet
from geodata.scope import Db
from profiles import Level, Post
from profiles.part import Named

POINT: LiteralString = "CASE WHEN lon IS NOT NULL THEN ST_SetSRID(ST_MakePoint(lon, lat), 4326) END"


@dataclass(frozen=True, slots=True)
class PeopleOptions:
    """How to read a file of people or stations."""

    columns: Mapping[str, str] = field(default_factory=dict)  # field → heading
    constants: Mapping[str, str] = field(default_factory=dict)  # field → one value for all rows
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field → value in the file → ours
    time_zone: str | None = None  # of times that name none; the place's own by default
    datum: Datum = "wgs84"
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: its fields, how rows are read, and the statements that write them."""

    subject: str
    fields: tuple[str, ...]
    about_people: bool
    parse: Callable[["Reading"], dict[str, pa.Array]]
    table: LiteralString  # columns of the temporary table incoming_row
    known: LiteralString  # counts rows that are in the database already
    write: tuple[LiteralString, ...]
    once: str  # the field that may occur once in a file; "" when rows may repeat


@dataclass(frozen=True, slots=True)
class Reading:
    """What a parser may use."""

    conn: Db
    fields: Fields
    place: Place
    options: PeopleOptions
    zone: ZoneInfo

    def area(self, *, required: bool, level: Level | None = None) -> pa.Array:
        """Numbers of the areas named by code, of one level or of any."""
        rows = self.conn.execute(
            "SELECT code, no FROM area WHERE valid_to IS NULL AND level = coalesce(%s::area_level, level)",
            (level,),
        ).fetchall()
        codes: dict[str, int] = {str(code): int(number) for code, number in rows}
        choice = Choice(codes, {}, frozenset(len(code) for code in codes if code.isdigit()))
        hint = "Import the areas first, or correct the code."
        found = self.fields.choice(
            "area",
            choice,
            f"the code of {'an area' if level is None else f'a {level}'} of this place",
            required=required,
            hint=hint,
        )
        return pa.array(found, pa.int64())

    def point(self, *, required: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude and latitude in WGS84, NaN where there is none."""
        lon, lat = self.fields.point()
        missing = np.isnan(lon)
        if required:
            for name in ("lon", "lat"):
                self.fields.raw(name, required=True)
            if self.fields.has("lon"):
                self.fields.complain(
                    "lon", missing, "longitude and latitude", "A station without a point has no area."
                )
        beyond = (np.abs(lon) > 180) | (np.abs(lat) > 90)
        self.fields.complain(
            "lon", beyond, "longitude and latitude in degrees", "Are the two swapped, or in metres?"
        )
        bad = missing | beyond
        return to_wgs84(np.where(bad, np.nan, lon), np.where(bad, np.nan, lat), self.options.datum)

    def named(self, name: str, parts: list[Named] | list[Post], what: str) -> pa.Array:
        """Codes out of a list of the profile, found by code or by name in either language."""
        spoken = {word: part.code for part in parts for word in (part.name, part.name_en)}
        choice = Choice({part.code: part.code for part in parts}, spoken)
        return pa.array(self.fields.choice(name, choice, what, required=True), pa.string())

    def word(self, name: str, subject: str, what: str) -> pa.Array:
        """Codes of a fixed list, by the words of words.toml."""
        return pa.array(
            self.fields.choice(name, Choice({}, words.values(subject)), what, required=True), pa.string()
        )


def import_rows(
    conn: Db, path: Path, kind: Kind, options: PeopleOptions | None, generated: bool, progress: Progress
) -> Report:
    """Read, check and write one file in the caller's transaction; raises ImportRefused when anything is wrong."""
    options = replace(
        options or PeopleOptions(), generated=generated or (options.generated if options else False)
    )
    report = Report(kind.subject, [path.name])
    place = read_place(conn, kind.subject, path.name)
    root_no = required_root(place, kind.subject, path.name)
    progress("read", 0, 1)
    sheet = read_sheet(path, kind.subject)
    if not len(sheet):
        raise refusal(kind.subject, path.name, "at least one row", "The file has a heading but no rows.")
    fields = Fields(sheet, report, kind.fields, options.columns, options.constants, options.values)
    if kind.about_people:
        fields.refuse_headings()
    report.refuse_if_faulty()
    columns = kind.parse(Reading(conn, fields, place, options, ZoneInfo(options.time_zone or place.zone.key)))
    rows = pa.table({"row_no": pa.array(sheet.rows), **columns})
    if kind.once:
        _check_once(fields, kind.once, rows[kind.once if kind.once in rows.column_names else "code"])
    report.counts["read"] = rows.num_rows
    if fields.ignored():
        report.notes.append(f"{path.name}: columns not used: {', '.join(fields.ignored())}.")
    report.refuse_if_faulty()
    progress("read", 1, 1)
    conn.execute("DROP TABLE IF EXISTS incoming_row")
    conn.execute("CREATE TEMP TABLE incoming_row (row_no bigint, " + kind.table + ") ON COMMIT DROP")
    copy_table(conn, "incoming_row", rows, lambda done: progress("write", done, rows.num_rows))
    conn.execute("ANALYZE incoming_row")
    known = conn.execute(kind.known).fetchone()
    report.counts["updated"] = int(known[0]) if known else 0
    for statement in kind.write:
        conn.execute(statement, {"generated": options.generated, "root": root_no, "source": path.name})
    left = conn.execute("SELECT count(*) FROM incoming_row").fetchone()
    report.counts["added"] = (int(left[0]) if left else 0) - report.counts["updated"]
    conn.execute("DROP TABLE incoming_row")
    ask_reload(conn, "reload", root_no, {kind.subject: rows.num_rows})
    return report


def _check_once(fields: Fields, name: str, codes: pa.ChunkedArray) -> None:
    seen: set[str] = set()
    again = np.zeros(len(codes), bool)
    for index, code in enumerate(codes.to_pylist()):
        again[index] = code is not None and code in seen
        seen.add(code)
    fields.complain(name, again, f"each {name} once", "Two rows have it: remove or correct one.")
