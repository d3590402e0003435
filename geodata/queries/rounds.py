"""Rounds that areas make in each period: who has made one, what it found, and entering one."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class RoundRow(NamedTuple):
    """An area that owes a round; the round is None until it was made. Counts are of the period, or of now."""

    area_no: int
    hi: int
    area_code: str
    area: str
    done_at: datetime | None
    done_by: str | None
    words: str | None
    figures: dict[str, Any] | None
    generated: bool
    found: int
    closed: int
    open: int
    overdue: int
    patrols: int


def rounds(
    conn: Db,
    *,
    kind: str,
    level: str,
    days: tuple[date, date],
    span: tuple[datetime, datetime],
    channels: list[str],
    now: datetime,
    area_no: int | None = None,
) -> list[RoundRow]:
    """The areas of a level in scope with their round of a period, by number; `area_no` asks for one of them.

    `found` counts tickets reported in the period through one of the channels (all, if none is named), `closed` those
    ended in it, `open` and `overdue` the ones that stand open now, `patrols` the workers who were about, by day.
    """
    with conn.cursor(row_factory=class_row(RoundRow)) as cursor:
        return cursor.execute(
            """
            WITH step AS (SELECT area_stride(%(level)s::area_level) AS stride),
            owing AS MATERIALIZED (
                SELECT no, hi, code, name FROM area
                WHERE level = %(level)s::area_level AND valid_to IS NULL
                  AND (%(area_no)s::bigint IS NULL OR no = %(area_no)s)
            ),
            fact AS (
                SELECT area_no, 1 AS found, 0 AS closed, 0 AS open, 0 AS overdue, 0 AS patrols FROM ticket t
                WHERE reported_at >= %(start)s AND reported_at < %(end)s
                  AND status NOT IN ('merged', 'rejected', 'cancelled')
                  AND (%(channels)s::text[] = '{}' OR channel_id IN (
                          SELECT id FROM channel WHERE code = ANY (%(channels)s)))
                UNION ALL
                SELECT area_no, 0, 1, 0, 0, 0 FROM ticket
                WHERE closed_at >= %(start)s AND closed_at < %(end)s
                  AND status NOT IN ('merged', 'rejected', 'cancelled')
                UNION ALL
                SELECT area_no, 0, 0, 1, (due_at < %(now)s)::int, 0 FROM ticket WHERE closed_at IS NULL
                UNION ALL
                SELECT area_no, 0, 0, 0, 0, 1 FROM patrol WHERE day BETWEEN %(first)s AND %(last)s
            ),
            counted AS (
                SELECT area_no - area_no %% (SELECT stride FROM step) AS no, sum(found) AS found,
                       sum(closed) AS closed, sum(open) AS open, sum(overdue) AS overdue, sum(patrols) AS patrols
                FROM fact GROUP BY 1
            )
            SELECT o.no AS area_no, o.hi, o.code AS area_code, o.name AS area, r.done_at, r.done_by, r.words,
                   r.figures, coalesce(r.generated, false) AS generated,
                   coalesce(c.found, 0)::int AS found, coalesce(c.closed, 0)::int AS closed,
                   coalesce(c.open, 0)::int AS open, coalesce(c.overdue, 0)::int AS overdue,
                   coalesce(c.patrols, 0)::int AS patrols
            FROM owing o
            LEFT JOIN counted c ON c.no = o.no
            LEFT JOIN round r ON r.area_no = o.no AND r.kind = %(kind)s AND r.first_day = %(first)s
            ORDER BY o.no
            """,
            {
                "kind": kind, "level": level, "first": days[0], "last": days[1], "start": span[0], "end": span[1],
                "channels": channels, "now": now, "area_no": area_no,
            },
        ).fetchall()  # fmt: skip


def made(conn: Db, kind: str, days: tuple[date, date], stride_level: str) -> dict[int, int]:
    """Rounds of a kind whose period begins in those days, by the area of that level that they lie in."""
    rows = conn.execute(
        """
        SELECT area_no - area_no %% area_stride(%s::area_level), count(*) FROM round
        WHERE kind = %s AND first_day BETWEEN %s AND %s GROUP BY 1
        """,
        (stride_level, kind, *days),
    )
    return {int(no): int(count) for no, count in rows}


def owed(conn: Db, level: str, stride_level: str) -> dict[int, int]:
    """Areas of a level by the area of a wider level that they lie in."""
    rows = conn.execute(
        """
        SELECT no - no %% area_stride(%s::area_level), count(*) FROM area
        WHERE level = %s::area_level AND valid_to IS NULL GROUP BY 1
        """,
        (stride_level, level),
    )
    return {int(no): int(count) for no, count in rows}


class Made(NamedTuple):
    """A round as it is entered."""

    area_no: int
    kind: str
    first_day: date
    last_day: date
    due: datetime
    done_at: datetime
    done_by: str
    words: str | None
    figures: dict[str, Any]


def enter(conn: Db, made: Made) -> bool:
    """Enter a round; False when the area has made that one already."""
    cursor = conn.execute(
        """
        INSERT INTO round (area_no, kind, first_day, last_day, due, done_at, done_by, words, figures)
        VALUES (%(area_no)s, %(kind)s, %(first_day)s, %(last_day)s, %(due)s, %(done_at)s, %(done_by)s, %(words)s,
                %(figures)s)
        ON CONFLICT DO NOTHING
        """,
        made._asdict() | {"figures": Jsonb(made.figures)},
    )
    return cursor.rowcount == 1


def enter_generated(conn: Db, made: list[Made]) -> None:
    """Enter rounds that were made up; those that are there already stay."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO round (area_no, kind, first_day, last_day, due, done_at, done_by, words, figures, generated)
            VALUES (%(area_no)s, %(kind)s, %(first_day)s, %(last_day)s, %(due)s, %(done_at)s, %(done_by)s, %(words)s,
                    %(figures)s, true)
            ON CONFLICT DO NOTHING
            """,
            [row._asdict() | {"figures": Jsonb(row.figures)} for row in made],
        )


class Place(NamedTuple):
    """An area of the scope."""

    no: int
    hi: int
    code: str
    name: str
    level: str


def place(conn: Db, code: str) -> Place | None:
    """The area with that code, if it is in scope."""
    with conn.cursor(row_factory=class_row(Place)) as cursor:
        return cursor.execute(
            "SELECT no, hi, code, name, level::text FROM area WHERE code = %s AND valid_to IS NULL", (code,)
        ).fetchone()
