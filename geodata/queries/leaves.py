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


def remove(conn: Db, leave_id: int) -> int | None:
    """Take a leave out; the number of its area, or None where the scope has none of that id."""
    row = conn.execute("DELETE FROM worker_leave WHERE id = %s RETURNING area_no", (leave_id,)).fetchone()
    return None if row is None else int(row[0])
