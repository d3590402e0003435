"""Waiting in tests for what comes true in its own time, at most so long that a busy machine is no failure."""

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], timeout_s: float = 20) -> None:
    """Ask again and again until it holds."""
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, "did not come true in time"
        time.sleep(0.05)
