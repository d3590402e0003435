"""The tickets of one place in memory, counted for any time window and filter, following the live events."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from geodata.queries import heat as queries
from geodata.scope import EVERYTHING, Pool, Scope, enter
from services.heat.body import Coding, encode, packed
from services.heat.columns import Columns, Counts, Filter, Test, count, since
from services.heat.lattice import Lattice

if TYPE_CHECKING:
    from services.live import Event, Hub

log = structlog.get_logger("wangge.heat")

KEPT_FILTERS = 24
RETRY_S = 3.0
MOST_WAITING = 500  # events noted before the thread counts them without being asked
REMEMBERED = 20_000  # newest ticket ids, so that an event met twice counts once


class NotLoaded(RuntimeError):
    """The tickets are still being read into memory; ask again in a moment."""


class UnknownFilter(ValueError):
    """A category or channel code that this place does not have."""


@dataclass(slots=True)
class _Kept:
    """A counted filter: the counts follow every event, the body is made anew when it is asked for."""

    counts: Counts
    since: float
    categories: frozenset[int]
    channels: frozenset[int]
    bodies: dict[Coding, bytes]


class HeatStore:
    """The tickets of one place in memory. start() loads them in a thread and follows the live events; each answer
    carries the version of the last event it holds, so that a screen adds exactly the later ones.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = threading.Lock()  # held while counting; never by take()
        self._inbox: deque[Event] = deque()
        self._signal = threading.Event()
        self._early: list[Event] | None = None  # events met while a load runs, for the new columns too
        self._columns: Columns | None = None
        self._lattice: Lattice | None = None
        self._words: queries.Vocabulary | None = None
        self._recent: set[int] = set()
        self._kept: OrderedDict[tuple[Scope, Filter], _Kept] = OrderedDict()
        self._version = 0
        self._wanted = False
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self, hub: "Hub | None" = None) -> None:
        """Load in the background and follow the hub's events; without a hub the store stays as loaded."""
        self._stopping = False
        if hub is not None:
            hub.subscribe_events(self.take, self.reload)
        self._thread = threading.Thread(target=self._run, name="heat", daemon=True)
        self._thread.start()
        self.reload()

    def stop(self) -> None:
        """Stop the loading thread."""
        self._stopping = True
        self._signal.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def reload(self) -> None:
        """Read everything afresh, soon: events were missed or a file was imported. The old counts serve meanwhile."""
        self._wanted = True
        self._signal.set()

    @property
    def ready(self) -> bool:
        """Whether the tickets are loaded."""
        return self._columns is not None

    @property
    def size(self) -> int:
        """Number of tickets held."""
        return self._columns.used if self._columns else 0

    def take(self, events: "Iterable[Event]") -> None:
        """Note live events; quick, as it runs in the event loop. They count from the next answer on."""
        for event in events:
            if event.kind in ("areas", "reload"):
                self.reload()
            self._inbox.append(event)
        if len(self._inbox) > MOST_WAITING:
            self._signal.set()

    def body(self, scope: Scope, wanted: Filter, coding: Coding = "br") -> bytes:
        """The counts as bytes (see encode) in that coding. Raises NotLoaded and UnknownFilter."""
        with self._lock:
            kept = self._counted(scope, wanted)
            body = kept.bodies.get(coding)
            if body is None:
                assert self._lattice is not None and self._columns is not None
                body = kept.bodies[coding] = packed(
                    encode(kept.counts, self._columns.cells, self._lattice, self._version, kept.since), coding
                )
            return body

    def counts(self, scope: Scope, wanted: Filter) -> tuple[Counts, Lattice]:
        """Tickets a cell, the last for those outside, and where the cells are."""
        with self._lock:
            kept = self._counted(scope, wanted)
            assert self._lattice is not None and self._columns is not None
            counts = np.zeros(self._lattice.size + 1, np.int64)
            counts[self._columns.cells[: len(kept.counts)]] = kept.counts
            return counts, self._lattice

    def load(self) -> None:
        """Read all placed tickets now; about 1.5 s a million."""
        with self._lock:
            self._drain()
            self._early = []
        with self._pool.connection() as conn, conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            enter(conn, EVERYTHING)
            words = queries.vocabulary(conn)
            extent = queries.extent(conn) or (-180.0, -85.0, 180.0, 85.0)
            version = queries.live_version(conn)
            rows = queries.placed_tickets(conn)
        lattice = Lattice.around(*extent)
        columns = Columns.of(
            np.floor(rows["t"]).astype(np.int64),
            lattice.cells(rows["x"].astype(np.float64), rows["y"].astype(np.float64)),
            rows["category"].astype(np.int16),
            rows["channel"].astype(np.int16),
            rows["area_no"].astype(np.int64),
        )
        with self._lock:
            self._drain()
            self._columns, self._lattice, self._words = columns, lattice, words
            self._recent = set(rows["id"][-REMEMBERED:].tolist())
            self._kept.clear()
            self._version = max(self._version, version)
            for event in self._early or ():
                self._apply(event.body)
            self._early = None
        log.info("heat_loaded", tickets=len(rows), cells=lattice.size)

    def _run(self) -> None:
        while not self._stopping:
            self._signal.wait()
            self._signal.clear()
            if self._wanted and not self._stopping:
                self._wanted = False
                try:
                    self.load()
                except Exception as error:  # the database may be away: keep what we have and try again
                    log.warning("heat_not_loaded", error=str(error))
                    self._wanted = True
                    self._signal.wait(RETRY_S)
                    self._signal.set()
            with self._lock:
                self._drain()

    def _drain(self) -> None:
        """Count the events noted since; the lock is held."""
        while self._inbox:
            event = self._inbox.popleft()
            self._version = max(self._version, event.version)
            if event.kind == "ticket":
                if self._early is not None:
                    self._early.append(event)
                if self._columns is not None:
                    self._apply(event.body)

    def _apply(self, ticket: dict[str, Any]) -> None:
        """Add one ticket if it is new here and has a place."""
        assert self._columns is not None and self._lattice is not None and self._words is not None
        if ticket.get("was") is not None or ticket.get("lon") is None or ticket["id"] in self._recent:
            return
        category = self._words.category_ids.get(ticket["category"])
        channel = self._words.channels.get(ticket["channel"])
        if category is None or channel is None:
            return
        self._recent.add(ticket["id"])
        at = int(_seconds(ticket["reported_at"]))
        cell = int(self._lattice.cells(np.array([ticket["lon"]]), np.array([ticket["lat"]]))[0])
        place = self._columns.append(at, cell, category, channel, ticket["area_no"])
        for (scope, wanted), kept in self._kept.items():
            if (
                wanted.start <= at < wanted.end
                and scope.holds(ticket["area_no"])
                and (not kept.categories or category in kept.categories)
                and (not kept.channels or channel in kept.channels)
            ):
                if place >= len(kept.counts):
                    kept.counts = np.append(kept.counts, np.zeros(place + 1 - len(kept.counts), np.int64))
                kept.counts[place] += 1
                kept.bodies.clear()

    def _counted(self, scope: Scope, wanted: Filter) -> _Kept:
        self._drain()
        if self._columns is None or self._lattice is None or self._words is None:
            raise NotLoaded("The heat of the tickets is still being loaded; try again in a few seconds.")
        key = (scope, wanted)
        kept = self._kept.get(key)
        if kept is None:
            categories, channels = _ids(self._words, wanted)
            kept = _Kept(
                count(self._columns, Test(scope, wanted, categories, channels)),
                since(self._columns, wanted),
                categories,
                channels,
                {},
            )
            self._kept[key] = kept
            while len(self._kept) > KEPT_FILTERS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return kept


def _ids(words: queries.Vocabulary, wanted: Filter) -> tuple[frozenset[int], frozenset[int]]:
    unknown = [code for code in wanted.categories if code not in words.categories]
    unknown += [code for code in wanted.channels if code not in words.channels]
    if unknown:
        raise UnknownFilter(f"This place has no category or channel with the code {', '.join(unknown)}.")
    categories = frozenset[int]().union(*(words.categories[code] for code in wanted.categories))
    return categories, frozenset(words.channels[code] for code in wanted.channels)


def _seconds(moment: Any) -> float:
    """Seconds since 1970 of a time as events carry it: ISO text, or milliseconds."""
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment) / 1000
