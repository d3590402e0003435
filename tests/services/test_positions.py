"""Shifts, the history of positions, patrols and retention."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from geodata.leader import job_session
from geodata.queries.positions import drained_to
from geodata.queries.workers import WorkerRow
from geodata.scope import Db
from geodata.servers import Stores
from services.positions import history as upkeep
from services.positions.directory import on_shift
from services.positions.fix import SIZE, Fix, Reading, pack, stream_key, unpack
from services.positions.history import History
from settings import Settings
from tests.conftest import PRODUCT_MONTHS
from tests.small_place import centre, grid_no

ZONE = ZoneInfo("Asia/Shanghai")
finite = st.floats(-180, 180)
maybe = st.none() | st.floats(0, 1000, width=32)


@given(st.lists(st.builds(
    Fix, st.integers(0, 2**32 - 1), st.integers(0, 2**62), st.integers(0, 2**50),
    st.builds(Reading, st.integers(0, 2**50), finite, finite, maybe, maybe, maybe, maybe),
)))  # fmt: skip
def test_fixes_survive_packing(fixes: list[Fix]) -> None:
    packed = b"".join(map(pack, fixes))
    assert len(packed) == SIZE * len(fixes) and unpack(packed) == fixes


@pytest.mark.parametrize(
    ("shift", "days", "moment", "on"),
    [
        (("08:00", "17:00"), 0b0011111, "2026-01-09 08:00", True),  # a Friday
        (("08:00", "17:00"), 0b0011111, "2026-01-09 17:00", False),
        (("08:00", "17:00"), 0b0011111, "2026-01-10 12:00", False),
        (("00:00", "24:00"), 0b1111111, "2026-01-10 23:59", True),
        (("22:00", "06:00"), 0b0010000, "2026-01-09 23:00", True),
        (("22:00", "06:00"), 0b0010000, "2026-01-10 05:59", True),  # began on Friday
        (("22:00", "06:00"), 0b0010000, "2026-01-09 05:00", False),
        (("22:00", "06:00"), 0b0010000, "2026-01-10 22:30", False),
    ],
)
def test_shifts(shift: tuple[str, str], days: int, moment: str, on: bool) -> None:
    starts, ends = (int(text[:2]) * 60 + int(text[3:]) for text in shift)
    worker = WorkerRow(1, "W1", "full_time", 1, "第1网格", starts, ends, days)
    at = datetime.fromisoformat(moment).replace(tzinfo=ZONE)
    assert on_shift(worker, int(at.timestamp() * 1000), ZONE) is on


@pytest.fixture
def history(clone: Stores) -> History:
    return History(clone, Settings(position_retention_days=30), "Asia/Shanghai")


@pytest.fixture
def session(clone: Stores) -> Iterator[Db]:
    with job_session(clone.database_url, "test") as conn:
        yield conn


def send(stores: Stores, *fixes: Fix) -> None:
    with redis.Redis.from_url(stores.redis_url) as client:
        client.xadd(stream_key(stores.key_prefix), {"b": b"".join(map(pack, fixes))})


def fix(
    session: Db, place: tuple[int, int, int], at: datetime, *, of: tuple[int, int, int] | None = None
) -> Fix:
    area = grid_no(*(of or place))
    worker = session.execute("SELECT id FROM worker WHERE area_no = %s", (area,)).fetchone()[0]
    at_ms = int(at.timestamp() * 1000)
    return Fix(worker, area, at_ms + 500, Reading(at_ms, *centre(*place), 5.0))


def test_each_fix_is_copied_once_and_makes_a_patrol(clone: Stores, history: History, session: Db) -> None:
    now = datetime.now(ZONE).replace(hour=12)  # a patrol is one of a day: midnight is not in between
    send(clone, fix(session, (1, 1, 1), now), fix(session, (1, 1, 2), now))
    send(clone, fix(session, (1, 1, 1), now + timedelta(minutes=5)))
    send(clone, fix(session, (2, 1, 1), now, of=(1, 1, 3)))  # far from the own grid: no patrol
    assert history.drain(session) == 3
    assert history.drain(session) == 0
    assert session.execute("SELECT count(*), min(accuracy_m), max(speed_mps) FROM position").fetchone() == (
        4,
        5,
        None,
    )
    latest = session.execute("SELECT count(*), max(at) FROM worker_position").fetchone()
    assert latest == (3, pytest.approx(now + timedelta(minutes=5), abs=timedelta(seconds=1)))
    patrols = session.execute(
        "SELECT area_no, day, last_at - first_at FROM patrol ORDER BY area_no"
    ).fetchall()
    day = now.astimezone(ZONE).date()
    assert patrols == [(grid_no(1, 1, 1), day, timedelta(minutes=5)), (grid_no(1, 1, 2), day, timedelta(0))]
    told = session.execute("SELECT area_no FROM outbox WHERE kind = 'patrol' ORDER BY 1").fetchall()
    assert told == [(grid_no(1, 1, 1),), (grid_no(1, 1, 2),)]
    send(clone, fix(session, (1, 1, 1), now + timedelta(minutes=9)))
    history.drain(session)
    assert session.execute("SELECT count(*) FROM outbox").fetchone() == (2,)
    assert session.execute("SELECT last_at - first_at FROM patrol ORDER BY area_no").fetchone() == (
        timedelta(minutes=9),
    )


def test_a_batch_that_fails_is_copied_later(clone: Stores, history: History, session: Db) -> None:
    now = datetime.now(UTC)
    send(clone, fix(session, (1, 1, 1), now))
    with psycopg.connect(clone.database_url) as blocker:
        blocker.execute("LOCK TABLE position_drain IN ACCESS EXCLUSIVE MODE")
        session.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            history.drain(session)
        blocker.rollback()
    assert session.execute("SELECT count(*) FROM position").fetchone() == (0,)
    assert history.drain(session) == 1
    assert session.execute("SELECT count(*) FROM position").fetchone() == (1,)


def test_the_stream_is_cut_only_behind_what_is_copied(clone: Stores, history: History, session: Db) -> None:
    with redis.Redis.from_url(clone.redis_url) as client:
        key = stream_key(clone.key_prefix)
        packed = pack(fix(session, (1, 1, 1), datetime.now(UTC)))
        old_ms = int(time.time() * 1000) - 120_000
        for step in range(300):  # a node of the stream holds about 100
            client.xadd(key, {"b": packed}, id=f"{old_ms + step}-0")
        assert history.drain(session) == 300 and client.xlen(key) < 300
        assert drained_to(session) == f"{old_ms + 299}-0"


def test_days_past_their_retention_are_dropped(history: History, session: Db) -> None:
    kept, gone = datetime.now(UTC).date() - timedelta(days=30), datetime.now(UTC).date() - timedelta(days=31)
    session.execute("SELECT ensure_position_days(%s, %s)", (gone, kept))
    history.keep_house(session)
    exists = "SELECT to_regclass(%s) IS NOT NULL"
    assert session.execute(exists, (f"position_{kept:%Y%m%d}",)).fetchone() == (True,)
    assert session.execute(exists, (f"position_{gone:%Y%m%d}",)).fetchone() == (False,)


def test_months_of_tickets_are_made_for_the_past_and_the_coming(
    history: History, session: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MONTHS_BACK", PRODUCT_MONTHS[0])
    monkeypatch.setattr(upkeep, "MONTHS_AHEAD", PRODUCT_MONTHS[1])
    today = datetime.now(UTC).date()
    history.keep_house(session)
    for days in range(-100, 41):
        month = f"ticket_{today + timedelta(days=days):%Y%m}"
        assert session.execute("SELECT to_regclass(%s) IS NOT NULL", (month,)).fetchone() == (True,)
