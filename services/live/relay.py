"""The relay: numbers committed events of the outbox and hands them to the Redis stream; one works, others wait."""

import threading
import time

import psycopg
import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError, ResponseError

from geodata import outbox
from geodata.leader import RELAY_LOCK, job_session, try_lead
from geodata.redis_clients import job_redis
from geodata.scope import Db
from geodata.servers import Stores
from services.live import events

log = structlog.get_logger("wangge.relay")
POLL_S = 1.0  # least often; a commit wakes it at once
STREAM_LENGTH = 20_000  # entries kept in Redis, at least; the outbox has 24 h
# Events given again to a Redis that came back empty; who is further behind takes a snapshot.
REPUBLISHED = 2_000
BATCH = 1_000
PRUNE_EVERY_S = 600.0
PUBLISHED = Counter("wangge_live_events_total", "Live events handed to Redis by this process.")


class Relay:
    """A thread with one PostgreSQL session of its own.

    Kill it anywhere: an event is numbered in one transaction, its number is its id in the stream, and where to go on is
    always read from the stream itself. So nothing is published twice, and what Redis lost is published again.
    """

    def __init__(self, stores: Stores) -> None:
        self._url = stores.app_url
        self._prefix = stores.key_prefix
        self._redis = job_redis(stores.redis_url)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._pruned_at = 0.0
        self.leads = False

    def start(self) -> None:
        """Begin in the background; a store that is away is waited for."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connections; another process takes over at once."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._redis.close()

    def _run(self) -> None:
        pause_s = 0.2
        while not self._stop.is_set():
            try:
                with job_session(self._url, "relay") as conn:
                    pause_s = 0.2
                    self._serve(conn)
            except (psycopg.Error, OSError) as error:
                log.warning("relay waits for the database", error=str(error).strip())
                self._stop.wait(pause_s)
                pause_s = min(pause_s * 2, 1.0)
            finally:
                self.leads = False

    def _serve(self, conn: Db) -> None:
        conn.execute("LISTEN outbox")
        while not self._stop.is_set():
            if not self.leads:
                self.leads = try_lead(conn, RELAY_LOCK)
                if not self.leads:
                    self._stop.wait(0.5)
                    continue
                log.info("relay leads")
            try:
                more = self.publish(conn)
            except RedisError as error:
                log.warning("relay waits for Redis", error=str(error))
                conn.execute("SELECT 1")  # keeps the leadership while Redis is away
                self._stop.wait(0.3)
                continue
            if not more:
                for _ in conn.notifies(timeout=POLL_S, stop_after=1):
                    pass

    def publish(self, conn: Db) -> bool:
        """One round: number what waits, add to the stream what it lacks; true when there may be more.

        `conn` is in autocommit. Raises RedisError when the stream cannot be reached.
        """
        started_ms = int(time.time() * 1000)
        numbered = outbox.number_waiting(conn, BATCH)
        top, last = self._top(), outbox.last_version(conn)
        if top > last:  # the database is younger than the stream: made anew, or restored
            outbox.continue_after(conn, top)
        rows = outbox.numbered_after(conn, max(top, last - REPUBLISHED), BATCH)
        if rows:
            self._add(rows)
            PUBLISHED.inc(len(rows))
            top = rows[-1].version
        if max(numbered, len(rows)) == BATCH:
            return True
        self._redis.set(events.relay_key(self._prefix), f"{max(top, last)}:{started_ms}")
        if time.monotonic() - self._pruned_at > PRUNE_EVERY_S:
            self._pruned_at = time.monotonic()
            outbox.prune(conn, top)
        return False

    def _top(self) -> int:
        newest = self._redis.xrevrange(events.stream_key(self._prefix), count=1)
        return events.version_of(newest[0][0]) if newest else 0

    def _add(self, rows: list[outbox.OutboxRow]) -> None:
        pipeline = self._redis.pipeline()  # a transaction: readers see what was committed together at once
        for row in rows:
            pipeline.xadd(
                events.stream_key(self._prefix), events.encode(row), id=f"{row.version}-0", maxlen=STREAM_LENGTH
            )  # fmt: skip
        for answer in pipeline.execute(raise_on_error=False):
            if isinstance(answer, ResponseError) and "equal or smaller" in str(answer):
                continue  # another relay was quicker
            if isinstance(answer, Exception):
                raise answer
