"""What the simulator learns from the database before it starts: where workers walk, and what tickets are like here."""

from datetime import datetime
from typing import NamedTuple

from geodata.scope import Db


class Walk(NamedTuple):
    """An active worker and places (lon, lat in degrees, EPSG:4326) to walk between."""

    worker_id: int
    places: list[tuple[float, float]]
    on_foot: bool  # one grid is walked, a wider area ridden


class Past(NamedTuple):
    """A past ticket, as a model for new ones; lon and lat (degrees, EPSG:4326) are null without a place."""

    channel: str
    category: str
    title: str
    address: str | None
    lon: float | None
    lat: float | None
    is_default_point: bool


class OpenTicket(NamedTuple):
    """A ticket that waits for its next step."""

    id: int
    status: str
    is_overdue: bool


def walks(conn: Db, places: int = 12) -> list[Walk]:
    """A walk for every active worker: random points of the own grid, or middles of grids of a wider area."""
    rows = conn.execute(
        """
        SELECT w.id, ST_AsText(ST_GeneratePoints(a.geom, %(n)s, w.id::integer), 6), a.level = 'grid'
        FROM worker w JOIN area_now a ON a.no = w.area_no AND a.level = 'grid'
        WHERE w.active
        UNION ALL
        SELECT w.id, ST_AsText(ST_Collect(g.label_at), 6), false
        FROM worker w JOIN area_now a ON a.no = w.area_no AND a.level <> 'grid'
        CROSS JOIN LATERAL (
            SELECT label_at FROM area_now g WHERE g.no BETWEEN a.no AND a.hi AND g.level = 'grid'
            ORDER BY hashtextextended(g.no::text, w.id) LIMIT %(n)s
        ) g
        WHERE w.active GROUP BY w.id
        """,
        {"n": places},
    ).fetchall()
    return [Walk(worker, _points(text), on_foot) for worker, text, on_foot in rows]


def past_tickets(conn: Db, since: datetime, limit: int = 20_000) -> list[Past]:
    """A random sample of the tickets reported since then."""
    rows = conn.execute(
        """
        SELECT c.code, k.code, t.title, t.address, ST_X(t.geom), ST_Y(t.geom), t.location = 'shared_point'
        FROM ticket t JOIN channel c ON c.id = t.channel_id JOIN category k ON k.id = t.category_id
        WHERE t.reported_at >= %s AND k.parent_id IS NOT NULL ORDER BY random() LIMIT %s
        """,
        (since, limit),
    ).fetchall()
    return [Past(*row) for row in rows]


def tickets_an_hour(conn: Db, since: datetime, until: datetime, time_zone: str) -> dict[int, int]:
    """Local hour of day → tickets reported in it between the two moments."""
    rows = conn.execute(
        """
        SELECT extract(hour FROM reported_at AT TIME ZONE %s)::integer, count(*) FROM ticket
        WHERE reported_at >= %s AND reported_at < %s GROUP BY 1
        """,
        (time_zone, since, until),
    ).fetchall()
    return dict(rows)


def open_tickets(conn: Db, now: datetime) -> list[OpenTicket]:
    """All tickets that are not closed."""
    rows = conn.execute(
        "SELECT id, status::text, coalesce(due_at < %s, false) FROM ticket WHERE closed_at IS NULL",
        (now,),
    ).fetchall()
    return [OpenTicket(*row) for row in rows]


def _points(text: str) -> list[tuple[float, float]]:
    """Coordinates of a MULTIPOINT's text."""
    numbers = text[text.index("(") :].replace("(", "").replace(")", "")
    return [(float(x), float(y)) for x, y in (pair.split() for pair in numbers.split(","))]
