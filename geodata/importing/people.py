"""Import of workers, posts, people owed care, video stations, the party tree and patrols, each by its code."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.datum import Datum, to_wgs84
from geodata.importing import words
from geodata.importing.bulk import copy_table
from geodata.importing.fields import Choice, Fields
from geodata.importing.place import Place, ask_reload, read_place, required_root
from geodata.importing.report import Progress, Report, refusal, silent
from geodata.importing.sheets import read_sheet
from geodata.importing.shifts import parse_days, parse_hours
from geodata.scope import Db
from profiles import Named, Post


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
class _Kind:
    """One kind of file: its fields, how rows are read, and the statements that write them."""

    subject: str
    fields: tuple[str, ...]
    about_people: bool
    parse: Callable[["_Reading"], dict[str, pa.Array]]
    table: LiteralString  # columns of the temporary table incoming_row
    known: LiteralString  # counts rows that are in the database already
    write: tuple[LiteralString, ...]
    once: str  # the field that may occur once in a file; "" when rows may repeat


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a parser may use."""

    conn: Db
    fields: Fields
    place: Place
    options: PeopleOptions
    zone: ZoneInfo

    def area(self, *, required: bool) -> pa.Array:
        """Numbers of the areas named by code."""
        rows = self.conn.execute("SELECT code, no FROM area WHERE valid_to IS NULL").fetchall()
        codes: dict[str, int] = {str(code): int(number) for code, number in rows}
        choice = Choice(codes, {}, frozenset(len(code) for code in codes if code.isdigit()))
        hint = "Import the areas first, or correct the code."
        found = self.fields.choice(
            "area", choice, "the code of an area of this place", required=required, hint=hint
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


def import_workers(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Workers by code: code, name, phone, kind, area, skills, shift_from, shift_to, shift_days."""
    return _import(conn, path, _WORKERS, options, generated, progress)


def import_posts(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Post holders by code: code, name, role, area, lon, lat, phone, duty."""
    return _import(conn, path, _POSTS, options, generated, progress)


def import_care(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """People owed care by code: code, name, role, area, lon, lat, building, contacts, last_visit_on, next_visit_on.

    A file with a column for belief, ethnicity, opinion, petitions, trajectories, biometrics or scores is refused.
    """
    return _import(conn, path, _CARE, options, generated, progress)


def import_stations(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Video stations by their 20-digit id: id, name, site_kind, lon, lat, stream_url. The point decides the area."""
    return _import(conn, path, _STATIONS, options, generated, progress)


def import_org(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """The party tree by path: path, kind, name, area."""
    return _import(conn, path, _ORG, options, generated, progress)


def import_patrols(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Patrols: area, day, worker, first_at, last_at; several rows of one worker, grid and day become one."""
    return _import(conn, path, _PATROLS, options, generated, progress)


def _import(
    conn: Db, path: Path, kind: _Kind, options: PeopleOptions | None, generated: bool, progress: Progress
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
    columns = kind.parse(
        _Reading(conn, fields, place, options, ZoneInfo(options.time_zone or place.zone.key))
    )
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
        conn.execute(statement, {"generated": options.generated, "root": root_no})
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


def _workers(read: _Reading) -> dict[str, pa.Array]:
    fields = read.fields
    skills = fields.text("skills", longest=1000)
    return {
        "code": fields.text("code", required=True, longest=60),
        "name": fields.text("name", required=True, longest=100),
        "phone": fields.text("phone", longest=40),
        "kind": read.word("kind", "worker_kind", "full_time, part_time or professional"),
        "area_no": read.area(required=True),
        "skills": pc.replace_substring_regex(skills, words.words()["separators"]["list"], ";"),
        "shift_from": parse_hours(fields, "shift_from", "08:00"),
        "shift_to": parse_hours(fields, "shift_to", "18:00"),
        "shift_days": parse_days(fields, "shift_days"),
    }


def _posts(read: _Reading) -> dict[str, pa.Array]:
    fields = read.fields
    lon, lat = read.point()
    return {
        "code": fields.text("code", required=True, longest=60),
        "name": fields.text("name", required=True, longest=100),
        "role": read.named("role", read.place.profile.posts, "a post of this place"),
        "area_no": read.area(required=True),
        "lon": pa.array(lon, from_pandas=True),
        "lat": pa.array(lat, from_pandas=True),
        "phone": fields.text("phone", longest=40),
        "duty": fields.text("duty", longest=1000),
    }


def _care(read: _Reading) -> dict[str, pa.Array]:
    fields = read.fields
    lon, lat = read.point()
    last, following = (fields.date(name, read.zone) for name in ("last_visit_on", "next_visit_on"))
    early = np.asarray(pc.less(following, last).fill_null(False))
    fields.complain("next_visit_on", early, "a day after the last visit", "It lies before last_visit_on.")
    return {
        "code": fields.text("code", required=True, longest=60),
        "name": fields.text("name", required=True, longest=100),
        "role": read.named("role", read.place.profile.care, "a care category of this place"),
        "area_no": read.area(required=True),
        "lon": pa.array(lon, from_pandas=True),
        "lat": pa.array(lat, from_pandas=True),
        "building": fields.text("building", longest=200),
        "contacts": _contacts(fields),
        "last_visit_on": last,
        "next_visit_on": following,
    }


def _contacts(fields: Fields) -> pa.Array:
    """At most five contacts: a JSON list of {role, name, phone}, or names and numbers separated by semicolons."""
    texts = fields.text("contacts", longest=2000).to_pylist()
    result: list[str | None] = []
    bad = np.zeros(len(texts), bool)
    for index, text in enumerate(texts):
        contacts: Any = None
        if text is not None:
            try:
                contacts = orjson.loads(text) if text[:1] in "[{" else _spoken(text)
            except orjson.JSONDecodeError:
                bad[index] = True
            bad[index] |= contacts is not None and not _are_contacts(contacts)
        result.append(None if contacts is None else orjson.dumps(contacts).decode())
    hint = 'Write [{"role": "…", "name": "…", "phone": "…"}] or: name phone; name phone.'
    fields.complain("contacts", bad, "at most five contacts with role, name and phone", hint)
    return pa.array(result, pa.string())


def _spoken(text: str) -> list[dict[str, str]]:
    contacts = []
    for part in re.split(words.words()["separators"]["contact"], text):
        name, _, phone = part.strip().rpartition(" ")
        if part.strip():
            contacts.append({"name": name or phone, "phone": phone if name else ""})
    return contacts


def _are_contacts(contacts: Any) -> bool:
    return (
        isinstance(contacts, list)
        and len(contacts) <= 5
        and all(
            isinstance(one, dict)
            and set(one) <= {"role", "name", "phone"}
            and all(isinstance(v, str) for v in one.values())
            for one in contacts
        )
    )


def _stations(read: _Reading) -> dict[str, pa.Array]:
    fields = read.fields
    ids = fields.text("id", required=True, longest=60)
    odd = ~np.asarray(pc.match_substring_regex(ids, r"^\d{20}$").fill_null(True))
    hint = "GB/T 28181 numbers have 20 digits. Excel rounds long numbers: format the column as text and paste again."
    fields.complain("id", odd, "20 digits", hint)
    address = fields.text("stream_url", longest=1000)
    strange = ~np.asarray(
        pc.match_substring_regex(address, r"^(https?://[^\s]+|/[^\s/][^\s]*)$").fill_null(True)
    )
    fields.complain(
        "stream_url", strange, "an address http://… or https://… of an HLS playlist", "RTSP needs a gateway."
    )
    lon, lat = read.point(required=True)
    return {
        "id": ids,
        "name": fields.text("name", required=True, longest=200),
        "site_kind": read.named("site_kind", read.place.profile.sites, "a kind of site of this place"),
        "lon": pa.array(lon, from_pandas=True),
        "lat": pa.array(lat, from_pandas=True),
        "stream_url": address,
    }


def _org(read: _Reading) -> dict[str, pa.Array]:
    fields = read.fields
    path = fields.text("path", required=True, longest=250)
    odd = ~np.asarray(pc.match_substring_regex(path, r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$").fill_null(True))
    fields.complain("path", odd, "codes from the top with dots between, such as t001.c003.b012", "")
    return {
        "path": path,
        "kind": read.word("kind", "org_kind", "a kind of party organisation"),
        "name": fields.text("name", required=True, longest=200),
        "area_no": read.area(required=True),
    }


def _patrols(read: _Reading) -> dict[str, pa.Array]:
    fields = read.fields
    first, last = (
        fields.time("first_at", read.zone, required=True),
        fields.time("last_at", read.zone, required=True),
    )
    early = np.asarray(pc.less(last, first).fill_null(False))
    fields.complain("last_at", early, "a time not before first_at", "")
    workers = Choice(dict(read.conn.execute("SELECT code, id FROM worker").fetchall()), {})
    found = fields.choice(
        "worker", workers, "the code of a worker", required=True, hint="Import the workers first."
    )
    return {
        "area_no": read.area(required=True),
        "day": fields.date("day", read.zone, required=True),
        "worker_id": pa.array(found, pa.int64()),
        "first_at": first,
        "last_at": last,
    }


_POINT: LiteralString = "CASE WHEN lon IS NOT NULL THEN ST_SetSRID(ST_MakePoint(lon, lat), 4326) END"

_WORKERS = _Kind(
    "workers",
    ("code", "name", "phone", "kind", "area", "skills", "shift_from", "shift_to", "shift_days"),
    True,
    _workers,
    "code text, name text, phone text, kind worker_kind, area_no bigint, skills text, shift_from time, shift_to time,"
    " shift_days smallint",
    "SELECT count(*) FROM incoming_row JOIN worker USING (code)",
    (
        """
        INSERT INTO worker (code, name, phone, kind, area_no, skills, shift_from, shift_to, shift_days, generated)
        SELECT code, name, phone, kind, area_no, coalesce(string_to_array(skills, ';'), '{}'), shift_from, shift_to,
               shift_days, %(generated)s
        FROM incoming_row ORDER BY row_no
        ON CONFLICT (code) DO UPDATE SET name = excluded.name, phone = excluded.phone, kind = excluded.kind,
            area_no = excluded.area_no, skills = excluded.skills, shift_from = excluded.shift_from,
            shift_to = excluded.shift_to, shift_days = excluded.shift_days, active = true,
            generated = excluded.generated
        """,
    ),
    "code",
)
_POSTS = _Kind(
    "posts",
    ("code", "name", "role", "area", "lon", "lat", "phone", "duty"),
    True,
    _posts,
    "code text, name text, role text, area_no bigint, lon double precision, lat double precision,"
    " phone text, duty text",
    "SELECT count(*) FROM incoming_row JOIN key_person USING (code)",
    (
        """
        INSERT INTO key_person (kind, code, name, role, area_no, geom, phone, duty, generated)
        SELECT 'post', code, name, role, area_no, """ + _POINT + """, phone, duty, %(generated)s
        FROM incoming_row ORDER BY row_no
        ON CONFLICT (code) DO UPDATE SET kind = 'post', name = excluded.name, role = excluded.role,
            area_no = excluded.area_no, geom = excluded.geom, phone = excluded.phone, duty = excluded.duty,
            building = NULL, contacts = NULL, last_visit_on = NULL, next_visit_on = NULL, generated = excluded.generated
        """,
    ),
    "code",
)  # fmt: skip
_CARE = _Kind(
    "care",
    ("code", "name", "role", "area", "lon", "lat", "building", "contacts", "last_visit_on", "next_visit_on"),
    True,
    _care,
    "code text, name text, role text, area_no bigint, lon double precision, lat double precision, building text,"
    " contacts jsonb, last_visit_on date, next_visit_on date",
    "SELECT count(*) FROM incoming_row JOIN key_person USING (code)",
    (
        """
        INSERT INTO key_person (kind, code, name, role, area_no, geom, building, contacts, last_visit_on, next_visit_on,
                                generated)
        SELECT 'care', code, name, role, area_no, """ + _POINT + """, building, contacts, last_visit_on, next_visit_on,
               %(generated)s
        FROM incoming_row ORDER BY row_no
        ON CONFLICT (code) DO UPDATE SET kind = 'care', name = excluded.name, role = excluded.role,
            area_no = excluded.area_no, geom = excluded.geom, building = excluded.building,
            contacts = excluded.contacts,
            last_visit_on = excluded.last_visit_on, next_visit_on = excluded.next_visit_on, phone = NULL, duty = NULL,
            generated = excluded.generated
        """,
    ),
    "code",
)  # fmt: skip
_STATIONS = _Kind(
    "stations",
    ("id", "name", "site_kind", "lon", "lat", "stream_url"),
    False,
    _stations,
    "id text, name text, site_kind text, lon double precision, lat double precision, stream_url text",
    "SELECT count(*) FROM incoming_row JOIN video_station USING (id)",
    (
        """
        INSERT INTO video_station (id, name, site_kind, area_no, geom, stream_url, generated)
        SELECT i.id, i.name, i.site_kind, coalesce(inside.no, %(root)s), point, i.stream_url, %(generated)s
        FROM incoming_row i
        CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(i.lon, i.lat), 4326) AS point) AS placed
        LEFT JOIN LATERAL (
            SELECT a.no FROM area_now a WHERE ST_Intersects(a.geom, point) ORDER BY a.level DESC, a.no LIMIT 1
        ) AS inside ON true
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, site_kind = excluded.site_kind, area_no = excluded.area_no,
            geom = excluded.geom, generated = excluded.generated, stream_url = excluded.stream_url,
            state = CASE WHEN video_station.stream_url IS NOT DISTINCT FROM excluded.stream_url
                         THEN video_station.state ELSE 'unknown' END
        """,
    ),
    "id",
)
_ORG = _Kind(
    "org",
    ("path", "kind", "name", "area"),
    True,
    _org,
    "path text, kind org_kind, name text, area_no bigint",
    "SELECT count(*) FROM incoming_row i JOIN org_unit o ON o.path = i.path::ltree",
    (
        """
        INSERT INTO org_unit (path, kind, name, area_no, generated)
        SELECT path::ltree, kind, name, area_no, %(generated)s FROM incoming_row ORDER BY row_no
        ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, name = excluded.name, area_no = excluded.area_no,
            generated = excluded.generated
        """,
    ),
    "path",
)
_PATROLS = _Kind(
    "patrols",
    ("area", "day", "worker", "first_at", "last_at"),
    False,
    _patrols,
    "area_no bigint, day date, worker_id bigint, first_at timestamptz, last_at timestamptz",
    "SELECT count(*) FROM incoming_row JOIN patrol USING (area_no, day, worker_id)",
    (
        # An empty table gets its foreign keys back after the rows: proved by two joins, not by two look-ups a row.
        """
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM patrol) THEN
                ALTER TABLE patrol DROP CONSTRAINT patrol_area_no_fkey, DROP CONSTRAINT patrol_worker_id_fkey;
            END IF;
        END $$
        """,
        """
        INSERT INTO patrol (area_no, day, worker_id, first_at, last_at)
        SELECT area_no, day, worker_id, min(first_at), max(last_at) FROM incoming_row GROUP BY 1, 2, 3
        ON CONFLICT (area_no, day, worker_id) DO UPDATE SET
            first_at = least(patrol.first_at, excluded.first_at), last_at = greatest(patrol.last_at, excluded.last_at)
        """,
        """
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'patrol_area_no_fkey') THEN
                ALTER TABLE patrol
                    ADD CONSTRAINT patrol_area_no_fkey FOREIGN KEY (area_no) REFERENCES area (no),
                    ADD CONSTRAINT patrol_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES worker (id);
            END IF;
        END $$
        """,
    ),
    "",
)
