"""The heat store: counts equal to counting one by one, for any window and filter, and kept by events as by a reload."""

import random
import struct
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import brotli
import numpy as np
import psycopg
import pytest

from geodata.pool import make_pool
from geodata.scope import EVERYTHING, Pool, Scope
from geodata.servers import Stores
from services.heat import Filter, HeatStore, NotLoaded, UnknownFilter
from services.heat.body import HEADER, encode, varints
from services.heat.lattice import Lattice
from tests.small_place import COUNTY_NO, centre, grid_no, make_months
from tests.waiting import until

NOW = datetime.now(UTC).replace(microsecond=0)
Row = tuple[datetime, float, float, str, str, int]


def some_rows(count: int) -> list[Row]:
    """Tickets at odd places of the 36 grids, over 60 days."""
    rng = random.Random(5)
    rows = []
    for _ in range(count):
        town, community, grid = rng.randint(1, 2), rng.randint(1, 2), rng.randint(1, 9)
        x, y = centre(town, community, grid)
        at = NOW - timedelta(seconds=rng.randrange(60 * 86400))
        rows.append((at, x + rng.uniform(-0.004, 0.004), y + rng.uniform(-0.004, 0.004),
                     rng.choice(["01001", "01002", "02001", "02002"]), rng.choice(["grid", "12345", "petition"]),
                     grid_no(town, community, grid)))  # fmt: skip
    return rows


ROWS = some_rows(500)


@pytest.fixture(scope="module")
def heat_pool(module_clone: Stores) -> Iterator[Pool]:
    """A database with those tickets, one on a shared point and one without a place."""
    with psycopg.connect(module_clone.database_url) as conn:
        make_months(conn, 61)
        for at, x, y, category, channel, no in ROWS:
            insert(conn, at, x, y, category, channel, no)
        insert(conn, NOW, 117.0, 35.4, "01001", "grid", COUNTY_NO, "shared_point")
    with make_pool(module_clone.database_url, size=3) as pool:
        yield pool


def insert(
    conn: Any, at: datetime, x: float, y: float, category: str, channel: str, no: int, quality: str = "exact"
) -> int:
    row = conn.execute(
        """
        INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status)
        SELECT %s, c.id, k.id, 't', ST_SetSRID(ST_MakePoint(%s, %s), 4326), %s, %s, 'accepted'
        FROM channel c, category k WHERE c.code = %s AND k.code = %s RETURNING id
        """,
        (at, x, y, quality, no, channel, category),
    ).fetchone()
    return int(row[0])


@pytest.fixture(scope="module")
def store(heat_pool: Pool) -> HeatStore:
    loaded = HeatStore(heat_pool)
    loaded.load()
    return loaded


def one_by_one(
    lattice: Lattice, rows: list[Row], scope: Scope, wanted: Filter, classes: set[str], channels: set[str]
) -> Counter[int]:
    found: Counter[int] = Counter()
    for at, x, y, category, channel, no in rows:
        if not wanted.start <= int(at.timestamp()) < wanted.end or not scope.holds(no):
            continue
        if (classes and category[:2] not in classes and category not in classes) or (
            channels and channel not in channels
        ):
            continue
        found[int(lattice.cells(np.array([x]), np.array([y]))[0])] += 1
    return found


WEEK = int((NOW - timedelta(days=7)).timestamp())
TOWN = Scope(grid_no(1, 0, 0), grid_no(1, 999, 999))


@pytest.mark.parametrize(
    ("scope", "wanted"),
    [
        (EVERYTHING, Filter()),
        (EVERYTHING, Filter(start=WEEK)),
        (EVERYTHING, Filter(start=WEEK - 86400, end=WEEK)),
        (EVERYTHING, Filter(start=WEEK - 50 * 86400, end=WEEK)),
        (EVERYTHING, Filter(categories=("01",))),
        (EVERYTHING, Filter(categories=("02001", "01"), channels=("12345", "petition"))),
        (TOWN, Filter()),
        (TOWN, Filter(start=WEEK, categories=("01002",), channels=("grid",))),
        (EVERYTHING, Filter(start=2_000_000_000, end=2_000_000_001)),
    ],
)
def test_counts_equal_counting_one_by_one(store: HeatStore, scope: Scope, wanted: Filter) -> None:
    counts, lattice = store.counts(scope, wanted)
    expected = one_by_one(lattice, ROWS, scope, wanted, set(wanted.categories), set(wanted.channels))
    assert {int(cell): int(counts[cell]) for cell in np.flatnonzero(counts)} == dict(expected)


def test_a_point_that_many_share_is_no_place(store: HeatStore) -> None:
    assert store.size == len(ROWS)


def decode(body: bytes) -> tuple[dict[int, int], tuple[Any, ...]]:
    """What the browser does with a feed."""
    head = HEADER.unpack_from(body)
    numbers, value, shift = [], 0, 0
    for byte in body[HEADER.size :]:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value, shift = 0, 0
    cells = head[6]
    assert len(numbers) == 2 * cells
    return dict(zip(np.cumsum(numbers[:cells]).tolist(), numbers[cells:], strict=True)), head


def test_the_feed_says_what_was_counted(store: HeatStore) -> None:
    counts, lattice = store.counts(EVERYTHING, Filter())
    found, head = decode(brotli.decompress(store.body(EVERYTHING, Filter())))
    assert found == {int(cell): int(counts[cell]) for cell in np.flatnonzero(counts)}
    assert head[0] == b"WGH1" and head[1:6] == (
        lattice.exponent,
        lattice.x0,
        lattice.y0,
        lattice.width,
        lattice.height,
    )
    assert head[7] == len(ROWS) and head[9] == min(int(row[0].timestamp()) for row in ROWS)


@pytest.mark.parametrize("numbers", [[], [0], [127, 128, 16383, 16384, 2**28, 2**34], list(range(300))])
def test_leb128(numbers: list[int]) -> None:
    lattice = Lattice(19, 0, 0, 1, 1)
    packed = varints(np.array(numbers, np.int64))
    head = struct.pack("<4s5I2I2d", b"WGH1", 19, 0, 0, 1, 1, 0, 0, 0.0, 0.0)
    assert encode(np.zeros(1, np.int64), np.zeros(1, np.int32), lattice, 0, 0)[: HEADER.size] == head
    read, value, shift = [], 0, 0
    for byte in packed:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            read.append(value)
            value, shift = 0, 0
    assert read == numbers


def test_a_lattice_covers_its_box_with_cells_of_62_metres() -> None:
    lattice = Lattice.around(116.7, 35.1, 117.5, 35.6)
    assert lattice.exponent == 19
    corners = lattice.cells(np.array([116.7, 117.5, 116.7]), np.array([35.6, 35.1, 36.0]))
    assert corners[0] == 0 and corners[1] == lattice.size - 1
    assert corners[2] == lattice.size, "outside has an index of its own"
    assert Lattice.around(70, 10, 130, 50).size <= 4_000_000, "a wide box gets coarser cells"


def event(version: int, ticket: int, row: Row, was: str | None = None) -> Any:
    at, x, y, category, channel, no = row
    body = {"id": ticket, "was": was, "lon": x, "lat": y, "category": category, "channel": channel, "area_no": no,
            "reported_at": at.isoformat()}  # fmt: skip
    return SimpleNamespace(version=version, kind="ticket", area_no=no, body=body)


def test_stale_and_events_equal_fresh(clone: Stores) -> None:
    """Counts asked for before, followed by events, equal those of a store that loads afterwards."""
    filters = [(EVERYTHING, Filter()), (TOWN, Filter(start=WEEK)), (EVERYTHING, Filter(categories=("01",)))]
    with (
        psycopg.connect(clone.database_url, autocommit=True) as conn,
        make_pool(clone.database_url, size=2) as pool,
    ):
        make_months(conn, 61)
        for row in ROWS[:50]:
            insert(conn, *row)
        stale = HeatStore(pool)
        stale.load()
        for scope, wanted in filters:
            stale.body(scope, wanted)
        events = [event(i + 1, insert(conn, *row), row) for i, row in enumerate(ROWS[50:120])]
        stale.take(events)
        stale.take(events[:10])  # met twice
        stale.take([event(200, events[0].body["id"], ROWS[50], was="accepted")])  # a step is no new ticket
        fresh = HeatStore(pool)
        fresh.load()
        for scope, wanted in filters:
            assert (stale.counts(scope, wanted)[0] == fresh.counts(scope, wanted)[0]).all()
        told, head = decode(brotli.decompress(stale.body(EVERYTHING, Filter())))
        assert head[8] == 200, "the version it holds"
        assert told == decode(brotli.decompress(fresh.body(EVERYTHING, Filter())))[0]
        anew = Filter(start=1)  # the live tickets' own cells are among those counted now
        assert (stale.counts(EVERYTHING, anew)[0] == fresh.counts(EVERYTHING, anew)[0]).all()
        stale.load()
        assert (stale.counts(*filters[0])[0] == fresh.counts(*filters[0])[0]).all(), (
            "a reload counts nothing twice"
        )


def test_it_says_when_it_is_not_ready_or_asked_for_the_unknown(store: HeatStore, heat_pool: Pool) -> None:
    with pytest.raises(NotLoaded):
        HeatStore(heat_pool).body(EVERYTHING, Filter())
    with pytest.raises(UnknownFilter, match="nonsense"):
        store.body(EVERYTHING, Filter(categories=("nonsense",)))


def test_it_loads_by_itself_and_follows_a_hub(heat_pool: Pool) -> None:
    class Hub:
        def subscribe_events(self, callback: Any, on_gap: Any = None) -> None:
            self.callback, self.on_gap = callback, on_gap

    hub, store = Hub(), HeatStore(heat_pool)
    store.start(hub)  # type: ignore[arg-type]
    try:
        until(lambda: store.ready)
        hub.callback([event(7, 10**9, ROWS[0])])
        assert store.counts(EVERYTHING, Filter())[0].sum() == len(ROWS) + 1
        hub.on_gap()
    finally:
        store.stop()
