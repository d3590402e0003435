"""Video stations: whether their streams really run, found out by reading each playlist again and again."""

import re
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urljoin

import httpx
import psycopg
import redis
import structlog
from psycopg_pool import PoolTimeout

from geodata.queries import stations as queries
from geodata.queries.stations import Probed, Station
from geodata.scope import EVERYTHING, Pool, scoped

log = structlog.get_logger("wangge.video")

EVERY_S = 30.0
TIMEOUT_S = 5.0
AT_ONCE = 16
MOST_BYTES = 512 * 1024
PATIENCE = 3  # a live playlist must move within this many segment lengths, and within two rounds at most


class NoSignal(Exception):
    """The stream does not run; the argument is the reason's code."""


@dataclass(frozen=True, slots=True)
class Playlist:
    """A media playlist: its last segment as (sequence number, address), the segment length in seconds."""

    last: tuple[int, str]
    target_s: float
    ended: bool


@dataclass(slots=True)
class _Seen:
    last: tuple[int, str]
    moved_at: float


@dataclass(slots=True)
class Prober:
    """Reads the playlists of all stations every 30 s; of several processes one takes each round.

    Relative addresses are below `base_url`, which is our own server. start() returns at once.
    """

    pool: Pool
    redis: "redis.Redis"
    key_prefix: str
    base_url: str
    every_s: float = EVERY_S
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Probe in the background until stop()."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="video-prober", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the request that runs."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=TIMEOUT_S + 1)

    def probe_all(self) -> list[str]:
        """One round over all stations; returns the ids whose state changed."""
        with scoped(self.pool, EVERYTHING) as conn:
            all_stations = queries.stations(conn)
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=True, trust_env=False) as client,
            ThreadPoolExecutor(AT_ONCE, thread_name_prefix="video-probe") as threads,
        ):
            found = list(threads.map(lambda station: self._probe(client, station), all_stations))
        known = {station.id for station in all_stations}
        for gone in set(self._seen) - known:
            del self._seen[gone]
        with scoped(self.pool, EVERYTHING) as conn:
            return queries.write_probed(conn, found)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._our_turn():
                    changed = self.probe_all()
                    if changed:
                        log.info("video_states_changed", stations=len(changed))
            except (psycopg.Error, PoolTimeout) as error:
                log.warning("video_not_probed", error=str(error))
            self._stop.wait(self.every_s)

    def _our_turn(self) -> bool:
        """Whether no other process probes in this round; without Redis everybody does, which does no harm."""
        try:
            key = f"{self.key_prefix}video:turn"
            return bool(self.redis.set(key, "1", nx=True, px=int(self.every_s * 900)))
        except redis.RedisError:
            return True

    def _probe(self, client: httpx.Client, station: Station) -> Probed:
        if not station.stream_url:
            return Probed(station.id, "no_signal", "not_connected")
        try:
            address = urljoin(self.base_url, station.stream_url)
            playlist = media_playlist(client, address)
            self._must_move(station.id, playlist)
            segment_answers(client, urljoin(address, playlist.last[1]))
        except NoSignal as reason:
            return Probed(station.id, "no_signal", str(reason))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return Probed(station.id, "no_signal", "unreachable")
        return Probed(station.id, "live", None)

    def _must_move(self, station_id: str, playlist: Playlist) -> None:
        if playlist.ended:
            raise NoSignal("ended")
        now = time.monotonic()
        seen = self._seen.get(station_id)
        if seen is None or seen.last != playlist.last:
            self._seen[station_id] = _Seen(playlist.last, now)
        elif now - seen.moved_at > PATIENCE * playlist.target_s:
            raise NoSignal("stalled")


def media_playlist(client: httpx.Client, address: str, depth: int = 0) -> Playlist:
    """Read a playlist; of a master playlist the first variant. Raises NoSignal and httpx errors."""
    text = _read(client, address)
    if not text.lstrip("\ufeff").startswith("#EXTM3U"):
        raise NoSignal("not_hls")
    lines = [line.strip() for line in text.splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    if not names:
        raise NoSignal("no_segments")
    if any(line.startswith("#EXT-X-STREAM-INF") for line in lines):
        if depth:
            raise NoSignal("not_hls")
        return media_playlist(client, urljoin(address, names[0]), depth + 1)
    first = _number(lines, "#EXT-X-MEDIA-SEQUENCE", 0)
    target = _number(lines, "#EXT-X-TARGETDURATION", 6)
    return Playlist((int(first) + len(names) - 1, names[-1]), max(1.0, target), "#EXT-X-ENDLIST" in lines)


def segment_answers(client: httpx.Client, address: str) -> None:
    """The newest segment must be there: its first bytes are asked for. Raises NoSignal."""
    with client.stream("GET", address, headers={"Range": "bytes=0-187"}) as answer:
        if answer.status_code not in (200, 206):
            raise NoSignal("segment_missing")
        if not any(answer.iter_raw(188)):
            raise NoSignal("segment_missing")


def _read(client: httpx.Client, address: str) -> str:
    with client.stream("GET", address) as answer:
        if answer.status_code != 200:
            raise NoSignal(f"http_{answer.status_code}")
        return _limited(answer.iter_bytes(65536)).decode("utf-8", "replace")


def _limited(pieces: Iterable[bytes]) -> bytes:
    text = bytearray()
    for piece in pieces:
        text += piece
        if len(text) > MOST_BYTES:
            raise NoSignal("not_hls")
    return bytes(text)


def _number(lines: list[str], tag: str, default: float) -> float:
    for line in lines:
        match = re.fullmatch(rf"{tag}:\s*(\d+(?:\.\d+)?)", line)
        if match:
            return float(match[1])
    return default
