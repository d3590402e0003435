"""What a ticket's card asks besides the ticket: who could take it, and what happened at its place before."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class WorkerOption(NamedTuple):
    """A worker who could take a ticket; `open_tickets` are those in their hands."""

    code: str
    name: str
    kind: str
    area: str
    open_tickets: int


class Before(NamedTuple):
    """An earlier ticket at the same place."""

    id: int
    reported_at: datetime
    category: str
    status: str
    distance_m: float | None


class Spot(NamedTuple):
    """How often the place was reported."""

    tickets: int
    same_kind: int


def workers_near(conn: Db, area_no: int, limit: int) -> list[WorkerOption]:
    """Active workers of an area's community, those of the area itself first; then the professional ones above it."""
    return (
        conn.cursor(row_factory=class_row(WorkerOption))
        .execute(
            """
            WITH RECURSIVE up AS (
                SELECT no, hi, parent_no, level FROM area WHERE no = %(no)s
                UNION ALL
                SELECT a.no, a.hi, a.parent_no, a.level FROM area a JOIN up ON a.no = up.parent_no
            ), around AS (
                SELECT no, hi FROM up WHERE level IN ('community', 'grid') ORDER BY level LIMIT 1
            )
            SELECT w.code, w.name, w.kind::text, a.name AS area,
                   (SELECT count(*) FROM ticket t WHERE t.worker_id = w.id AND t.closed_at IS NULL)::int AS open_tickets
            FROM worker w JOIN area a ON a.no = w.area_no
            WHERE w.active AND (
                w.area_no BETWEEN (SELECT no FROM around) AND (SELECT hi FROM around)
                OR (w.kind = 'professional' AND w.area_no IN (SELECT no FROM up)))
            ORDER BY w.area_no <> %(no)s, w.kind = 'professional', w.area_no, w.code
            LIMIT %(limit)s
            """,
            {"no": area_no, "limit": limit},
        )
        .fetchall()
    )


def post_of(conn: Db, code: str) -> tuple[str, str | None] | None:
    """Name and phone of the holder of a post in scope."""
    row = conn.execute(
        "SELECT name, phone FROM key_person WHERE code = %s AND kind = 'post'", (code,)
    ).fetchone()
    return None if row is None else (str(row[0]), row[1])


def worker_of(conn: Db, code: str) -> tuple[str, str | None] | None:
    """Name and phone of a worker in scope."""
    row = conn.execute("SELECT name, phone FROM worker WHERE code = %s", (code,)).fetchone()
    return None if row is None else (row[0], row[1])


_SPOT = """
    FROM ticket t JOIN category k ON k.id = t.category_id
    WHERE t.id <> %(id)s AND t.reported_at >= %(since)s
      AND t.geom && ST_Expand(ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326), %(radius_m)s / 80000.0)
      AND ST_DWithin(t.geom::geography, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography, %(radius_m)s)
"""


def at_spot(
    conn: Db,
    ticket_id: int,
    category: str,
    lon: float,
    lat: float,
    radius_m: float,
    since: datetime,
    limit: int,
) -> tuple[Spot, list[Before]]:
    """Other tickets in scope within so many metres (degrees, EPSG:4326) since then: how many, and the latest."""
    values = {
        "id": ticket_id,
        "category": category,
        "lon": lon,
        "lat": lat,
        "radius_m": radius_m,
        "since": since,
    }
    spot = (
        conn.cursor(row_factory=class_row(Spot))
        .execute(
            f"SELECT count(*)::int AS tickets, (count(*) FILTER (WHERE k.code = %(category)s))::int AS same_kind {_SPOT}",  # noqa: E501  # nosec B608 # joined from constants
            values,
        )
        .fetchone()
    )
    assert spot is not None
    latest = (
        conn.cursor(row_factory=class_row(Before))
        .execute(
            f"""
            SELECT t.id, t.reported_at, k.code AS category, t.status::text,
                   ST_Distance(t.geom::geography, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography)
                       AS distance_m
            {_SPOT} ORDER BY t.reported_at DESC LIMIT %(limit)s
            """,  # nosec B608 # joined from constants
            values | {"limit": limit},
        )
        .fetchall()
    )
    return spot, latest
