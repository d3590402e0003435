"""The whole live state of a scope at one moment, for a screen that opens or has missed something."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from geodata.queries.areas import revision
from geodata.queries.live import station_states
from geodata.queries.measures import grid_measures
from geodata.scope import Db, Scope
from profiles import Profile
from services.indicators import figures, ticker
from services.live.frames import grid_rows
from services.positions.directory import Directory
from services.positions.fix import Fix


def snapshot(
    conn: Db, scope: Scope, profile: Profile, version: int, workers: list[list[Any]]
) -> dict[str, Any]:
    """JSON as it stands; `conn` is in a transaction of that scope.

    `version` is that of the last event handed out before the transaction began, so all it did is included; later ones
    may be, which does no harm as live values are absolute.
    """
    now = datetime.now(UTC)
    return {
        "v": version,
        "now": _ms(now),
        "revision": revision(conn),
        "grids": grid_rows(grid_measures(conn, now, now.astimezone(ZoneInfo(profile.time_zone)).date())),
        "workers": workers,
        "stations": [list(station) for station in station_states(conn)],
        "figures": figures(conn, scope, profile, now),
        "ticker": ticker(conn, now),
    }


def worker_rows(fixes: Iterable[Fix], directory: Directory, scope: Scope) -> list[list[Any]]:
    """[id, lon, lat, at ms, code, grid's name, grid no] of each worker in scope; no person's name."""
    rows = []
    for fix in fixes:
        worker = directory.workers.get(fix.worker_id)
        if worker is not None and scope.holds(worker.area_no):
            reading = fix.reading
            lon, lat = round(reading.lon, 6), round(reading.lat, 6)
            rows.append([worker.id, lon, lat, reading.at_ms, worker.code, worker.area_name, worker.area_no])
    return rows


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
