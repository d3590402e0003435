"""Heat: all placed tickets as columns in memory, counted per fine cell for any time window and filter."""

import gzip
import math
import struct
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import brotli
import numpy as np
import numpy.typing as npt
import structlog

from geodata.queries import heat as queries
from geodata.scope import EVERYTHING, Pool, Scope, enter

if TYPE_CHECKING:
    from services.live import Event, Hub

log = structlog.get_logger("wangge.heat")

Counts = npt.NDArray[np.int64]
Coding = Literal["br", "gzip", "identity"]

FINEST = 19  # 2**19 cells around the world: 62 m on the ground at 35° north
MOST_CELLS = 4_000_000
MAGIC = b"WGH1"
HEADER = struct.Struct("<4s5I2I2d")
KEPT_FILTERS = 24
RETRY_S = 3.0
MOST_WAITING = 500  # events noted before the thread counts them without being asked
REMEMBERED = 20_000  # newest ticket ids, so that an event met twice counts once
FAR_FUTURE = 1 << 40


class NotLoaded(RuntimeError):
    """The tickets are still being read into memory; ask again in a moment."""


class UnknownFilter(ValueError):
    """A category or channel code that this place does not have."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is counted: reported in [start, end) (seconds since 1970); empty categories or channels mean all."""

    start: int = 0
    end: int = FAR_FUTURE
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lattice:
    """Square cells of web Mercator, 2**exponent around the world; x0, y0 is the north-west cell."""

    exponent: int
    x0: int
    y0: int
    width: int
    height: int

    @staticmethod
    def around(west: float, south: float, east: float, north: float) -> "Lattice":
        """The lattice that covers a box in degrees, as fine as allowed."""
        for exponent in range(FINEST, 0, -1):
            left, right = _column(np.array([west, east]), exponent)
            top, bottom = _row(np.array([north, south]), exponent)
            width, height = int(right - left) + 1, int(bottom - top) + 1
            if width * height <= MOST_CELLS:
                break
        return Lattice(exponent, int(left), int(top), width, height)

    @property
    def size(self) -> int:
        """Number of cells, and the index of the one for "outside"."""
        return self.width * self.height

    def cells(self, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """Cell index (row by row from the north-west) of each point in degrees; `size` when outside."""
        x = _column(lon, self.exponent) - self.x0
        y = _row(lat, self.exponent) - self.y0
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        return np.where(inside, y * self.width + x, self.size).astype(np.int32)


@dataclass(slots=True)
class Columns:
    """One value a ticket; times (seconds since 1970) ascend in the first `ordered` rows."""

    t: npt.NDArray[np.int64]
    cell: npt.NDArray[np.int32]
    category: npt.NDArray[np.int16]
    channel: npt.NDArray[np.int16]
    area_no: npt.NDArray[np.int64]
    used: int
    ordered: int

    def append(self, t: int, cell: int, category: int, channel: int, area_no: int) -> None:
        """Add one ticket at the end, making room by doubling."""
        if self.used == len(self.t):
            room = max(1024, len(self.t))
            for name in ("t", "cell", "category", "channel", "area_no"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros(room, column.dtype)]))
        at = self.used
        self.t[at], self.cell[at], self.category[at] = t, cell, category
        self.channel[at], self.area_no[at] = channel, area_no
        self.used += 1


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
                assert self._lattice is not None
                body = kept.bodies[coding] = _packed(
                    encode(kept.counts, self._lattice, self._version, kept.since), coding
                )
            return body

    def counts(self, scope: Scope, wanted: Filter) -> tuple[Counts, Lattice]:
        """Tickets a cell, and where the cells are."""
        with self._lock:
            kept = self._counted(scope, wanted)
            assert self._lattice is not None
            return kept.counts.copy(), self._lattice

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
        columns = Columns(
            np.floor(rows["t"]).astype(np.int64),
            lattice.cells(rows["x"].astype(np.float64), rows["y"].astype(np.float64)),
            rows["category"].astype(np.int16),
            rows["channel"].astype(np.int16),
            rows["area_no"].astype(np.int64),
            len(rows),
            len(rows),
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
        self._columns.append(at, cell, category, channel, ticket["area_no"])
        for (scope, wanted), kept in self._kept.items():
            if (
                wanted.start <= at < wanted.end
                and scope.holds(ticket["area_no"])
                and (not kept.categories or category in kept.categories)
                and (not kept.channels or channel in kept.channels)
            ):
                kept.counts[cell] += 1
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
                _count(self._columns, self._lattice, _Test(scope, wanted, categories, channels)),
                _since(self._columns, wanted),
                categories,
                channels,
                {},
            )
            self._kept[key] = kept
            while len(self._kept) > KEPT_FILTERS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return kept


def encode(counts: Counts, lattice: Lattice, version: int, since: float) -> bytes:
    """Counts as bytes, little-endian: "WGH1", u32 exponent, x0, y0, width, height, u32 cells, u32 tickets, f64 version,
    f64 since (seconds since 1970 of the first ticket counted, 0 if none), then LEB128 numbers: the gaps between the
    indices of cells that hold tickets, then the counts of those cells.
    """
    inside = counts[: lattice.size]
    cells = np.flatnonzero(inside)
    gaps = np.diff(cells, prepend=0)
    head = HEADER.pack(
        MAGIC, lattice.exponent, lattice.x0, lattice.y0, lattice.width, lattice.height, len(cells),
        int(inside.sum()), float(version), float(since),
    )  # fmt: skip
    return head + varints(gaps) + varints(inside[cells])


def _packed(plain: bytes, coding: Coding) -> bytes:
    if coding == "br":
        return bytes(brotli.compress(plain, quality=3))
    return gzip.compress(plain, 4) if coding == "gzip" else plain


def varints(numbers: npt.NDArray[np.int64]) -> bytes:
    """LEB128 of non-negative numbers, vectorised: most need one byte, the others get theirs inserted after it."""
    first = numbers.astype(np.uint8) & 0x7F
    after = np.flatnonzero(numbers >= 0x80)
    if not len(after):
        return first.tobytes()
    first[after] |= 0x80
    rest = numbers[after] >> 7
    further: list[npt.NDArray[np.uint8]] = []
    places: list[npt.NDArray[np.intp]] = []
    while len(rest):
        more = rest >= 0x80
        further.append((rest & 0x7F).astype(np.uint8) | np.where(more, np.uint8(0x80), np.uint8(0)))
        places.append(after)
        rest, after = rest[more] >> 7, after[more]
    place = np.concatenate(places)
    order = np.argsort(place, kind="stable")
    return np.insert(first, place[order] + 1, np.concatenate(further)[order]).tobytes()


def _since(columns: Columns, wanted: Filter) -> float:
    """When the first ticket of a window was reported, whatever else it is filtered by; 0 without any."""
    first = int(np.searchsorted(columns.t[: columns.ordered], wanted.start))
    return float(columns.t[first]) if first < columns.ordered and columns.t[first] < wanted.end else 0.0


@dataclass(frozen=True, slots=True)
class _Test:
    """Which rows count."""

    scope: Scope
    window: Filter
    categories: frozenset[int]
    channels: frozenset[int]


def _count(columns: Columns, lattice: Lattice, test: _Test) -> Counts:
    start, end = test.window.start, test.window.end
    first, last = np.searchsorted(columns.t[: columns.ordered], (start, end))
    total = _count_part(columns, slice(int(first), int(last)), lattice, test)
    if columns.used > columns.ordered:  # live tickets, in order of arrival
        late = columns.t[columns.ordered : columns.used]
        timely = (late >= start) & (late < end)
        total += _count_part(columns, slice(columns.ordered, columns.used), lattice, test, timely)
    return total


def _count_part(
    columns: Columns, part: slice, lattice: Lattice, test: _Test, *more: npt.NDArray[np.bool_]
) -> Counts:
    tests = list(more)
    if not test.scope.county:
        no = columns.area_no[part]
        inside = [(no >= lo) & (no <= hi) for lo, hi in test.scope.ranges]
        tests.append(np.logical_or.reduce(inside))
    if test.categories:
        tests.append(_among(test.categories)[columns.category[part]])
    if test.channels:
        tests.append(_among(test.channels)[columns.channel[part]])
    cells = columns.cell[part]
    if tests:
        cells = cells[np.logical_and.reduce(tests) if len(tests) > 1 else tests[0]]
    return np.bincount(cells, minlength=lattice.size + 1)


def _among(ids: frozenset[int]) -> npt.NDArray[np.bool_]:
    table = np.zeros(1 << 15, np.bool_)
    table[list(ids)] = True
    return table


def _ids(words: queries.Vocabulary, wanted: Filter) -> tuple[frozenset[int], frozenset[int]]:
    unknown = [code for code in wanted.categories if code not in words.categories]
    unknown += [code for code in wanted.channels if code not in words.channels]
    if unknown:
        raise UnknownFilter(f"This place has no category or channel with the code {', '.join(unknown)}.")
    categories = frozenset[int]().union(*(words.categories[code] for code in wanted.categories))
    return categories, frozenset(words.channels[code] for code in wanted.channels)


def _column(lon: npt.NDArray[np.float64], exponent: int) -> npt.NDArray[np.int64]:
    return np.floor((lon / 360 + 0.5) * (1 << exponent)).astype(np.int64)


def _row(lat: npt.NDArray[np.float64], exponent: int) -> npt.NDArray[np.int64]:
    sine = np.sin(np.radians(np.clip(lat, -85.05, 85.05)))
    south = 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * math.pi)
    rows: npt.NDArray[np.int64] = np.floor(south * (1 << exponent)).astype(np.int64)
    return rows


def _seconds(moment: Any) -> float:
    """Seconds since 1970 of a time as events carry it: ISO text, or milliseconds."""
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment) / 1000
