"""The measures of grids, taken anew a moment after news of a grid or a deadline that passed in it."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import psycopg
import structlog

from geodata.queries.measures import GridMeasure
from services.live.looks import Looks

log = structlog.get_logger("wangge.live")
WATCH_S = 2.0
RETRY_S = 0.5


class Measuring:
    """Colours follow the news: people read first, and many changes are one measure. For one event loop.

    The callbacks run in it: is_wanted() whether anybody would be told, on_measures(list of GridMeasure) of all grids
    that changed, on_late(grids with a deadline that passed), on_new_day() at the place's midnight, which changes the
    days since a patrol everywhere.
    """

    def __init__(
        self,
        looks: Looks,
        interval_s: float,
        is_wanted: Callable[[], bool],
        on_measures: Callable[[list[GridMeasure]], None],
        on_late: Callable[[list[int]], None],
        on_new_day: Callable[[], None],
    ) -> None:
        self._looks, self._interval_s = looks, interval_s
        self._is_wanted, self._on_measures = is_wanted, on_measures
        self._on_late, self._on_new_day = on_late, on_new_day
        self._changed: set[int] = set()  # grids to be measured
        self._unmeasured = asyncio.Event()
        self._known = 0  # version of the last news that was noted
        self._life = 0  # grows with every forgetting
        self.version = 0  # up to that one all changed grids were measured
        self.postgres_ok = False

    def note(self, version: int, grids: Iterable[int]) -> None:
        """The news up to that version changed those grids."""
        self._known = version
        self._changed.update(grids)
        self._unmeasured.set()

    def forget(self, version: int) -> None:
        """Everybody is about to take a snapshot at that version: all that changed before it is part of the past."""
        self._life += 1
        self._changed.clear()
        self._known = self.version = version

    async def run(self) -> None:
        """Measure for ever what changed; a database that is away is waited for."""
        while True:
            await self._unmeasured.wait()
            await asyncio.sleep(self._interval_s)
            self._unmeasured.clear()
            try:
                await self._measure()
            except psycopg.Error as error:
                self.postgres_ok = False
                log.warning("live measures wait for the database", error=str(error).strip())
                self._unmeasured.set()
                await asyncio.sleep(RETRY_S)

    async def watch(self) -> None:
        """Notice for ever what only time changes: deadlines that pass, and a new day."""
        looked_at, today = datetime.now(UTC) - timedelta(seconds=WATCH_S), self._looks.today()
        while True:
            now = datetime.now(UTC)
            try:
                late = await asyncio.to_thread(self._looks.ran_late, looked_at, now)
            except psycopg.Error:
                self.postgres_ok = False
            else:
                self.postgres_ok = True
                looked_at = now
                if late:
                    self.note(self._known, late)
                    self._on_late(late)
            if self._looks.today() != today:
                today = self._looks.today()
                self._on_new_day()
            await asyncio.sleep(WATCH_S)

    async def _measure(self) -> None:
        life, version = self._life, self._known
        changed, self._changed = self._changed, set()  # who changes meanwhile is measured again
        measures: list[GridMeasure] = []
        if changed and self._is_wanted():
            try:
                measures = await asyncio.to_thread(self._looks.measures, sorted(changed))
            except psycopg.Error:
                self._changed |= changed
                raise
        if life != self._life:
            return
        self.version = version
        self._on_measures(measures)
