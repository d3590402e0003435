"""Lists of responsibilities and tasks: an area's own items, what was done of them, and how far each grid is."""

from datetime import date, datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Item(NamedTuple):
    """An item that an area has on its list beyond the place's own; local days since..until (not included)."""

    id: int
    area_no: int
    kind: str
    words: str
    every: str
    since: date
    until: date | None


class DoneRow(NamedTuple):
    """What was done of an item in the period that begins on that day."""

    area_no: int
    item: str
    first_day: date
    done_at: datetime
    done_by: str
    words: str | None


class GridRow(NamedTuple):
    """A grid."""

    no: int
    code: str
    name: str


def grids(conn: Db) -> list[GridRow]:
    """The grids of the scope by number."""
    with conn.cursor(row_factory=class_row(GridRow)) as cursor:
        return cursor.execute(
            "SELECT no, code, name FROM area WHERE level = 'grid' AND valid_to IS NULL ORDER BY no"
        ).fetchall()


def items(conn: Db, day: date, area_no: int | None = None) -> list[Item]:
    """Own items on the lists of that local day in scope, of one area if it is given."""
    with conn.cursor(row_factory=class_row(Item)) as cursor:
        return cursor.execute(
            """
            SELECT id, area_no, kind, words, every, since, until FROM duty_item
            WHERE since <= %(day)s AND (until IS NULL OR until > %(day)s)
              AND (%(no)s::bigint IS NULL OR area_no = %(no)s)
            ORDER BY area_no, id
            """,
            {"day": day, "no": area_no},
        ).fetchall()


def done(conn: Db, first_days: list[date], area_no: int | None = None) -> list[DoneRow]:
    """What was done in the periods that begin on one of those days, of one area if it is given."""
    with conn.cursor(row_factory=class_row(DoneRow)) as cursor:
        return cursor.execute(
            """
            SELECT area_no, item, first_day, done_at, done_by, words FROM duty_done
            WHERE first_day = ANY (%(days)s) AND (%(no)s::bigint IS NULL OR area_no = %(no)s)
            ORDER BY area_no, item
            """,
            {"days": first_days, "no": area_no},
        ).fetchall()


def add(
    conn: Db, *, area_no: int, kind: str, words: str, every: str, since: date, until: date | None, by: str
) -> int:
    """Add an item to an area's list and return its number."""
    row = conn.execute(
        """
        INSERT INTO duty_item (area_no, kind, words, every, since, until, created_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
        """,
        (area_no, kind, words, every, since, until, by),
    ).fetchone()
    assert row is not None
    return int(row[0])


def end(conn: Db, item_id: int, day: date) -> bool:
    """Take an item of the scope off its list from that day on; one that would not have begun is removed."""
    gone = conn.execute("DELETE FROM duty_item WHERE id = %s AND since >= %s", (item_id, day)).rowcount
    if gone:
        return True
    return (
        conn.execute(
            "UPDATE duty_item SET until = %(day)s WHERE id = %(id)s AND (until IS NULL OR until > %(day)s)",
            {"id": item_id, "day": day},
        ).rowcount
        == 1
    )


def enter(conn: Db, row: DoneRow) -> bool:
    """Enter that an item was done; False when it was entered for that period before."""
    return (
        conn.execute(
            """
            INSERT INTO duty_done (area_no, item, first_day, done_at, done_by, words)
            VALUES (%(area_no)s, %(item)s, %(first_day)s, %(done_at)s, %(done_by)s, %(words)s)
            ON CONFLICT DO NOTHING
            """,
            row._asdict(),
        ).rowcount
        == 1
    )
