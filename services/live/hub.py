"""The live hub of a process: one reader of Redis, one channel of frames a scope, many screens."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypedDict

import orjson
import psycopg
from prometheus_client import Gauge
from redis.exceptions import RedisError

from geodata.queries.measures import GridMeasure
from geodata.redis_clients import loop_redis
from geodata.scope import Pool, Scope
from geodata.servers import Stores
from profiles import Profile
from services.access import Viewer, scope_for
from services.live import frames
from services.live.channel import Channel, Client, Frame
from services.live.crew import Crew
from services.live.events import Event
from services.live.looks import Looks
from services.live.loops import every, guarded
from services.live.measuring import Measuring
from services.live.pace import FIGURES_S, Pace
from services.live.reader import Reader
from services.live.relay import Relay
from services.live.shared import Snapshots
from services.live.snapshot import worker_rows
from services.live.whereabouts import Whereabouts
from services.positions.directory import Directory
from services.positions.history import History
from services.positions.intake import Intake
from settings import Settings

SCREENS = Gauge("wangge_live_screens", "Screens connected to this process.")

BEAT_S = 2.0
DIRECTORY_S = 15.0
SCOPE_KEPT_S = 60.0
ANSWER_S = 1.5
STOP_S = 1.0


class Health(TypedDict):
    """State of the live feed of this process."""

    postgres: bool
    redis: bool
    v: int
    as_of: int | None
    clients: int


class Hub:
    """Made in any thread, started and used in one event loop.

    With `run_jobs` the process takes part in the relay of events and the history of positions; a leader among all
    processes is found by itself.
    """

    def __init__(
        self, stores: Stores, pool: Pool, settings: Settings, profile: Profile, *, run_jobs: bool = True
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._looks = Looks(pool, profile)
        self._redis = loop_redis(stores.redis_url)
        self.directory = Directory(pool, profile.time_zone)
        self.crew = Crew(self.directory, settings.position_gone_s)
        self.intake = Intake(settings, self.directory, self._redis, stores.key_prefix, self.crew.latest)
        self._reader = Reader(
            self._redis, stores.key_prefix, self._on_events, self.crew.take, self._on_restart
        )
        self._run_jobs = run_jobs
        self._relay = Relay(stores)
        self._history = History(stores, settings, profile.time_zone)
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribers: list[tuple[Callable[[list[Event]], None], Callable[[], None] | None]] = []

        self._channels: dict[Scope, Channel] = {}
        self._scopes: dict[tuple[Scope, str], tuple[float, Scope]] = {}
        self._snapshots = Snapshots(self._take_snapshot)
        self._whereabouts = Whereabouts(self.crew)
        self._pace = Pace(self._looks, self._figures_text)
        self._measuring = Measuring(
            self._looks,
            settings.live_interval_ms / 1000,
            is_wanted=lambda: bool(self._channels),
            on_measures=self._on_measures,
            on_late=lambda grids: self._pace.note(s for s in self._channels if any(map(s.holds, grids))),
            on_new_day=lambda: self._restart_channels("midnight"),
        )

        self._pending: list[Event] = []
        self._awake = asyncio.Event()
        self._as_of_ms: int | None = None
        self._handed_over: tuple[int, int] | None = None
        self.version = 0  # of the last event whose changes went to the channels

    # --- life

    async def start(self) -> None:
        """Begin all background work; stores that are away are waited for."""
        if self._run_jobs:
            self._relay.start()
            self._history.start()
        loops: dict[str, Awaitable[None]] = {
            "read": self._reader.run(),
            "flush": self._flush_loop(),
            "measure": self._measuring.run(),
            "beat": every(BEAT_S, self._beat),
            "watch": self._measuring.watch(),
            "positions": every(self._settings.position_interval_ms / 1000, self._send_positions),
            "figures": every(FIGURES_S, self._send_figures),
            "directory": every(DIRECTORY_S, self._read_directory),
        }
        self._tasks = [asyncio.create_task(guarded(name, loop)) for name, loop in loops.items()]

    async def stop(self) -> None:
        """Let go of all screens (they will come back), end the background work, close what was opened."""
        for channel in self._channels.values():
            for client in channel.clients:
                client.close()
        while going := [task for task in self._tasks if not task.done()]:
            for task in going:
                task.cancel()
            await asyncio.wait(going, timeout=STOP_S)  # one that caught it at its work is told again
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._run_jobs:
            await asyncio.gather(asyncio.to_thread(self._relay.stop), asyncio.to_thread(self._history.stop))
        await self._redis.aclose()

    def health(self) -> Health:
        """What is connected and how far the feed is."""
        return {
            "postgres": self._measuring.postgres_ok,
            "redis": self._reader.redis_ok,
            "v": self.version,
            "as_of": self._as_of_ms,
            "clients": sum(len(channel.clients) for channel in self._channels.values()),
        }

    def subscribe_events(
        self, callback: Callable[[list[Event]], None], on_gap: Callable[[], None] | None = None
    ) -> None:
        """Call back with all events, in order and in the event loop; `on_gap` when some were missed."""
        self._subscribers.append((callback, on_gap))

    # --- screens

    async def scope(self, viewer: Viewer, code: str | None) -> Scope:
        """The scope of a code for a viewer; remembered, so a known one needs no database. Raises UnknownArea."""
        if code is None:
            return viewer.scope
        known = self._scopes.get((viewer.scope, code))
        if known is None or time.monotonic() - known[0] > SCOPE_KEPT_S:
            try:
                known = (time.monotonic(), await asyncio.to_thread(scope_for, self._pool, viewer, code))
            except psycopg.OperationalError:
                if known is None:
                    raise
            self._scopes[viewer.scope, code] = known
        return known[1]

    def join(self, scope: Scope, since: int | None = None, of: int | None = None) -> Client:
        """Connect a screen at version `since` of channel `of`: what it missed comes first, or notice of a gap."""
        channel = self._channel(scope)
        client = Client(self._gap_frame())
        first: list[Frame] = [self._text("hello", v=channel.version, of=channel.born)]
        if since is not None:
            missed = channel.missed_since(since, of)
            first.extend([self._gap_frame()] if missed is None else missed)
        if channel.figures_frame is not None:
            first.append(channel.figures_frame)
        first.append(self._whereabouts.all_in(scope))
        client.begin(first)
        channel.clients.add(client)
        SCREENS.inc()
        return client

    def leave(self, scope: Scope, client: Client) -> None:
        """Disconnect a screen."""
        channel = self._channels.get(scope)
        if channel is not None and client in channel.clients:
            channel.clients.discard(client)
            channel.touch()
            SCREENS.dec()

    async def snapshot(self, scope: Scope) -> bytes:
        """The state of a scope as JSON. Raises psycopg.OperationalError while the database is away.

        It was begun after the last change: who has just joined gets only the frames from then on.
        """
        channel = self._channel(scope)
        return await self._snapshots.of(scope, max(channel.changed_at, self.crew.hidden_at))

    def poll(self, scope: Scope, since: int, of: int | None, moved_since: int) -> bytes:
        """What a screen without a WebSocket missed since a version of a channel, and who moved since a turn; JSON."""
        channel = self._channel(scope)
        missed = channel.missed_since(since, of)
        texts = [self._gap_frame()] if missed is None else missed
        if channel.figures_frame is not None:
            texts = [*texts, channel.figures_frame]
        moves = [
            [move.worker_id, round(move.lon, 6), round(move.lat, 6), move.age_s]  # orjson writes NaN as null
            for move in self.crew.moves(scope, moved_since)
        ]
        return orjson.dumps(
            {
                "t": "poll", "v": channel.version, "of": channel.born, "now": _now_ms(), "as_of": self._as_of_ms,
                "postgres": self._measuring.postgres_ok, "redis": self._reader.redis_ok, "turn": self.crew.turn,
                "frames": [orjson.Fragment(text) for text in texts], "positions": moves,
            }
        )  # fmt: skip

    # --- from Redis

    def _on_events(self, found: list[Event]) -> None:
        self._pending.extend(found)
        self._awake.set()
        for callback, _ in self._subscribers:
            callback(found)

    def _on_restart(self, version: int) -> None:
        self._pending.clear()
        self.version = version
        self._restart_channels("missed")
        for _, on_gap in self._subscribers:
            if on_gap is not None:
                on_gap()

    def _restart_channels(self, reason: str) -> None:
        """All screens take a snapshot; what was being measured is older than that."""
        self._measuring.forget(self.version)
        for channel in self._channels.values():
            channel.restart(self.version, self._gap_frame(), reason)

    # --- to the screens

    async def _flush_loop(self) -> None:
        """News at once, and what follows on their heels together."""
        interval_s = self._settings.live_interval_ms / 1000
        while True:
            await self._awake.wait()
            self._awake.clear()
            self._flush()
            await asyncio.sleep(interval_s)

    def _flush(self) -> None:
        """Hand all that is pending to every channel; the grids that it changed are measured afterwards."""
        events, self._pending = self._pending, []
        if not events:
            return
        self.version = events[-1].version
        if any(event.kind in ("areas", "reload") for event in events):
            self._scopes.clear()
            self._restart_channels("areas")
            self._grow_as_of()
            return
        for channel in self._channels.values():
            channel.advance(self.version, self._delta(channel, events))
        self._measuring.note(
            self.version, (event.area_no for event in events if event.kind in ("ticket", "patrol"))
        )

    def _on_measures(self, measures: Sequence[GridMeasure]) -> None:
        """Tell all channels of grids that were measured."""
        self._grow_as_of()
        for channel in self._channels.values():
            channel.advance(self.version, self._grids(channel.scope, measures))

    def _grids(self, scope: Scope, measures: Sequence[GridMeasure]) -> str | None:
        """What the measures are to one scope; None when nothing."""
        rows = frames.grid_rows(measure for measure in measures if scope.holds(measure.no))
        return self._text("delta", grids=rows) if rows else None

    def _delta(self, channel: Channel, events: Sequence[Event]) -> str | None:
        """What the events are to one scope; None when nothing."""
        inside = [event for event in events if channel.scope.holds(event.area_no) or event.is_everybodys]
        if inside:
            self._pace.note([channel.scope])
        parts = frames.news(inside)
        return self._text("delta", **parts) if parts else None

    async def _beat(self) -> None:
        """Say how far the feed is and how old; forget channels that nobody uses."""
        with suppress(RedisError, OSError, TimeoutError):  # without an answer the age grows
            async with asyncio.timeout(ANSWER_S):  # wait_for of Python 3.11 may lose the end of the task
                self._handed_over = await self._reader.handed_over()
        self._grow_as_of()
        frame = self._text("beat", postgres=self._measuring.postgres_ok, redis=self._reader.redis_ok)
        for scope, channel in list(self._channels.items()):
            channel.tell(frame)
            if channel.is_idle:
                del self._channels[scope]
                self._pace.forget(scope)
                self._snapshots.forget(scope)
                self._whereabouts.forget(scope)

    def _grow_as_of(self) -> None:
        """What the relay had handed over at some moment is all with the screens: they show that moment."""
        if self._handed_over is not None and self._handed_over[0] <= self._measuring.version:
            self._as_of_ms = self._handed_over[1]

    async def _send_positions(self) -> None:
        self._whereabouts.send(self._channels)

    async def _send_figures(self) -> None:
        await self._pace.send(self._channels)

    async def _read_directory(self) -> None:
        with suppress(psycopg.OperationalError):
            await asyncio.to_thread(self.directory.read)

    # --- small parts

    def _channel(self, scope: Scope) -> Channel:
        channel = self._channels.get(scope)
        if channel is None:
            channel = self._channels[scope] = Channel(scope, self.version)
        channel.touch()
        return channel

    def _text(self, kind: str, **fields: Any) -> str:
        """A frame that says how far the feed is and how old."""
        return frames.text(kind, **{"v": self.version, "now": _now_ms(), "as_of": self._as_of_ms} | fields)

    def _figures_text(self, channel: Channel, figures: Any) -> str:
        return self._text("delta", v=channel.version, figures=figures)

    def _gap_frame(self) -> str:
        return frames.text("gap", v=self.version, now=_now_ms())

    async def _take_snapshot(self, scope: Scope) -> bytes:
        version, as_of_ms, born = self.version, self._as_of_ms, self._channel(scope).born
        if not self.directory.workers:
            await self._read_directory()
        workers = worker_rows(self.crew.shown(), self.directory, scope)
        return await asyncio.to_thread(self._looks.snapshot, scope, version, born, as_of_ms, workers)


def _now_ms() -> int:
    return int(time.time() * 1000)
