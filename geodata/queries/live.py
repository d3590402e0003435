"""What the live state reads beside the measures: states of stations, and how far the place reaches."""

from typing import NamedTuple

from geodata.scope import Db


class StationState(NamedTuple):
    """A video station and what its stream was last found to be."""

    id: str
    state: str


def station_states(conn: Db) -> list[StationState]:
    """All video stations in scope."""
    rows = conn.execute("SELECT id, state::text FROM video_station ORDER BY id").fetchall()
    return [StationState(*row) for row in rows]


def place_bounds(conn: Db) -> tuple[float, float, float, float] | None:
    """West, south, east, north (degrees, EPSG:4326) of all top areas in scope; None without a boundary."""
    row = conn.execute(
        """
        SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)
        FROM (SELECT ST_Extent(geom) AS box FROM area_now WHERE parent_no IS NULL) AS extent
        """
    ).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1], row[2], row[3])
