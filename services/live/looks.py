"""What the live feed reads from the database, in threads of its own: measures, figures and snapshots."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from geodata.queries.measures import GridMeasure, grid_measures, grids_that_ran_late
from geodata.scope import EVERYTHING, Pool, Scope, scoped
from profiles import Profile
from services.indicators import figures
from services.live.snapshot import snapshot


class Looks:
    """Reads of one place; each raises psycopg.OperationalError while the database is away."""

    def __init__(self, pool: Pool, profile: Profile) -> None:
        self._pool, self._profile = pool, profile
        self._zone = ZoneInfo(profile.time_zone)

    def today(self) -> date:
        """The place's own day."""
        return datetime.now(self._zone).date()

    def snapshot(
        self, scope: Scope, version: int, of: int, as_of_ms: int | None, workers: list[list[Any]]
    ) -> bytes:
        """The state of a scope as JSON, at that version of that channel, with those workers."""
        with scoped(self._pool, scope) as conn:
            state = snapshot(conn, scope, self._profile, version, workers)
        return orjson.dumps(state | {"of": of, "as_of": as_of_ms})

    def measures(self, grids: list[int]) -> list[GridMeasure]:
        """Those grids as they are now."""
        with scoped(self._pool, EVERYTHING) as conn:
            return grid_measures(conn, datetime.now(UTC), self.today(), grids)

    def ran_late(self, after: datetime, until: datetime) -> list[int]:
        """Grids with a deadline that passed in between."""
        with scoped(self._pool, EVERYTHING) as conn:
            return grids_that_ran_late(conn, after, until)

    def figures(self, scope: Scope) -> Any:
        """The figures of a wall for a scope."""
        with scoped(self._pool, scope) as conn:
            return figures(conn, scope, self._profile, datetime.now(UTC))
