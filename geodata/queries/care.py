"""Queries for people owed care; each runs in the hat "care", so the database keeps it inside of the scope."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from geodata.scope import Db


class CareRow(NamedTuple):
    """What is known of one record without opening it."""

    id: int
    code: str
    category: str
    area_no: int
    name_masked: str
    every_days: int
    last_visit_on: date | None
    next_visit_on: date
    started_on: date
    ended_on: date | None
    generated: bool


class SealedRow(NamedTuple):
    """What identifies the person, as it lies in the database."""

    id: int
    code: str
    building: str | None
    name_sealed: bytes
    phone_sealed: bytes | None
    id_number_sealed: bytes | None
    contacts_sealed: bytes | None
    key_id: int


class Marker(NamedTuple):
    """A visit that is due or overdue, at the registered building or the grid's label point (degrees, EPSG:4326)."""

    id: int
    lon: float
    lat: float
    category: str
    next_visit_on: date
    area_no: int


class VisitRow(NamedTuple):
    """One visit that was made."""

    id: int
    visited_on: date
    outcome: str
    note: str | None
    visited_by: str
    recorded_at: datetime


class Grant(NamedTuple):
    """For how long an account may see a record opened."""

    reason: str
    granted_at: datetime
    expires_at: datetime


class Grid(NamedTuple):
    """A grid that a record may stand in."""

    no: int
    code: str
    name: str


class Wanted(NamedTuple):
    """Which records are asked for; days are local days of the place."""

    category: str | None = None
    ended: bool = False
    from_day: date | None = None  # of the next visit
    to_day: date | None = None


_ROW = sql.SQL(
    """id, code, category, area_no, name_masked, every_days, last_visit_on, next_visit_on, started_on, ended_on,
    generated"""
)
_WANTED = sql.SQL(
    "(ended_on IS NOT NULL) = %(ended)s AND category = coalesce(%(category)s::text, category)"
    " AND next_visit_on BETWEEN coalesce(%(from_day)s::date, '-infinity')"
    " AND coalesce(%(to_day)s::date, 'infinity')"
)


def page(conn: Db, wanted: Wanted, limit: int, after: int | None) -> list[CareRow]:
    """Records in scope, those to be visited first before others; `after` is the id of the last one known."""
    query = sql.SQL(
        """
        SELECT {} FROM care_record
        WHERE {} AND (%(after)s::bigint IS NULL OR (next_visit_on, id) > (
            SELECT next_visit_on, id FROM care_record WHERE id = %(after)s))
        ORDER BY next_visit_on, id LIMIT %(limit)s
        """
    ).format(_ROW, _WANTED)
    with conn.cursor(row_factory=class_row(CareRow)) as cursor:
        return cursor.execute(query, {**wanted._asdict(), "limit": limit, "after": after}).fetchall()


def count(conn: Db, wanted: Wanted) -> int:
    """How many records in scope are wanted."""
    query = sql.SQL("SELECT count(*) FROM care_record WHERE {}").format(_WANTED)
    row = conn.execute(query, wanted._asdict()).fetchone()
    return int(row[0]) if row else 0


def one(conn: Db, care_id: int) -> CareRow | None:
    """One record in scope, masked."""
    query = sql.SQL("SELECT {} FROM care_record WHERE id = %s").format(_ROW)
    with conn.cursor(row_factory=class_row(CareRow)) as cursor:
        return cursor.execute(query, (care_id,)).fetchone()


def locked(conn: Db, care_id: int) -> CareRow | None:
    """One record in scope, held until the transaction ends."""
    query = sql.SQL("SELECT {} FROM care_record WHERE id = %s FOR UPDATE").format(_ROW)
    with conn.cursor(row_factory=class_row(CareRow)) as cursor:
        return cursor.execute(query, (care_id,)).fetchone()


def sealed(conn: Db, ids: list[int]) -> dict[int, SealedRow]:
    """The sealed columns of records in scope, by id."""
    query = """
        SELECT id, code, building, name_sealed, phone_sealed, id_number_sealed, contacts_sealed, key_id
        FROM care_record WHERE id = ANY(%s)
    """
    with conn.cursor(row_factory=class_row(SealedRow)) as cursor:
        return {row.id: row for row in cursor.execute(query, (ids,)).fetchall()}


def other_keys(conn: Db, key_id: int, limit: int) -> list[SealedRow]:
    """Records sealed with another key than that, held until the transaction ends."""
    query = """
        SELECT id, code, building, name_sealed, phone_sealed, id_number_sealed, contacts_sealed, key_id
        FROM care_record WHERE key_id <> %s ORDER BY id LIMIT %s FOR UPDATE
    """
    with conn.cursor(row_factory=class_row(SealedRow)) as cursor:
        return cursor.execute(query, (key_id, limit)).fetchall()


def markers(conn: Db, until: date, limit: int) -> list[Marker]:
    """Visits in scope that fall due up to a day or are overdue, the most overdue first."""
    with conn.cursor(row_factory=class_row(Marker)) as cursor:
        return cursor.execute(
            """
            SELECT c.id, ST_X(at) AS lon, ST_Y(at) AS lat, c.category, c.next_visit_on, c.area_no
            FROM care_record c
            LEFT JOIN area_boundary b ON b.area_no = c.area_no AND upper_inf(b.valid)
            CROSS JOIN LATERAL (SELECT coalesce(c.geom, b.label_at) AS at) AS placed
            WHERE c.ended_on IS NULL AND c.next_visit_on <= %s AND at IS NOT NULL
            ORDER BY c.next_visit_on, c.id LIMIT %s
            """,
            (until, limit),
        ).fetchall()


def grid(conn: Db, code: str) -> Grid | None:
    """The grid of that code, in scope."""
    with conn.cursor(row_factory=class_row(Grid)) as cursor:
        return cursor.execute(
            "SELECT no, code, name FROM area WHERE code = %s AND level = 'grid' AND valid_to IS NULL", (code,)
        ).fetchone()


def add(conn: Db, columns: dict[str, Any]) -> int:
    """Insert a record and return its id; `lon` and `lat` (degrees) make its point. UniqueViolation: a known code."""
    values = {"lon": None, "lat": None, **columns}
    names = [name for name in columns if name not in ("lon", "lat")]
    query = sql.SQL(
        "INSERT INTO care_record ({}, geom) VALUES ({}, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)) RETURNING id"
    ).format(sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(map(sql.Placeholder, names)))
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])


def change(conn: Db, care_id: int, columns: dict[str, Any]) -> None:
    """Set columns of a record; `lon` and `lat` together (degrees, or both None) move its point."""
    parts: list[sql.Composable] = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name))
        for name in columns
        if name not in ("lon", "lat")
    ]
    if "lon" in columns:
        parts.append(sql.SQL("geom = ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)"))
    query = sql.SQL("UPDATE care_record SET {}, updated_at = now() WHERE id = %(id)s").format(
        sql.SQL(", ").join(parts)
    )
    conn.execute(query, {**columns, "id": care_id})


def follow_area(conn: Db, care_id: int, area_no: int) -> None:
    """After a record moved to another grid: its visits move along, and whoever had it open has it no longer."""
    conn.execute("UPDATE care_visit SET area_no = %s WHERE care_id = %s", (area_no, care_id))
    conn.execute("DELETE FROM care_grant WHERE care_id = %s", (care_id,))


def visits(conn: Db, care_id: int, limit: int) -> list[VisitRow]:
    """Visits to one person, the latest first."""
    with conn.cursor(row_factory=class_row(VisitRow)) as cursor:
        return cursor.execute(
            """
            SELECT id, visited_on, outcome::text, note, visited_by, recorded_at
            FROM care_visit WHERE care_id = %s ORDER BY visited_on DESC, id DESC LIMIT %s
            """,
            (care_id, limit),
        ).fetchall()


def add_visit(
    conn: Db, care_id: int, area_no: int, *, visited_on: date, outcome: str, note: str | None,
    account_id: int | None, visited_by: str,
) -> None:  # fmt: skip
    """Write a visit down."""
    conn.execute(
        """
        INSERT INTO care_visit (care_id, area_no, visited_on, outcome, note, account_id, visited_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (care_id, area_no, visited_on, outcome, note, account_id, visited_by),
    )


def plan(conn: Db, care_id: int, last_visit_on: date | None, next_visit_on: date) -> None:
    """Set when the person was visited last and is to be visited next."""
    conn.execute(
        "UPDATE care_record SET last_visit_on = %s, next_visit_on = %s, updated_at = now() WHERE id = %s",
        (last_visit_on, next_visit_on, care_id),
    )


def grant(conn: Db, account_id: int, care_id: int, area_no: int, reason: str, minutes: int) -> Grant:
    """Let an account see a record opened from now on for so many minutes; a running grant begins anew."""
    with conn.cursor(row_factory=class_row(Grant)) as cursor:
        found = cursor.execute(
            """
            INSERT INTO care_grant (account_id, care_id, area_no, reason, granted_at, expires_at)
            VALUES (%s, %s, %s, %s, now(), now() + make_interval(mins => %s))
            ON CONFLICT (account_id, care_id) DO UPDATE SET area_no = excluded.area_no, reason = excluded.reason,
                granted_at = excluded.granted_at, expires_at = excluded.expires_at
            RETURNING reason, granted_at, expires_at
            """,
            (account_id, care_id, area_no, reason, minutes),
        ).fetchone()
    assert found is not None
    return found


def running_grant(conn: Db, account_id: int, care_id: int) -> Grant | None:
    """The grant of an account for a record, while it lasts."""
    with conn.cursor(row_factory=class_row(Grant)) as cursor:
        return cursor.execute(
            """
            SELECT reason, granted_at, expires_at FROM care_grant
            WHERE account_id = %s AND care_id = %s AND expires_at > clock_timestamp()
            """,
            (account_id, care_id),
        ).fetchone()


def reseal(conn: Db, row: SealedRow) -> None:
    """Replace the sealed columns of a record."""
    conn.execute(
        """
        UPDATE care_record SET name_sealed = %s, phone_sealed = %s, id_number_sealed = %s, contacts_sealed = %s,
            key_id = %s
        WHERE id = %s
        """,
        (row.name_sealed, row.phone_sealed, row.id_number_sealed, row.contacts_sealed, row.key_id, row.id),
    )


def delete_ended(conn: Db, before: date) -> list[tuple[int, str, int]]:
    """Delete records that ended before a day, with their visits; returns their id, code and area number."""
    rows = conn.execute(
        "DELETE FROM care_record WHERE ended_on < %s RETURNING id, code, area_no", (before,)
    ).fetchall()
    return [(int(row[0]), str(row[1]), int(row[2])) for row in rows]


def delete_expired_grants(conn: Db) -> int:
    """Delete grants that have run out; returns how many."""
    return conn.execute("DELETE FROM care_grant WHERE expires_at <= now()").rowcount


def grid_names(conn: Db, numbers: list[int]) -> dict[int, str]:
    """Names of grids in scope by number, with that of their community before it unless it begins with it."""
    rows = conn.execute(
        """
        SELECT g.no, CASE WHEN starts_with(g.name, p.name) THEN g.name ELSE concat_ws(' ', p.name, g.name) END
        FROM area g LEFT JOIN area p ON p.no = g.parent_no WHERE g.no = ANY(%s)
        """,
        (numbers,),
    ).fetchall()
    return {int(row[0]): str(row[1]) for row in rows}
