"""Ways along imported roads: where somebody gets onto one, and what it takes from node to node (pgRouting)."""

from collections.abc import Sequence
from typing import NamedTuple

from geodata.scope import Db

Bounds = tuple[float, float, float, float]
CLOSE_M = (
    150  # nearly everybody is so close to a road, and a box is looked into quicker than the nearest is sought
)
NEAREST = 3  # roads looked at beyond: the nearest in degrees is not always the nearest in metres
_POINT = "ST_ClosestPoint(geom, p.geom)"
_ONTO = "n.*, ST_DistanceSphere(n.onto, p.geom) AS off_m"
_CLOSE_BY = f"ST_Expand(p.geom, {CLOSE_M} / (111000 * cosd(p.lat)), {CLOSE_M} / 111000.0)"


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
        FROM (SELECT id, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom, lat
              FROM unnest(%s::bigint[], %s::float8[], %s::float8[]) AS given (id, lon, lat) OFFSET 0) AS p
        CROSS JOIN LATERAL (
            (SELECT * FROM (
                SELECT {_ONTO} FROM (SELECT *, {_POINT} AS onto FROM road_edge WHERE geom && {_CLOSE_BY} OFFSET 0) AS n
             ) AS close WHERE off_m <= {CLOSE_M} ORDER BY off_m LIMIT 1)
            UNION ALL
            (SELECT {_ONTO} FROM (SELECT *, {_POINT} AS onto FROM road_edge
                                  ORDER BY geom <-> p.geom LIMIT {NEAREST}) AS n
             ORDER BY off_m LIMIT 1)
            LIMIT 1  -- the second is looked for only where the first finds nothing
        ) AS e
        WHERE e.off_m <= %s
        """,  # nosec B608 # of constants alone
        (*([list(column) for column in zip(*places, strict=True)] or [[], [], []]), reach_m),
        prepare=True,
    ).fetchall()
    return {row[0]: Stand(*row) for row in rows}


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
