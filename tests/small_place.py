"""The small place that tests run on: a county of 2 towns × 2 communities × 3 × 3 grids on a lattice near Zoucheng."""

from datetime import UTC, datetime, timedelta

from geodata.scope import Db

WEST, SOUTH = 117.0, 35.4  # degrees, the south-west corner
STEP = 0.01  # degrees, the side of a grid
MONTHS_BACK, MONTHS_AHEAD = timedelta(days=35), timedelta(days=2)  # days whose tickets have a month to lie in
COUNTY_NO = 1_000_000_000


def grid_no(town: int, community: int, grid: int) -> int:
    """Number of a grid; all three counted from 1."""
    return COUNTY_NO + town * 1_000_000 + community * 1_000 + grid


def centre(town: int, community: int, grid: int) -> tuple[float, float]:
    """Longitude and latitude of a grid's middle."""
    column = (town - 1) * 6 + (community - 1) * 3 + (grid - 1) % 3
    row = (grid - 1) // 3
    return round(WEST + (column + 0.5) * STEP, 6), round(SOUTH + (row + 0.5) * STEP, 6)


def load_small_place(conn: Db) -> None:
    """Insert 1 county, 2 towns, 4 communities, 36 grids, and one full-time worker a grid (all-day shifts)."""
    _area(conn, COUNTY_NO, "county", "370883", "邹城市", None, None)
    for town in (1, 2):
        town_no = grid_no(town, 0, 0)
        _area(conn, town_no, "town", f"37088300{town}", ("钢山街道", "千泉街道")[town - 1], COUNTY_NO, None)
        for community in (1, 2):
            community_no = grid_no(town, community, 0)
            code = f"37088300{town}00{community}"
            _area(
                conn,
                community_no,
                "community",
                code,
                f"{'甲乙丙丁'[town * 2 + community - 3]}社区",
                town_no,
                None,
            )
            for grid in range(1, 10):
                kind = "urban" if town == 1 else "rural"
                no = grid_no(town, community, grid)
                _area(conn, no, "grid", f"{code}00{grid}", f"第{grid}网格", community_no, kind)
                _boundary(conn, no, *_box(town, community, grid))
    for level_stride in (1_000, 1_000_000, 1_000_000_000):
        conn.execute(
            """
            INSERT INTO area_boundary (area_no, version, valid, geom, label_at, source, generated)
            SELECT a.no, 1, daterange('2020-01-01', NULL), ST_Multi(ST_Union(b.geom)),
                   ST_PointOnSurface(ST_Union(b.geom)), 'tests', true
            FROM area a JOIN area_boundary b ON b.area_no BETWEEN a.no + 1 AND a.hi
            JOIN area g ON g.no = b.area_no AND g.level = 'grid'
            WHERE area_stride(a.level) = %s GROUP BY a.no
            """,
            (level_stride,),
        )
    conn.execute(
        """
        INSERT INTO worker (code, name, phone, kind, area_no, shift_from, shift_to, generated)
        SELECT 'W' || no, '测试' || right(no::text, 3), '1390000' || right(no::text, 4), 'full_time', no,
               '00:00', '24:00', true
        FROM area WHERE level = 'grid'
        """
    )
    # As few as most tests need: a month is 25 relations to copy, and a new connection's first plan looks at them all.
    make_months(conn, MONTHS_BACK.days, -MONTHS_AHEAD.days)
    conn.execute("SELECT ensure_position_days(current_date - 1, current_date + 2)")
    conn.execute("SELECT setval('area_revision', 1)")


def make_months(conn: Db, days: int, least: int = -2) -> None:
    """Make room for tickets of that many days before today, up to `least` days before it."""
    conn.execute("SELECT ensure_months('ticket', current_date - %s, current_date - %s)", (days, least))


def make_month_of(conn: Db, moment: datetime) -> None:
    """Make room for tickets of that moment's month, whatever day it is when the tests run."""
    conn.execute("SELECT ensure_months('ticket', %(at)s, %(at)s)", {"at": moment.astimezone(UTC).date()})


def _area(conn: Db, no: int, level: str, code: str, name: str, parent: int | None, kind: str | None) -> None:
    people = (220, 660) if level == "grid" else (None, None)
    conn.execute(
        """
        INSERT INTO area (no, hi, level, code_system, code, name, parent_no, kind, households, population,
                          generated, valid_from)
        VALUES (%s, %s + area_stride(%s::area_level) - 1, %s, 'grid15', %s, %s, %s, %s, %s, %s, true, '2020-01-01')
        """,
        (no, no, level, level, code, name, parent, kind, *people),
    )


def _box(town: int, community: int, grid: int) -> tuple[float, float, float, float]:
    x, y = centre(town, community, grid)
    half = STEP / 2
    return round(x - half, 6), round(y - half, 6), round(x + half, 6), round(y + half, 6)


def _boundary(conn: Db, no: int, west: float, south: float, east: float, north: float) -> None:
    conn.execute(
        """
        INSERT INTO area_boundary (area_no, version, valid, geom, label_at, source, generated)
        SELECT %s, 1, daterange('2020-01-01', NULL), ST_Multi(box), ST_Centroid(box), 'tests', true
        FROM ST_MakeEnvelope(%s, %s, %s, %s, 4326) AS box
        """,
        (no, west, south, east, north),
    )
