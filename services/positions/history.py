"""Copies the stream of fixes into the history in batches, derives patrols and deletes what is past its retention."""

import threading
import time
from datetime import UTC, date, datetime, timedelta

import psycopg
import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError

from geodata.leader import HISTORY_LOCK, job_session, try_lead
from geodata.outbox import add_event
from geodata.queries import positions as queries
from geodata.queries.candidates import forget_hands
from geodata.queries.dispatch_queue import forget_open
from geodata.queries.intake import forget_reporters
from geodata.queries.positions import PositionRow
from geodata.queries.tickets import ensure_ticket_months
from geodata.redis_clients import job_redis
from geodata.scope import Db
from geodata.servers import Stores
from services import audit
from services.care import retention as care_retention
from services.positions.fix import Fix, stream_key, unpack
from settings import Settings

log = structlog.get_logger("wangge.history")
WRITTEN = Counter(
    "wangge_positions_written_total", "Worker positions copied into the history by this process."
)
INTERVAL_S = 2.0
MARK_EVERY = 5  # batches
BATCH_ENTRIES = 2_000
KEPT_IN_STREAM_MS = 60_000  # hubs read the stream too
HOUSEKEEPING_S = 3600.0
LATEST_KEPT = timedelta(hours=12)  # by then every shift is over
MONTHS_BACK = timedelta(days=100)  # tickets may be filed for days of the past
MONTHS_AHEAD = timedelta(days=40)


class History:
    """A thread with one PostgreSQL session of its own; one works, others wait.

    How far it got is written in the transaction of the rows, so each fix is copied exactly once however it is killed;
    while the database is away the stream keeps the fixes.
    """

    def __init__(self, stores: Stores, settings: Settings, time_zone: str) -> None:
        self._url = stores.app_url
        self._stream = stream_key(stores.key_prefix)
        self._settings = settings
        self._time_zone = time_zone
        self._redis = job_redis(stores.redis_url)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._days: set[date] = set()
        self._kept_house_at = -HOUSEKEEPING_S
        self._batches = 0

    def start(self) -> None:
        """Begin in the background; a store that is away is waited for."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connections."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._redis.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with job_session(self._url, "history") as conn:
                    self._serve(conn)
            except (psycopg.Error, OSError) as error:
                log.warning("history waits for the database", error=str(error).strip())
                self._stop.wait(1.0)

    def _serve(self, conn: Db) -> None:
        leads = False
        while not self._stop.is_set():
            leads = leads or try_lead(conn, HISTORY_LOCK)
            if leads:
                if time.monotonic() - self._kept_house_at >= HOUSEKEEPING_S:
                    self.keep_house(conn)
                    self._kept_house_at = time.monotonic()
                try:
                    while self.drain(conn) == BATCH_ENTRIES and not self._stop.is_set():
                        pass
                except RedisError as error:
                    log.warning("history waits for Redis", error=str(error))
                    conn.execute("SELECT 1")
            self._stop.wait(INTERVAL_S)

    def drain(self, conn: Db) -> int:
        """Copy the next entries of the stream into the history; returns how many entries."""
        after = queries.drained_to(conn)
        entries = self._redis.xrange(self._stream, min=f"({after}", count=BATCH_ENTRIES)
        if not entries:
            return 0
        fixes = [fix for _, fields in entries for fix in unpack(fields[b"b"])]
        rows = [_row(fix) for fix in fixes]
        last_id = entries[-1][0].decode()
        self._make_days(conn, {row.at.date() for row in rows})
        with conn.transaction():
            queries.add_positions(conn, rows)
            queries.keep_latest(conn, rows)
            for grid in queries.upsert_patrols(conn, rows, self._time_zone):
                add_event(conn, "patrol", grid, {})
            queries.set_drained_to(conn, last_id)
        WRITTEN.inc(len(rows))
        self._batches += 1
        if self._batches % MARK_EVERY == 0:
            queries.mark_left(conn)
        drained_ms = int(last_id.partition("-")[0])
        self._redis.xtrim(
            self._stream, minid=f"{min(drained_ms, int(time.time() * 1000) - KEPT_IN_STREAM_MS)}-0"
        )
        return len(entries)

    def keep_house(self, conn: Db) -> None:
        """Make the partitions of the coming days and months; drop positions past their retention."""
        today = datetime.now(UTC).date()
        queries.ensure_days(conn, today - timedelta(days=1), today + timedelta(days=2))
        ensure_ticket_months(conn, today - MONTHS_BACK, today + MONTHS_AHEAD)
        dropped = queries.drop_before(conn, today - timedelta(days=self._settings.position_retention_days))
        if dropped:
            log.info("positions past their retention deleted", days=dropped)
        queries.forget_latest(conn, datetime.now(UTC) - LATEST_KEPT)
        forget_hands(conn)
        forget_open(conn)
        ended = care_retention.forget(conn, self._settings.care_retention_days, today)
        if ended:
            log.info("care records past their retention deleted", records=ended)
        unnamed = forget_reporters(conn, self._settings.reporter_retention_days)
        if unnamed:
            log.info("reporters of tickets past their retention deleted", tickets=unnamed)
        forgotten = audit.forget(conn, self._settings.audit_retention_days)
        if forgotten:
            log.info("rows of the audit past their retention deleted", rows=forgotten)

    def _make_days(self, conn: Db, days: set[date]) -> None:
        for day in days - self._days:
            queries.ensure_days(conn, day, day)
            self._days.add(day)


def _row(fix: Fix) -> PositionRow:
    reading = fix.reading
    return PositionRow(
        worker_id=fix.worker_id,
        at=datetime.fromtimestamp(reading.at_ms / 1000, UTC),
        received_at=datetime.fromtimestamp(fix.received_ms / 1000, UTC),
        lon=reading.lon,
        lat=reading.lat,
        accuracy_m=reading.accuracy_m,
        speed_mps=reading.speed_mps,
        course_deg=reading.course_deg,
        battery_pct=reading.battery_pct,
        area_no=fix.area_no,
    )
