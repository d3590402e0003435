"""Import of workers, posts, video stations, the party tree and patrols, each by its code."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geodata.importing import words
from geodata.importing.fields import Choice
from geodata.importing.report import Progress, Report, silent
from geodata.importing.rows import POINT, Kind, PeopleOptions, Reading, import_rows
from geodata.importing.shifts import parse_days, parse_hours
from geodata.scope import Db


def import_workers(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Workers by code: code, name, phone, kind, area, skills, shift_from, shift_to, shift_days."""
    return import_rows(conn, path, _WORKERS, options, generated, progress)


def import_posts(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Post holders by code: code, name, role, area, lon, lat, phone, duty."""
    return import_rows(conn, path, _POSTS, options, generated, progress)


def import_stations(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Video stations by their 20-digit id: id, name, site_kind, lon, lat, stream_url. The point decides the area."""
    return import_rows(conn, path, _STATIONS, options, generated, progress)


def import_org(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """The party tree by path: path, kind, name, area."""
    return import_rows(conn, path, _ORG, options, generated, progress)


def import_patrols(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Patrols: area, day, worker, first_at, last_at; several rows of one worker, grid and day become one."""
    return import_rows(conn, path, _PATROLS, options, generated, progress)


def _workers(read: Reading) -> dict[str, pa.Array]:
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


def _posts(read: Reading) -> dict[str, pa.Array]:
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


def _stations(read: Reading) -> dict[str, pa.Array]:
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


def _org(read: Reading) -> dict[str, pa.Array]:
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


def _patrols(read: Reading) -> dict[str, pa.Array]:
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


_WORKERS = Kind(
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
_POSTS = Kind(
    "posts",
    ("code", "name", "role", "area", "lon", "lat", "phone", "duty"),
    True,
    _posts,
    "code text, name text, role text, area_no bigint, lon double precision, lat double precision,"
    " phone text, duty text",
    "SELECT count(*) FROM incoming_row JOIN key_person USING (code)",
    (
        f"""
        INSERT INTO key_person (kind, code, name, role, area_no, geom, phone, duty, generated)
        SELECT 'post', code, name, role, area_no, {POINT}, phone, duty, %(generated)s
        FROM incoming_row ORDER BY row_no
        ON CONFLICT (code) DO UPDATE SET kind = 'post', name = excluded.name, role = excluded.role,
            area_no = excluded.area_no, geom = excluded.geom, phone = excluded.phone, duty = excluded.duty,
            generated = excluded.generated
        """,  # nosec B608 # joined from constants alone
    ),
    "code",
)  # fmt: skip
_STATIONS = Kind(
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
_ORG = Kind(
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
_PATROLS = Kind(
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
