"""Leaves of workers: when somebody is away."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Leave(NamedTuple):
    """A worker's leave, from a moment up to another."""

    id: int
    code: str
    name: str
    area_no: int
    begins: datetime
    ends: datetime
    entered_by: str


def ending_after(conn: Db, now: datetime) -> list[Leave]:
    """Leaves in scope that are not over, the first to begin first."""
    return (
        conn.cursor(row_factory=class_row(Leave))
        .execute(
            """
            SELECT l.id, w.code, w.name, l.area_no, lower(l.during) AS begins, upper(l.during) AS ends, l.entered_by
            FROM worker_leave l JOIN worker w ON w.id = l.worker_id
            WHERE upper(l.during) > %s ORDER BY lower(l.during), w.code
            """,
            (now,),
        )
        .fetchall()
    )


def add(conn: Db, worker: str, begins: datetime, ends: datetime, by: str) -> int | None:
    """Enter a leave of the active worker of that code; None where the scope has none.

    Raises psycopg.errors.ExclusionViolation when the worker is away in a part of it already.
    """
    row = conn.execute(
        """
        INSERT INTO worker_leave (worker_id, area_no, during, entered_by)
        SELECT id, area_no, tstzrange(%s, %s), %s FROM worker WHERE code = %s AND active RETURNING id
        """,
        (begins, ends, by, worker),
    ).fetchone()
    return None if row is None else int(row[0])


class Taken(NamedTuple):
    """A leave as it was when it was taken out."""

    worker_id: int
    area_no: int
    begins: datetime
    ends: datetime
    entered_by: str


def remove(conn: Db, leave_id: int, now: datetime) -> Taken | None:
    """Take a leave out that is not over; as it was, or None where the scope has none such of that id."""
    return (
        conn.cursor(row_factory=class_row(Taken))
        .execute(
            """
            DELETE FROM worker_leave WHERE id = %s AND upper(during) > %s
            RETURNING worker_id, area_no, lower(during) AS begins, upper(during) AS ends, entered_by
            """,
            (leave_id, now),
        )
        .fetchone()
    )


def put_back(conn: Db, leave: Taken, ends: datetime) -> None:
    """Enter a leave that was taken out again, ending then."""
    conn.execute(
        "INSERT INTO worker_leave (worker_id, area_no, during, entered_by) VALUES (%s, %s, tstzrange(%s, %s), %s)",
        (leave.worker_id, leave.area_no, leave.begins, ends, leave.entered_by),
    )


class Named(NamedTuple):
    """An active worker, found by name or code."""

    code: str
    name: str
    kind: str
    area_no: int
    area: str
    away_until: datetime | None


def workers(conn: Db, text: str, now: datetime, limit: int) -> list[Named]:
    """Active workers in scope whose name holds the text or whose code begins with it, by code."""
    return (
        conn.cursor(row_factory=class_row(Named))
        .execute(
            """
            SELECT w.code, w.name, w.kind::text AS kind, w.area_no, a.name AS area,
                   (SELECT upper(l.during) FROM worker_leave l WHERE l.worker_id = w.id AND l.during @> %(now)s)
                       AS away_until
            FROM worker w JOIN area a ON a.no = w.area_no AND a.valid_to IS NULL
            WHERE w.active AND (strpos(lower(w.name), lower(%(text)s)) > 0
                                OR starts_with(lower(w.code), lower(%(text)s)))
            ORDER BY w.code LIMIT %(limit)s
            """,
            {"text": text, "now": now, "limit": limit},
        )
        .fetchall()
    )
