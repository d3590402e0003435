"""Queries of the roster: who is on duty at a moment, a day's entries, adding and removing one."""

from datetime import date, datetime, time
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Duty(NamedTuple):
    """Somebody on duty at a moment; `until` is when their turn, or that of who stands in for them, changes."""

    id: int
    area_no: int
    level: str
    area_name: str
    role: str
    name: str
    phone: str | None
    substitute_for: str | None
    since: datetime
    until: datetime
    generated: bool


class Held(NamedTuple):
    """A post that is held at a moment, without the person."""

    area_no: int
    level: str
    area_name: str
    role: str
    until: datetime
    generated: bool


class Entry(NamedTuple):
    """One line of the roster; times are local to the place, `to_time` not after `from_time` is on the next day."""

    id: int
    area_no: int
    area_code: str
    area_name: str
    level: str
    role: str
    on_date: date
    from_time: time
    to_time: time
    name: str
    phone: str | None
    substitute_for: str | None
    source: str
    generated: bool
    now: bool


class Slot(NamedTuple):
    """One line of the roster without the person."""

    area_no: int
    area_code: str
    area_name: str
    level: str
    role: str
    on_date: date
    from_time: time
    to_time: time
    generated: bool
    now: bool


def on_duty(conn: Db, areas: tuple[int, int] | list[int], at: datetime, time_zone: str) -> list[Duty]:
    """Everybody on duty at a moment in the areas lo..hi, or in those listed; wider areas first.

    Whoever is stood in for is left out while that lasts. A phone that the roster lacks is that of the post's holder.
    """
    listed, lo, hi = _wanted(areas)
    with conn.cursor(row_factory=class_row(Duty)) as cursor:
        return cursor.execute(
            """
            WITH moment AS (SELECT %(at)s AT TIME ZONE %(zone)s AS local),
            turn AS (
                SELECT r.* FROM roster r, moment
                WHERE r.on_date BETWEEN moment.local::date - 1 AND moment.local::date AND r.during @> moment.local
                  AND (r.area_no BETWEEN %(lo)s AND %(hi)s OR r.area_no = ANY (%(listed)s))
            )
            SELECT t.id, t.area_no, a.level::text, a.name AS area_name, t.role, t.name,
                   coalesce(t.phone, (SELECT k.phone FROM key_person k WHERE k.kind = 'post' AND k.area_no = t.area_no
                                        AND k.role = t.role AND k.name = t.name LIMIT 1)) AS phone,
                   t.substitute_for, lower(t.during) AT TIME ZONE %(zone)s AS since,
                   least(upper(t.during), (
                       SELECT min(lower(s.during)) FROM roster s, moment
                       WHERE s.area_no = t.area_no AND s.role = t.role AND s.on_date = t.on_date
                         AND s.substitute_for = t.name AND lower(s.during) > moment.local
                   )) AT TIME ZONE %(zone)s AS until, t.generated
            FROM turn t JOIN area a ON a.no = t.area_no
            WHERE NOT EXISTS (
                SELECT FROM turn s WHERE s.area_no = t.area_no AND s.role = t.role AND s.on_date = t.on_date
                  AND s.substitute_for = t.name)
            ORDER BY a.level, t.area_no, t.role, t.during, t.name
            """,
            {"at": at, "zone": time_zone, "lo": lo, "hi": hi, "listed": listed},
        ).fetchall()


def held(conn: Db, areas: tuple[int, int] | list[int], at: datetime, time_zone: str) -> list[Held]:
    """Posts that are held at a moment; reads no column that names anybody."""
    listed, lo, hi = _wanted(areas)
    with conn.cursor(row_factory=class_row(Held)) as cursor:
        return cursor.execute(
            """
            SELECT r.area_no, a.level::text, a.name AS area_name, r.role,
                   max(upper(r.during)) AT TIME ZONE %(zone)s AS until, bool_and(r.generated) AS generated
            FROM roster r JOIN area a ON a.no = r.area_no, (SELECT %(at)s AT TIME ZONE %(zone)s AS local) AS moment
            WHERE r.on_date BETWEEN moment.local::date - 1 AND moment.local::date AND r.during @> moment.local
              AND (r.area_no BETWEEN %(lo)s AND %(hi)s OR r.area_no = ANY (%(listed)s))
            GROUP BY r.area_no, a.level, a.name, r.role ORDER BY a.level, r.area_no, r.role
            """,
            {"at": at, "zone": time_zone, "lo": lo, "hi": hi, "listed": listed},
        ).fetchall()


def entries(conn: Db, lo: int, hi: int, day: date, at: datetime, time_zone: str) -> list[Entry]:
    """All lines of a day in the areas lo..hi; `now` marks those that are on duty at the moment `at`."""
    with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(
            """
            SELECT r.id, r.area_no, a.code AS area_code, a.name AS area_name, a.level::text, r.role, r.on_date,
                   r.from_time, CASE r.to_time WHEN '24:00' THEN '00:00'::time ELSE r.to_time END AS to_time, r.name,
                   coalesce(r.phone, (SELECT k.phone FROM key_person k WHERE k.kind = 'post' AND k.area_no = r.area_no
                                        AND k.role = r.role AND k.name = r.name LIMIT 1)) AS phone,
                   r.substitute_for, r.source, r.generated,
                   r.during @> local AND NOT EXISTS (
                       SELECT FROM roster s WHERE s.area_no = r.area_no AND s.role = r.role AND s.on_date = r.on_date
                         AND s.substitute_for = r.name AND s.during @> local) AS now
            FROM roster r JOIN area a ON a.no = r.area_no, (SELECT %(at)s AT TIME ZONE %(zone)s AS local) AS moment
            WHERE r.on_date = %(day)s AND r.area_no BETWEEN %(lo)s AND %(hi)s
            ORDER BY a.level, r.area_no, r.role, r.from_time, r.name
            """,
            {"day": day, "lo": lo, "hi": hi, "at": at, "zone": time_zone},
        ).fetchall()


def slots(conn: Db, lo: int, hi: int, day: date, at: datetime, time_zone: str) -> list[Slot]:
    """The hours of a day's posts in the areas lo..hi; reads no column that names anybody."""
    with conn.cursor(row_factory=class_row(Slot)) as cursor:
        return cursor.execute(
            """
            SELECT r.area_no, a.code AS area_code, a.name AS area_name, a.level::text, r.role, r.on_date, r.from_time,
                   CASE r.to_time WHEN '24:00' THEN '00:00'::time ELSE r.to_time END AS to_time,
                   bool_and(r.generated) AS generated, bool_or(r.during @> local) AS now
            FROM roster r JOIN area a ON a.no = r.area_no, (SELECT %(at)s AT TIME ZONE %(zone)s AS local) AS moment
            WHERE r.on_date = %(day)s AND r.area_no BETWEEN %(lo)s AND %(hi)s
            GROUP BY a.no, r.area_no, r.role, r.on_date, r.from_time, r.to_time
            ORDER BY a.level, r.area_no, r.role, r.from_time
            """,
            {"day": day, "lo": lo, "hi": hi, "at": at, "zone": time_zone},
        ).fetchall()


def add(
    conn: Db,
    *,
    area_no: int,
    role: str,
    on_date: date,
    from_time: time,
    to_time: time,
    name: str,
    phone: str | None,
    substitute_for: str | None,
    source: str,
) -> int | None:
    """Add one line and return its number; None when the same person already has that turn."""
    row = conn.execute(
        """
        INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, phone, substitute_for, source, generated)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, false)
        ON CONFLICT (area_no, role, on_date, from_time, name) DO NOTHING RETURNING id
        """,
        (area_no, role, on_date, from_time, to_time, name, phone, substitute_for, source),
    ).fetchone()
    return None if row is None else int(row[0])


def holds(conn: Db, area_no: int, role: str, on_date: date, name: str) -> bool:
    """Whether somebody of that name has that duty on that day by themselves, not standing in for another."""
    row = conn.execute(
        """
        SELECT EXISTS (SELECT FROM roster WHERE area_no = %s AND role = %s AND on_date = %s AND name = %s
                         AND substitute_for IS NULL)
        """,
        (area_no, role, on_date, name),
    ).fetchone()
    return bool(row and row[0])


class Removed(NamedTuple):
    """What was removed."""

    area_no: int
    role: str
    on_date: date
    name: str
    substitutes: int


def remove(conn: Db, entry_id: int) -> Removed | None:
    """Remove one line in scope, and the substitutes of whoever it named; None when there is none."""
    with conn.cursor(row_factory=class_row(Removed)) as cursor:
        return cursor.execute(
            """
            WITH gone AS (DELETE FROM roster WHERE id = %(id)s RETURNING area_no, role, on_date, name, substitute_for),
            also AS (
                DELETE FROM roster s USING gone g
                WHERE g.substitute_for IS NULL AND s.area_no = g.area_no AND s.role = g.role AND s.on_date = g.on_date
                  AND s.substitute_for = g.name AND s.id <> %(id)s
                  AND NOT EXISTS (SELECT FROM roster o WHERE o.area_no = g.area_no AND o.role = g.role
                                    AND o.on_date = g.on_date AND o.name = g.name AND o.substitute_for IS NULL
                                    AND o.id <> %(id)s)
                RETURNING 1
            )
            SELECT area_no, role, on_date, name, (SELECT count(*) FROM also)::integer AS substitutes FROM gone
            """,
            {"id": entry_id},
        ).fetchone()


def _wanted(areas: tuple[int, int] | list[int]) -> tuple[list[int], int, int]:
    return ([], *areas) if isinstance(areas, tuple) else (areas, 1, 0)
