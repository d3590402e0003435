"""Ways along imported roads: where somebody gets onto one, and what it takes from node to node (pgRouting)."""

from collections.abc import Sequence
from typing import NamedTuple

from geodata.scope import Db

Bounds = tuple[float, float, float, float]
CLOSE_M = 150.0  # nearly everybody is so close to a road; who is not is looked for again within the reach


class Stand(NamedTuple):
    """Where a place reaches a road: the piece, and how much of its length lies behind that point (0 to 1).

    Seconds along the whole piece, either way (-1 = closed); metres from the place to the point; the point in degrees.
    """

    id: int
    edge: int
    source: int
    target: int
    cost_s: float
    reverse_s: float
    part: int
    along: float
    off_m: float
    lon: float
    lat: float


def fastest_kmh(conn: Db) -> float | None:
    """The speed of the fastest road; None where no roads were imported."""
    row = conn.execute("SELECT fastest_kmh FROM road_net", prepare=True).fetchone()
    return None if row is None else float(row[0])


def stands(conn: Db, places: Sequence[tuple[int, float, float]], reach_m: float) -> dict[int, Stand]:
    """The nearest road of each place (id, degrees east, degrees north; EPSG:4326); none beyond the reach."""
    rows = conn.execute(
        f"""
        SELECT p.id, e.id, e.source, e.target, e.cost_s, e.reverse_s, e.part,
               ST_LineLocatePoint(e.geom, e.onto), e.off_m, ST_X(e.onto), ST_Y(e.onto)
        FROM (SELECT id, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom, 111000 * cosd(lat) AS east_m
              FROM unnest(%(ids)s::bigint[], %(lons)s::float8[], %(lats)s::float8[]) AS given (id, lon, lat)
              OFFSET 0) AS p
        CROSS JOIN LATERAL (
            {_nearest("%(close)s::float8")} UNION ALL {_nearest("%(reach)s::float8")}
            LIMIT 1  -- the second is looked into only where the first finds nothing
        ) AS e
        """,  # nosec B608 # of constants alone
        {
            "ids": [place[0] for place in places], "lons": [place[1] for place in places],
            "lats": [place[2] for place in places], "close": min(CLOSE_M, reach_m), "reach": reach_m,
        },
        prepare=True,
    ).fetchall()  # fmt: skip
    return {row[0]: Stand(*row) for row in rows}


def _nearest(within_m: str) -> str:
    """The nearest road to p within a box: an index walked from the nearest on takes several times as long."""
    return f"""
        (SELECT * FROM (
            SELECT boxed.*, ST_DistanceSphere(boxed.onto, p.geom) AS off_m
            FROM (SELECT *, ST_ClosestPoint(geom, p.geom) AS onto FROM road_edge
                  WHERE geom && ST_Expand(p.geom, {within_m} / p.east_m, {within_m} / 111000) OFFSET 0) AS boxed
         ) AS found WHERE off_m <= {within_m} ORDER BY off_m LIMIT 1)"""  # nosec B608 # of constants alone


def costs(
    conn: Db, nodes: Sequence[int], goals: Sequence[int], within: Bounds
) -> dict[tuple[int, int], float]:
    """Seconds from each of the nodes to each of the goals, by roads that touch those bounds (degrees); (node, goal).

    What cannot be reached there is left out. The search runs once a goal, against the traffic, until all nodes are met.
    """
    rows = conn.execute(
        """
        SELECT end_vid, start_vid, agg_cost FROM pgr_dijkstraCost(
            format('SELECT id, target AS source, source AS target, cost_s AS cost, reverse_s AS reverse_cost'
                   ' FROM road_edge WHERE geom && ST_MakeEnvelope(%%s, %%s, %%s, %%s, 4326)',
                   %s::float8, %s::float8, %s::float8, %s::float8),
            %s::bigint[], %s::bigint[], true)
        """,
        (*within, sorted(set(goals)), sorted(set(nodes))),
        prepare=True,
    ).fetchall()
    found = {(node, goal): float(seconds) for node, goal, seconds in rows}
    return found | {(goal, goal): 0.0 for goal in goals}
