"""Open tickets that may have one cause, and the bursts that were noticed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Recent(NamedTuple):
    """An open ticket that stands in no open incident; degrees of its own point, None without one."""

    id: int
    version: int
    reported_at: datetime
    title: str
    description: str | None
    status: str
    category: str
    parent: str
    area_no: int
    area: str
    level: str
    lon: float | None
    lat: float | None


class Burst(NamedTuple):
    """Many like reports within a short time, as noticed; `tickets` grows while more come."""

    id: int
    area_no: int
    at: datetime
    last_at: datetime
    category: str
    tickets: list[int]


def recent(conn: Db, since: datetime, most: int) -> list[Recent]:
    """The newest open tickets in scope that were reported since then and stand in no open incident."""
    return (
        conn.cursor(row_factory=class_row(Recent))
        .execute(
            """
            SELECT t.id, t.version, t.reported_at, t.title, t.description, t.status::text, k.code AS category,
                   p.code AS parent, t.area_no, a.name AS area, a.level::text,
                   CASE WHEN t.location IN ('exact', 'outside') THEN ST_X(t.geom) END AS lon,
                   CASE WHEN t.location IN ('exact', 'outside') THEN ST_Y(t.geom) END AS lat
            FROM ticket t
            JOIN category k ON k.id = t.category_id
            JOIN category p ON p.id = k.parent_id
            JOIN area a ON a.no = t.area_no
            WHERE t.closed_at IS NULL AND t.reported_at >= %s
              AND NOT EXISTS (SELECT FROM incident_ticket m WHERE m.ticket_id = t.id AND m.open)
            ORDER BY t.reported_at DESC, t.id DESC LIMIT %s
            """,
            (since, most),
        )
        .fetchall()
    )


def bursts(conn: Db, since: datetime) -> list[Burst]:
    """Bursts in scope that have a report since then, the newest first."""
    return (
        conn.cursor(row_factory=class_row(Burst))
        .execute(
            "SELECT id, area_no, at, last_at, category, tickets FROM incident_burst WHERE last_at >= %s"
            " ORDER BY last_at DESC, id DESC",
            (since,),
        )
        .fetchall()
    )


def hold_bursts(conn: Db) -> None:
    """Let one transaction at a time look for bursts."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtext('incident_burst'))")


def add_burst(
    conn: Db, area_no: int, now: datetime, last_at: datetime, category: str, tickets: Sequence[int]
) -> int:
    """Keep a burst and return its id."""
    row = conn.execute(
        "INSERT INTO incident_burst (area_no, at, last_at, category, tickets) VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (area_no, now, last_at, category, list(tickets)),
    ).fetchone()
    assert row is not None
    return int(row[0])


def grow_burst(conn: Db, burst_id: int, area_no: int, last_at: datetime, tickets: Sequence[int]) -> None:
    """Note the reports that a burst has come to, and the area that holds them."""
    conn.execute(
        "UPDATE incident_burst SET area_no = %s, last_at = %s, tickets = %s WHERE id = %s",
        (area_no, last_at, list(tickets), burst_id),
    )
