"""Tickets near a point or of the same grid that may say the same, and the words of those that were merged."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db

MOST = 100  # of each kind, those reported nearest in time


class Near(NamedTuple):
    """A ticket that may say the same; distance in metres, None where one of the two has no point of its own."""

    id: int
    reported_at: datetime
    closed_at: datetime | None
    status: str
    channel: str
    category: str
    parent: str
    title: str
    description: str | None
    address: str | None
    area_no: int
    area: str
    location: str
    lon: float | None
    lat: float | None
    distance_m: float | None
    version: int


class Looked(NamedTuple):
    """What is looked for: degrees in EPSG:4326, None without a point of one's own; the ticket itself is left out."""

    at: datetime
    open_since: datetime  # nothing that was reported earlier is looked for, so that old months are not opened
    ended_since: datetime
    reported_since: datetime  # of the ended ones
    areas: list[int]  # where tickets without a point of their own are looked for
    lon: float | None
    lat: float | None
    radius_m: float
    itself: int | None


class Voice(NamedTuple):
    """What somebody said, in a ticket that goes on for others or in one that was merged into it."""

    id: int
    reported_at: datetime
    channel: str
    source_id: str | None
    title: str
    description: str | None
    address: str | None
    area_no: int
    area: str
    merged_into: int | None
    merged_at: datetime | None
    merged_by: str | None


def near(conn: Db, looked: Looked) -> list[Near]:
    """Open and recently ended tickets in scope: within the radius, or in the same grid without a point of their own."""
    rows: list[Near] = []
    cursor = conn.cursor(row_factory=class_row(Near))
    values = looked._asdict() | {"most": MOST}
    if looked.lon is not None:
        rows += cursor.execute(_NEAR, values).fetchall()
    rows += cursor.execute(_SAME_AREA, values | {"any_place": looked.lon is None}).fetchall()
    return list({row.id: row for row in reversed(rows)}.values())


def voices(conn: Db, ticket_id: int) -> list[Voice]:
    """The ticket itself and all that were merged into it, directly or through others, in the order of their reports."""
    return conn.cursor(row_factory=class_row(Voice)).execute(_VOICES, {"id": ticket_id}).fetchall()


def around(conn: Db, area_no: int) -> list[int]:
    """Numbers of the areas in which a ticket of that grid or community may be the same as one that is only named."""
    rows = conn.execute(
        """
        SELECT b.no FROM area a
        JOIN area b ON b.no = a.no OR (a.level = 'grid' AND b.no = a.parent_no)
                    OR (a.level = 'community' AND b.parent_no = a.no AND b.valid_to IS NULL)
        WHERE a.no = %s
        """,
        (area_no,),
    ).fetchall()
    return [int(row[0]) for row in rows] or [area_no]


def description_of(conn: Db, ticket_id: int) -> str | None:
    """The long words of a ticket in scope."""
    row = conn.execute("SELECT description FROM ticket WHERE id = %s", (ticket_id,)).fetchone()
    return None if row is None else row[0]


_COLUMNS = """
    t.id, t.reported_at, t.closed_at, t.status, t.channel_id, t.category_id, t.title, t.description, t.address,
    t.area_no, t.location, t.geom, t.version
"""
_TOLD = """
    f.id, f.reported_at, f.closed_at, f.status::text AS status, c.code AS channel, k.code AS category, p.code AS parent,
    f.title, f.description, f.address, f.area_no, a.name AS area, f.location::text AS location,
    ST_X(f.geom) AS lon, ST_Y(f.geom) AS lat
"""
_JOINED = """
    JOIN channel c ON c.id = f.channel_id
    JOIN category k ON k.id = f.category_id
    JOIN category p ON p.id = k.parent_id
    JOIN area a ON a.no = f.area_no
"""
# The open ones have an index of their own, which is small; of the ended ones the newest months are looked through.
_OPEN = "t.closed_at IS NULL AND t.reported_at >= %(open_since)s"
_ENDED = """
    t.closed_at >= %(ended_since)s AND t.status IN ('closed', 'archived') AND t.reported_at >= %(reported_since)s
"""
_AREA = "t.area_no = ANY (%(areas)s) AND (%(any_place)s OR t.location <> 'exact')"
_OTHER = "t.id IS DISTINCT FROM %(itself)s"
# The box around the circle, in degrees; a degree of latitude has 110.6 km at least.
_BOX = """
    t.geom && ST_Expand(ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326),
                        %(radius_m)s / (110500.0 * cos(radians(%(lat)s))), %(radius_m)s / 110500.0)
    AND ST_DWithin(t.geom::geography, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography, %(radius_m)s)
"""
_NEAR = f"""
    WITH found AS (
        SELECT * FROM (
            SELECT {_COLUMNS} FROM ticket t WHERE {_OPEN} AND {_BOX} AND {_OTHER}
            ORDER BY abs(extract(epoch FROM t.reported_at - %(at)s)) LIMIT %(most)s
        ) open
        UNION ALL
        SELECT * FROM (
            SELECT {_COLUMNS} FROM ticket t WHERE {_ENDED} AND {_BOX} AND {_OTHER}
            ORDER BY abs(extract(epoch FROM t.reported_at - %(at)s)) LIMIT %(most)s
        ) ended
    )
    SELECT {_TOLD}, CASE WHEN f.location = 'exact' THEN ST_Distance(
               f.geom::geography, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography) END AS distance_m,
           f.version
    FROM found f {_JOINED}
"""  # nosec B608
_SAME_AREA = f"""
    WITH found AS (
        SELECT * FROM (
            SELECT {_COLUMNS} FROM ticket t
            WHERE {_OPEN} AND {_AREA} AND {_OTHER}
            ORDER BY abs(extract(epoch FROM t.reported_at - %(at)s)) LIMIT %(most)s
        ) open
        UNION ALL
        SELECT * FROM (
            SELECT {_COLUMNS} FROM ticket t
            WHERE {_ENDED} AND {_AREA} AND {_OTHER}
            ORDER BY abs(extract(epoch FROM t.reported_at - %(at)s)) LIMIT %(most)s
        ) ended
    )
    SELECT {_TOLD}, NULL::float8 AS distance_m, f.version FROM found f {_JOINED}
"""  # nosec B608
_VOICES = """
    WITH RECURSIVE said AS (
        SELECT id FROM ticket WHERE id = %(id)s
        UNION
        SELECT t.id FROM ticket t JOIN said s ON t.merged_into = s.id
    )
    SELECT t.id, t.reported_at, c.code AS channel, t.source_id, t.title, t.description, t.address, t.area_no,
           a.name AS area, CASE WHEN t.id <> %(id)s THEN t.merged_into END AS merged_into,
           m.at AS merged_at, m.actor AS merged_by
    FROM said JOIN ticket t USING (id)
    JOIN channel c ON c.id = t.channel_id
    JOIN area a ON a.no = t.area_no
    LEFT JOIN LATERAL (
        SELECT e.at, e.actor FROM ticket_event e
        WHERE e.ticket_id = t.id AND e.kind = 'merge' AND t.merged_into IS NOT NULL AND t.id <> %(id)s
        ORDER BY e.version DESC LIMIT 1
    ) m ON true
    ORDER BY t.reported_at, t.id
"""
