"""The workers as the map shows them now: who has moved, and who is not shown any more."""

import math
import time
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from geodata.scope import Scope
from services.live.frames import Move
from services.positions.directory import Directory, on_shift
from services.positions.fix import Fix

ABSENT = (math.nan, math.nan)


class Crew:
    """Last fix of each worker; `latest` keeps those that are not shown, as the next fix is judged by it."""

    def __init__(self, directory: Directory, gone_s: int) -> None:
        self.latest: dict[int, Fix] = {}
        self._directory = directory
        self._gone_ms = gone_s * 1000
        self._shown: set[int] = set()
        self._changed: dict[int, int] = {}  # worker id → turn of its last change
        self._areas: dict[int, int] = {}
        self.turn = 0
        self.hidden_at = time.monotonic()  # when somebody was last taken off

    def take(self, fixes: Iterable[Fix]) -> None:
        """Note fixes; an older one than the last of the same worker is history only."""
        self.turn += 1
        for fix in fixes:
            known = self.latest.get(fix.worker_id)
            if known is None or fix.reading.at_ms >= known.reading.at_ms:
                self.latest[fix.worker_id] = fix
                self._shown.add(fix.worker_id)
                self._areas[fix.worker_id] = fix.area_no
                self._changed[fix.worker_id] = self.turn

    def hide_gone(self, now_ms: int) -> None:
        """Take off those whose last fix is too old or who are not on shift now."""
        zone = ZoneInfo(self._directory.time_zone)
        self.turn += 1
        for worker_id in tuple(self._shown):
            worker = self._directory.workers.get(worker_id)
            too_old = now_ms - self.latest[worker_id].reading.at_ms > self._gone_ms
            if too_old or (worker is not None and not on_shift(worker, now_ms, zone)):
                self._shown.discard(worker_id)
                self.hidden_at = time.monotonic()
                self._changed[worker_id] = self.turn

    def shown(self) -> list[Fix]:
        """The last fixes of all that are shown."""
        return [self.latest[worker_id] for worker_id in self._shown]

    def moves(self, scope: Scope, since: int = 0) -> list[Move]:
        """Changes in scope after that turn; those taken off have no place."""
        now_ms = int(time.time() * 1000)
        return [
            self._move(worker_id, now_ms)
            for worker_id, turn in self._changed.items()
            if turn > since and scope.holds(self._areas[worker_id])
        ]

    def all_moves(self, scope: Scope) -> list[Move]:
        """All that are shown in scope."""
        now_ms = int(time.time() * 1000)
        return [self._move(w, now_ms) for w in self._shown if scope.holds(self._areas[w])]

    def _move(self, worker_id: int, now_ms: int) -> Move:
        if worker_id not in self._shown:
            return Move(worker_id, *ABSENT, 0)
        reading = self.latest[worker_id].reading
        return Move(worker_id, reading.lon, reading.lat, max(0, (now_ms - reading.at_ms) // 1000))
