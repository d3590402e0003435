"""What lies inside of an incident's outline: grids and their people, posts, stations, workers, other tickets."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.queries.candidates import _ON_SHIFT, _moment
from geodata.scope import Db

AROUND_M = 100  # the outline of an incident without a perimeter, around its tickets


class Inside(NamedTuple):
    """Grids that lie whole inside, those touched, and their households and people.

    `least` counts whole grids only, `most` every grid touched, `about` each by the share of its ground inside;
    `unknown` grids have no figure of people.
    """

    whole: int
    touched: int
    unknown: int
    households_about: float
    households_least: int
    households_most: int
    people_about: float
    people_least: int
    people_most: int


class PostInside(NamedTuple):
    """A post whose place lies inside; `on_duty`: the roster has it held now."""

    id: int
    role: str
    name: str
    phone: str | None
    area_no: int
    area: str
    on_duty: bool
    lon: float
    lat: float


class StationInside(NamedTuple):
    """A video station inside."""

    id: str
    name: str
    state: str
    lon: float
    lat: float


class TicketInside(NamedTuple):
    """An open ticket inside that stands in no open incident."""

    id: int
    version: int
    reported_at: datetime
    title: str
    status: str
    category: str
    lon: float
    lat: float


def fault_of(conn: Db, geojson: str) -> str | None:
    """Why PostGIS does not take the shape for a valid one, and where; None when it does."""
    row = conn.execute(
        """
        SELECT (d.told).reason, ST_X((d.told).location), ST_Y((d.told).location), ST_Area(d.geom) > 0
        FROM (SELECT ST_IsValidDetail(g) AS told, g AS geom FROM ST_GeomFromGeoJSON(%s) g) d
        """,
        (geojson,),
    ).fetchone()
    assert row is not None
    if row[0] is not None:
        return f"{row[0]} at {row[1]:.6f}, {row[2]:.6f}"
    return None if row[3] else "it has no surface"


def outline_of(conn: Db, incident_id: int) -> str | None:
    """GeoJSON of the perimeter, or of the ground 100 m around its tickets; None without either."""
    row = conn.execute(
        """
        SELECT ST_AsGeoJSON(coalesce(i.perimeter, (
            SELECT ST_Buffer(ST_ConvexHull(ST_Collect(t.geom))::geography, %(around)s)::geometry
            FROM incident_ticket m JOIN ticket t ON t.id = m.ticket_id
            WHERE m.incident_id = i.id AND t.location IN ('exact', 'outside')
        )), 6)
        FROM incident i WHERE i.id = %(id)s
        """,
        {"id": incident_id, "around": AROUND_M},
    ).fetchone()
    return None if row is None else row[0]


def area_around(conn: Db, geojson: str) -> int | None:
    """Number of the smallest area in scope that covers the shape."""
    row = conn.execute(
        "SELECT a.no FROM area_now a, ST_GeomFromGeoJSON(%s) g WHERE a.geom && g AND ST_Covers(a.geom, g)"
        " ORDER BY a.level DESC LIMIT 1",
        (geojson,),
    ).fetchone()
    return None if row is None else int(row[0])


def inside(conn: Db, geojson: str) -> Inside:
    """Grids, households and people inside the shape, of what is in scope."""
    found = conn.cursor(row_factory=class_row(Inside)).execute(_INSIDE, (geojson,)).fetchone()
    assert found is not None
    return found


def posts(conn: Db, geojson: str, now: datetime, time_zone: str) -> list[PostInside]:
    """Posts with a place inside the shape, those on duty first."""
    return (
        conn.cursor(row_factory=class_row(PostInside))
        .execute(_POSTS, {"shape": geojson, "now": now, "zone": time_zone})
        .fetchall()
    )


def stations(conn: Db, geojson: str) -> list[StationInside]:
    """Video stations inside the shape."""
    return (
        conn.cursor(row_factory=class_row(StationInside))
        .execute(
            "SELECT s.id, s.name, s.state::text, ST_X(s.geom) AS lon, ST_Y(s.geom) AS lat"
            " FROM video_station s, ST_GeomFromGeoJSON(%s) g WHERE s.geom && g AND ST_Covers(g, s.geom) ORDER BY s.id",
            (geojson,),
        )
        .fetchall()
    )


def workers(conn: Db, geojson: str, oldest: datetime, local: datetime) -> int:
    """How many workers on shift have their latest position, taken since `oldest`, inside the shape."""
    row = conn.execute(
        f"""
        SELECT count(*) FROM worker_position p JOIN worker w ON w.id = p.worker_id, ST_GeomFromGeoJSON(%(shape)s) g
        WHERE p.geom && g AND ST_Covers(g, p.geom) AND p.at >= %(oldest)s AND w.active AND {_ON_SHIFT}
        """,  # nosec B608 # of constants alone
        _moment(local, local) | {"shape": geojson, "oldest": oldest},
    ).fetchone()
    return int(row[0]) if row else 0


def near(conn: Db, geojson: str, most: int) -> list[TicketInside]:
    """Open tickets inside the shape that stand in no open incident, the newest first."""
    return conn.cursor(row_factory=class_row(TicketInside)).execute(_NEAR, (geojson, most)).fetchall()


_INSIDE = """
    SELECT count(*) FILTER (WHERE share = 1) AS whole, count(*) AS touched,
           count(*) FILTER (WHERE population IS NULL) AS unknown,
           coalesce(sum(households * share), 0) AS households_about,
           coalesce(sum(households) FILTER (WHERE share = 1), 0) AS households_least,
           coalesce(sum(households), 0) AS households_most,
           coalesce(sum(population * share), 0) AS people_about,
           coalesce(sum(population) FILTER (WHERE share = 1), 0) AS people_least,
           coalesce(sum(population), 0) AS people_most
    FROM (
        SELECT a.households, a.population,
               CASE WHEN ST_Covers(g, a.geom) THEN 1
                    ELSE ST_Area(ST_Intersection(g, a.geom)) / ST_Area(a.geom) END AS share
        FROM area_now a, ST_GeomFromGeoJSON(%s) g
        WHERE a.level = 'grid' AND a.geom && g AND ST_Intersects(g, a.geom)
    ) grid
    WHERE share > 0
"""
_POSTS = """
    WITH turn AS (
        SELECT DISTINCT r.area_no, r.role FROM roster r, (SELECT %(now)s AT TIME ZONE %(zone)s AS local) AS moment
        WHERE r.on_date BETWEEN local::date - 1 AND local::date AND r.during @> local
    )
    SELECT k.id, k.role, k.name, k.phone, k.area_no, a.name AS area, t.role IS NOT NULL AS on_duty, ST_X(k.geom) AS lon,
           ST_Y(k.geom) AS lat
    FROM key_person k
    JOIN area a ON a.no = k.area_no
    CROSS JOIN ST_GeomFromGeoJSON(%(shape)s) g
    LEFT JOIN turn t ON t.area_no = k.area_no AND t.role = k.role
    WHERE k.kind = 'post' AND k.geom && g AND ST_Covers(g, k.geom)
    ORDER BY t.role IS NULL, a.level, k.area_no, k.role, k.id
"""
_NEAR = """
    SELECT t.id, t.version, t.reported_at, t.title, t.status::text, k.code AS category, ST_X(t.geom) AS lon,
           ST_Y(t.geom) AS lat
    FROM ticket t
    JOIN category k ON k.id = t.category_id
    CROSS JOIN ST_GeomFromGeoJSON(%s) g
    WHERE t.closed_at IS NULL AND t.location IN ('exact', 'outside') AND t.geom && g AND ST_Covers(g, t.geom)
      AND NOT EXISTS (SELECT FROM incident_ticket m WHERE m.ticket_id = t.id AND m.open)
    ORDER BY t.reported_at DESC, t.id DESC LIMIT %s
"""
