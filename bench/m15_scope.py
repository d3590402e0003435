"""Row 15: what the scope costs on the hot reads, against the same queries on the same areas without any policy."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import psycopg
from psycopg import sql

import profiles
from bench.context import PLACE, Context
from bench.result import Result, median
from geodata.pool import make_pool
from geodata.queries import areas, points
from geodata.queries.points import Box
from geodata.scope import EVERYTHING, Db, Scope, enter
from services import area_report
from services.heat import FAR_FUTURE, Filter, HeatStore

BARS = {"town": 1.3, "county": 1.05}
DAY_S = 86_400
# What the reads below touch: without a policy each is a view of the same rows, by a range written into it.
TABLES = {
    "area": "no",
    "area_boundary": "area_no",
    "ticket": "area_no",
    "patrol": "area_no",
    "worker": "area_no",
}


class Place(NamedTuple):
    """A town, or the whole."""

    name: str
    scope: Scope
    no: int
    box: Box


def measure(context: Context) -> list[Result]:
    """Median of turns taken in alternation, so that drift meets both sides alike."""
    with psycopg.connect(context.stores.database_url) as conn:
        places = [_town(conn), _whole(conn)]
    rows = []
    with make_pool(context.stores.app_url, 2) as pool:
        store = HeatStore(pool)
        store.load()
        for place in places:
            rows += [_row(place, name, *_timed(context, place, read)) for name, read in _reads(place).items()]
            rows.append(_row(place, "heat, cold filter", *_heat(context, store, place)))
    return rows


def _row(place: Place, name: str, ours: list[float], bare: list[float]) -> Result:
    bar = BARS[place.name]
    cost = median(ours) / median(bare)
    return Result(
        f"15 scope of a {place.name}: {name}", median(ours), median(bare), "ms", f"≤ {bar:g} × without a scope",
        cost <= bar, "the same read without a policy", n=len(ours), note=f"costs {cost:.2f} times",
    )  # fmt: skip


def _reads(place: Place) -> dict[str, Callable[[Db], Any]]:
    profile = profiles.load(PLACE)
    span = area_report.span_of("week", datetime.now(UTC), profile)
    return {
        "map feed, all grids": lambda conn: areas.outlines(conn, "grid"),
        "open tickets of a box": lambda conn: points.open_tickets(conn, place.box, 2001),
        "table of children, a week": lambda conn: area_report.children(conn, place.no, span),
    }


def _timed(context: Context, place: Place, read: Callable[[Db], Any]) -> tuple[list[float], list[float]]:
    """Milliseconds with the policy and without, each read of the same answer."""
    ours: list[float] = []
    bare: list[float] = []
    found: dict[bool, int] = {}
    with (
        psycopg.connect(context.stores.database_url) as scoped_conn,
        psycopg.connect(context.stores.database_url) as bare_conn,
        _views(bare_conn, place),
    ):
        for turn in range(context.times(60, 6)):
            for conn, times in ((scoped_conn, ours), (bare_conn, bare)):
                with conn.transaction():
                    if conn is scoped_conn:
                        enter(conn, place.scope)
                    started = time.perf_counter()
                    answer = read(conn)
                    took_ms = (time.perf_counter() - started) * 1000
                if turn >= 2:
                    times.append(took_ms)
                found[conn is scoped_conn] = len(answer)
    if found[True] != found[False]:
        raise AssertionError(f"the two do not read the same: {found}")
    return ours, bare


@contextmanager
def _views(conn: Db, place: Place) -> Iterator[None]:
    """Temporary views that hide the tables of the same names: the owner reads the place's range and no policy."""
    if not place.scope.county:
        # Asked first: once a temporary view hides a table, the definition names the hidden one.
        definition = conn.execute("SELECT pg_get_viewdef('public.area_now')").fetchone()
        assert definition is not None
        for table, column in TABLES.items():
            conn.execute(
                sql.SQL("CREATE TEMP VIEW {} AS SELECT * FROM public.{} WHERE {} BETWEEN {} AND {}").format(
                    sql.Identifier(table), sql.Identifier(table), sql.Identifier(column), place.scope.lo,
                    place.scope.hi,
                )
            )  # fmt: skip
        conn.execute(sql.SQL("CREATE TEMP VIEW area_now AS {}").format(sql.SQL(definition[0].rstrip(";"))))
    conn.commit()
    yield


def _heat(context: Context, store: HeatStore, place: Place) -> tuple[list[float], list[float]]:
    """A filter never asked before, in the scope, and for the whole place, where no range is tested."""
    now = int(time.time())
    ours: list[float] = []
    bare: list[float] = []
    for length in np.geomspace(7, 365, context.times(30, 6)):
        for second, (scope, times) in enumerate(((place.scope, ours), (EVERYTHING, bare))):
            wanted = Filter(now - int(length * DAY_S) - second, FAR_FUTURE, (), ())  # known to neither
            started = time.perf_counter()
            store.body(scope, wanted)
            times.append((time.perf_counter() - started) * 1000)
    return ours, bare


def _town(conn: Db) -> Place:
    """The town with the most open tickets."""
    row = conn.execute(
        """
        SELECT a.no, a.hi FROM area a JOIN ticket t ON t.area_no BETWEEN a.no AND a.hi AND t.closed_at IS NULL
        WHERE a.level = 'town' AND a.valid_to IS NULL GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 1
        """
    ).fetchone()
    assert row is not None
    return Place("town", Scope(row[0], row[1]), row[0], _box(conn, row[0]))


def _whole(conn: Db) -> Place:
    row = conn.execute("SELECT no FROM area WHERE parent_no IS NULL AND valid_to IS NULL").fetchone()
    assert row is not None
    return Place("county", EVERYTHING, row[0], _box(conn, row[0]))


def _box(conn: Db, no: int) -> Box:
    row = conn.execute(
        "SELECT ST_XMin(g), ST_YMin(g), ST_XMax(g), ST_YMax(g) FROM (SELECT geom AS g FROM area_now WHERE no = %s) b",
        (no,),
    ).fetchone()
    assert row is not None
    return Box(*row)
