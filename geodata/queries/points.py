"""Queries for things drawn as points: single tickets in a box, posts, care counts."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Box(NamedTuple):
    """Degrees, EPSG:4326."""

    west: float
    south: float
    east: float
    north: float


class TicketPoint(NamedTuple):
    """An open ticket on the map; no word of what was said."""

    id: int
    lon: float
    lat: float
    status: str
    category: str
    channel: str
    reported_at: datetime
    due_at: datetime | None
    area_no: int


class PostPoint(NamedTuple):
    """A post without the person who holds it; `on_duty`: the roster says that it is held at this moment."""

    id: int
    lon: float
    lat: float
    role: str
    area_no: int
    on_duty: bool


class Care(NamedTuple):
    """How many people a grid owes care, and how many visits are overdue; never who."""

    area_no: int
    people: int
    visits_overdue: int


def open_tickets(conn: Db, box: Box, limit: int) -> list[TicketPoint]:
    """Open tickets in scope inside the box, most overdue first, at most `limit`; none on a point that many share."""
    with conn.cursor(row_factory=class_row(TicketPoint)) as cursor:
        return cursor.execute(
            """
            SELECT t.id, ST_X(t.geom) AS lon, ST_Y(t.geom) AS lat, t.status::text, k.code AS category,
                   c.code AS channel, t.reported_at, t.due_at, t.area_no
            FROM ticket t
            JOIN category k ON k.id = t.category_id
            JOIN channel c ON c.id = t.channel_id
            WHERE t.closed_at IS NULL AND t.location <> 'shared_point'
              AND t.geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326)
            ORDER BY t.due_at NULLS LAST
            LIMIT %s
            """,
            (*box, limit),
        ).fetchall()


def posts(conn: Db, time_zone: str) -> list[PostPoint]:
    """All posts in scope that have a place."""
    with conn.cursor(row_factory=class_row(PostPoint)) as cursor:
        return cursor.execute(
            """
            WITH turn AS (
                SELECT DISTINCT r.area_no, r.role FROM roster r, (SELECT now() AT TIME ZONE %s AS local) AS moment
                WHERE r.on_date BETWEEN local::date - 1 AND local::date AND r.during @> local
            )
            SELECT k.id, ST_X(k.geom) AS lon, ST_Y(k.geom) AS lat, k.role, k.area_no, t.role IS NOT NULL AS on_duty
            FROM key_person k LEFT JOIN turn t ON t.area_no = k.area_no AND t.role = k.role
            WHERE k.kind = 'post' AND k.geom IS NOT NULL ORDER BY k.id
            """,
            (time_zone,),
        ).fetchall()


def care(conn: Db, lo: int, hi: int) -> list[Care]:
    """Care counts a grid inside lo..hi, as far as the scope allows."""
    with conn.cursor(row_factory=class_row(Care)) as cursor:
        return cursor.execute(
            "SELECT area_no, people, visits_overdue FROM care_counts(%s, %s) ORDER BY 1", (lo, hi)
        ).fetchall()
