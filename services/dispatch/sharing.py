"""One answer for all who ask the same at the same moment: many screens that fetch anew on one piece of news."""

import threading
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
