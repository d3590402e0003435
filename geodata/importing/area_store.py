"""Numbers for new areas, and areas and boundary versions written set by set."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely

from geodata.importing.area_rows import AreaOptions, AreaRow
from geodata.importing.place import EARLIEST_DAY, STRIDE, Place
from geodata.importing.report import Report
from geodata.scope import Db
from profiles import Level

MOST_CHILDREN = 999


@dataclass(frozen=True, slots=True)
class Area:
    """An area that is in the database, retired or not."""

    no: int
    level: Level
    code: str
    name: str
    parent_no: int | None
    alive: bool
    made: bool  # its boundary was dissolved from a lower level


@dataclass(frozen=True, slots=True)
class Existing:
    """All areas ever given a number."""

    by_code: dict[str, Area]
    by_no: dict[int, Area]


def existing_areas(conn: Db) -> Existing:
    """What is in the database now."""
    rows = conn.execute(
        """
        SELECT a.no, a.level, a.code, a.name, a.parent_no, a.valid_to IS NULL,
               coalesce((SELECT b.source LIKE 'made from %%' FROM area_boundary b
                         WHERE b.area_no = a.no ORDER BY version DESC LIMIT 1), false)
        FROM area a
        """
    ).fetchall()
    areas = [Area(*row) for row in rows]
    return Existing({area.code: area for area in areas}, {area.no: area for area in areas})


def give_numbers(place: Place, level: Level, rows: list[AreaRow], existing: Existing, report: Report) -> None:
    """Known codes keep their number; new ones get the next free one under their parent, in the order of their codes."""
    stride = STRIDE[level]
    highest: dict[int | None, int] = defaultdict(int)
    for area in existing.by_no.values():
        if area.level == level:
            highest[area.parent_no] = max(highest[area.parent_no], area.no)
    for row in sorted(rows, key=lambda row: row.code):
        known = existing.by_code.get(row.code)
        if known is not None and known.level != level:
            hint = "Is --level right?"
            report.fault(
                row.row, "code", row.code, f"a code that is not the code of a {known.level} already", hint
            )
        elif known is not None and known.parent_no != row.parent_no:
            was = existing.by_no[known.parent_no].code if known.parent_no else "-"
            hint = f"It lies under {was}. An area that moves to another parent is a new area: give it a new code."
            report.fault(row.row, "parent", row.parent_code, "the parent that this code always had", hint)
        elif known is not None:
            row.no = known.no
        elif row.parent_no is None:
            row.no = stride
        else:
            serial = (highest[row.parent_no] - row.parent_no) // stride + 1 if highest[row.parent_no] else 1
            if serial > MOST_CHILDREN:
                where = existing.by_no[row.parent_no].code
                hint = "Are the parents right? Each number is used once, retired areas included."
                report.fault(row.row, "code", row.code, f"at most {MOST_CHILDREN} areas under {where}", hint)
                continue
            row.no = highest[row.parent_no] = row.parent_no + serial * stride


_INCOMING = """
    CREATE TEMP TABLE incoming_area_row (
        row_no bigint, no bigint, code text, name text, initials text, parent_no bigint, kind area_kind,
        households integer, population integer, geom geometry, label_at geometry,
        lower date, was_version integer, action text
    ) ON COMMIT DROP
"""
_ACT = """
    UPDATE incoming_area_row i
    SET was_version = b.version, lower = lower(b.valid),
        action = CASE WHEN upper_inf(b.valid) AND b.geom = i.geom THEN 'keep'
                      WHEN upper_inf(b.valid) AND (lower(b.valid) = %(day)s
                           OR (%(today)s AND (b.imported_at AT TIME ZONE %(zone)s)::date = %(day)s)) THEN 'replace'
                      WHEN lower(b.valid) > %(day)s OR upper(b.valid) > %(day)s THEN 'refuse'
                      ELSE 'version' END
    FROM area_boundary b
    WHERE b.area_no = i.no
      AND b.version = (SELECT max(v.version) FROM area_boundary v WHERE v.area_no = i.no)
"""
_AREA = """
    INSERT INTO area (no, hi, level, code_system, code, name, initials, parent_no, kind, households, population,
                      generated, valid_from)
    SELECT no, no + area_stride(%(level)s::area_level) - 1, %(level)s, %(system)s, code, name, initials, parent_no,
           kind, households, population, %(generated)s, %(first_day)s
    FROM incoming_area_row
    ON CONFLICT (no) DO UPDATE SET name = excluded.name, initials = excluded.initials,
        kind = coalesce(excluded.kind, area.kind), households = coalesce(excluded.households, area.households),
        population = coalesce(excluded.population, area.population), generated = excluded.generated, valid_to = NULL
"""
_REPLACE = """
    UPDATE area_boundary b SET geom = i.geom, label_at = i.label_at, source = %(source)s, generated = %(generated)s,
           imported_at = now()
    FROM incoming_area_row i WHERE i.action = 'replace' AND b.area_no = i.no AND b.version = i.was_version
"""
_CLOSE = """
    UPDATE area_boundary b SET valid = daterange(lower(b.valid), %(day)s)
    FROM incoming_area_row i
    WHERE i.action = 'version' AND b.area_no = i.no AND b.version = i.was_version AND upper_inf(b.valid)
"""
_VERSION = """
    INSERT INTO area_boundary (area_no, version, valid, geom, label_at, source, generated)
    SELECT no, coalesce(was_version, 0) + 1,
           daterange(CASE WHEN was_version IS NULL THEN %(first_day)s::date ELSE %(day)s END, NULL),
           geom, label_at, %(source)s, %(generated)s
    FROM incoming_area_row WHERE action IS NULL OR action = 'version'
"""


def store(
    conn: Db,
    place: Place,
    options: AreaOptions,
    rows: list[AreaRow],
    source: str,
    report: Report,
    *,
    first: bool,
) -> dict[str, int]:
    """Write the rows (numbers and parents known); a `first` import of a level holds for all of the past."""
    day = options.valid_from or place.today
    values = {
        "day": day, "today": options.valid_from is None, "zone": place.zone.key, "level": options.level,
        "system": place.profile.codes.system, "generated": options.generated, "source": source,
        "first_day": options.valid_from or (EARLIEST_DAY if first else day),
    }  # fmt: skip
    conn.execute("DROP TABLE IF EXISTS incoming_area_row")
    conn.execute(_INCOMING)
    shapes = np.array([row.shape for row in rows], dtype=object)
    wkb = shapely.to_wkb(shapely.set_srid(_multi(shapes), 4326), hex=True, include_srid=True)
    labels = shapely.to_wkb(shapely.set_srid(label_points(shapes), 4326), hex=True, include_srid=True)
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "COPY incoming_area_row (row_no, no, code, name, initials, parent_no, kind, households, population,"
            " geom, label_at) FROM STDIN"
        ) as copy,
    ):
        for row, shape, label in zip(rows, wkb, labels, strict=True):
            copy.write_row((row.row, row.no, row.code, row.name, initials(row.name), row.parent_no, row.kind,
                            row.households, row.population, shape, label))  # fmt: skip
    conn.execute(_ACT, values)
    for row_no, code, lower in conn.execute(
        "SELECT row_no, code, lower FROM incoming_area_row WHERE action = 'refuse'"
    ):
        hint = "Import versions in the order of their days, or leave --valid-from out."
        report.fault(row_no, "code", code, f"boundaries of a day after {lower}", hint)
    if report.fault_total:
        return {}
    known = conn.execute("SELECT count(*) FROM incoming_area_row i JOIN area a USING (no)").fetchone()
    for statement in (_AREA, _REPLACE, _CLOSE, _VERSION):
        conn.execute(statement, values)
    counts = {
        "added": len(rows) - (known[0] if known else 0),
        "new_version": 0,
        "replaced": 0,
        "unchanged": 0,
    }
    names = {"keep": "unchanged", "replace": "replaced", "version": "new_version"}
    for action, number in conn.execute("SELECT action, count(*) FROM incoming_area_row GROUP BY 1"):
        if action:
            counts[names[action]] = number
    conn.execute("DROP TABLE incoming_area_row")
    return counts


def retire(conn: Db, numbers: list[int], day: date) -> None:
    """Let areas and their boundaries end with that day; their numbers stay taken."""
    conn.execute("UPDATE area SET valid_to = greatest(%s, valid_from + 1) WHERE no = ANY(%s)", (day, numbers))
    conn.execute(
        "DELETE FROM area_boundary WHERE area_no = ANY(%s) AND upper_inf(valid) AND lower(valid) >= %s",
        (numbers, day),
    )
    conn.execute(
        "UPDATE area_boundary SET valid = daterange(lower(valid), %s) WHERE area_no = ANY(%s) AND upper_inf(valid)",
        (day, numbers),
    )


def initials(name: str) -> str:
    """Pinyin initials for search: lower case, Latin letters and digits as they are."""
    from pypinyin import Style, lazy_pinyin

    parts = lazy_pinyin(name, style=Style.FIRST_LETTER)  # what is not Chinese comes through as it is
    return "".join(char for part in parts for char in part if char.isalnum()).lower()


def label_points(
    shapes: "np.ndarray[tuple[int], np.dtype[np.object_]]",
) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    """A point well inside each shape: the middle of its widest place, for a shape of ordinary size."""
    result = np.empty(len(shapes), dtype=object)
    for index, shape in enumerate(shapes):
        parts = shapely.get_parts(shape)
        largest = parts[int(np.argmax(shapely.area(parts)))]
        west, south, east, north = largest.bounds
        point = None
        if shapely.get_num_coordinates(largest) < 5_000:
            radius = shapely.maximum_inscribed_circle(
                largest, tolerance=max(min(east - west, north - south) / 50, 1e-9)
            )
            point = shapely.get_point(radius, 0)
        result[index] = (
            point if point is not None and largest.contains(point) else shapely.point_on_surface(largest)
        )
    return result


def _multi(
    shapes: "np.ndarray[tuple[int], np.dtype[np.object_]]",
) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    result = np.empty(len(shapes), dtype=object)
    for index, shape in enumerate(shapes):
        result[index] = shapely.multipolygons(shapely.get_parts(shape))
    return result
