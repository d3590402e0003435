"""One answer for all who ask the same at the same moment, or within seconds: many screens that fetch on one news."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Answers that are never older than the question: each was begun after all who get it had asked.

    Whoever asks while one is worked out waits for the next, together with all others who do; so a thousand questions
    at once are worked out twice. Nothing is kept.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, Future[T]] = {}
        self._next: dict[Hashable, Future[T]] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, of this call or of one that began after it; its error is everybody's."""
        with self._lock:
            shared = self._next.get(key)
            if shared is None:
                own: Future[T] = Future()
                self._next[key] = own
                before = self._running.get(key)
        if shared is not None:
            return shared.result()
        if before is not None:
            before.exception()  # waits until it is over, however it ended
        with self._lock:
            del self._next[key]
            self._running[key] = own
        try:
            own.set_result(make())
        except BaseException as error:
            own.set_exception(error)
        finally:
            with self._lock:
                if self._running.get(key) is own:
                    del self._running[key]
        return own.result()


class Lately(Generic[T]):
    """Answers that may be so many seconds old, worked out once for all who ask within that time."""

    MOST = 64  # kept at once

    def __init__(self, for_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._for_s, self._clock = for_s, clock
        self._shared = Shared[tuple[float, T]]()
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave for that key within the time, or gives now."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or self._clock() - kept[0] >= self._for_s:
            kept = self._shared.get(key, lambda: (self._clock(), make()))
            with self._lock:
                self._kept[key] = kept
                self._kept.move_to_end(key)
                while len(self._kept) > self.MOST:
                    self._kept.popitem(last=False)
        return kept[1]
