"""One stream of frames a scope: what its screens get, what can be played again, and a bounded queue for each screen."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import Counter

from geodata.scope import Scope

Frame = str | bytes

QUEUE_LENGTH = 8
REPLAYED_FRAMES = 600
KEPT_EMPTY_S = 120.0  # a screen that comes back within this time is played what it missed
GAPS = Counter("wangge_live_gaps_total", "Times a screen was told to take a fresh snapshot.", ["reason"])
DELIVERED = Counter("wangge_live_deliveries_total", "Frames put into queues of screens.")


class Client:
    """One screen: a queue of at most QUEUE_LENGTH frames.

    A screen too slow for it loses them all and is told to take a fresh snapshot, so memory stays bounded. Where the
    line can be written to at once (`write` says whether it was), a frame that nothing waits before needs no queue.
    """

    __slots__ = ("_awake", "_closing", "_frames", "_taken", "gap_frame", "write")

    def __init__(self, gap_frame: str) -> None:
        self._frames: deque[Frame] = deque()
        self._awake: asyncio.Event = asyncio.Event()
        self._closing = False
        self._taken = False  # whether somebody is sending what was queued
        self.gap_frame = gap_frame
        self.write: Callable[[Frame], bool] | None = None

    def put(self, frame: Frame) -> None:
        """Write a frame or queue it; or queue the notice of a gap in the place of all that wait."""
        frames = self._frames
        idle = not frames and not self._taken and not self._closing
        if idle and self.write is not None and self.write(frame):
            return
        if len(frames) >= QUEUE_LENGTH:
            frames.clear()
            frame = self.gap_frame
            GAPS.labels("slow").inc()
        frames.append(frame)
        self._awake.set()

    def begin(self, frames: list[Frame]) -> None:
        """Queue what a joining screen gets first, however much that is."""
        self._frames.extend(frames)
        self._awake.set()

    def close(self) -> None:
        """Let `frames` end after what is queued."""
        self._closing = True
        self._awake.set()

    async def frames(self) -> deque[Frame] | None:
        """All that is queued now, at least one frame, in order; None at the end."""
        self._taken = False
        while not self._frames:
            if self._closing:
                return None
            self._awake.clear()
            await self._awake.wait()
        taken, self._frames = self._frames, deque()
        self._taken = True
        return taken


class Sent(NamedTuple):
    """A text frame that was sent; it leads a screen from a version in [since, v) to v, or, when since = v, tells it
    something at v that no event caused (time passed)."""

    since: int
    v: int
    frame: str

    def is_due_after(self, version: int) -> bool:
        """Whether a screen that is at this version lacks the frame."""
        return self.v > version or (self.since == self.v == version)


class Channel:
    """The screens of one scope; used in the event loop only. `born` (microseconds since 1970) tells it from others."""

    def __init__(self, scope: Scope, version: int) -> None:
        self.scope = scope
        self.version = version
        self.clients: set[Client] = set()
        self.born = _now_us()
        self.used_at = self.changed_at = time.monotonic()
        self._sent: deque[Sent] = deque(maxlen=REPLAYED_FRAMES)
        self._covers_from = version
        self.figures_frame: str | None = None

    @property
    def is_idle(self) -> bool:
        """Nobody has listened for so long that nobody will ask for what was missed."""
        return not self.clients and time.monotonic() - self.used_at > KEPT_EMPTY_S

    def touch(self) -> None:
        """Somebody uses the channel now."""
        self.used_at = time.monotonic()

    def tell(self, frame: Frame) -> None:
        """Send a frame that is not worth playing again (a beat, positions)."""
        for client in self.clients:
            client.put(frame)
        DELIVERED.inc(len(self.clients))

    def tell_figures(self, frame: str) -> None:
        """Send figures, which replace those before, and keep them for who joins later."""
        self.figures_frame = frame
        self.tell(frame)

    def advance(self, version: int, frame: str | None) -> None:
        """Go on to a version; the frame says what it changes for this scope, None that it changes nothing."""
        if frame is not None:
            self.changed_at = time.monotonic()
            if len(self._sent) == REPLAYED_FRAMES:
                forgotten = self._sent[0]
                self._covers_from = forgotten.v + (forgotten.since == forgotten.v)
            self._sent.append(Sent(self.version, version, frame))
            self.tell(frame)
        self.version = version

    def missed_since(self, version: int, born: int | None) -> list[str] | None:
        """The frames that lead from that version of the channel born then to now; None when they are not known.

        A version alone says nothing of what only time changes: of deadlines that passed while no channel was there.
        """
        if born != self.born or not self._covers_from <= version <= self.version:
            return None
        return [sent.frame for sent in self._sent if sent.is_due_after(version)]

    def restart(self, version: int, frame: str, reason: str) -> None:
        """Forget the past and tell all screens to take a fresh snapshot."""
        self.born = _now_us()
        self.changed_at = time.monotonic()
        self._sent.clear()
        self.version = self._covers_from = version
        GAPS.labels(reason).inc(len(self.clients))
        self.tell(frame)


def _now_us() -> int:
    return time.time_ns() // 1000
