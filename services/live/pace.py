"""How often the figures of a scope are computed: soon after something happened in it, seldom otherwise."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psycopg

from geodata.scope import Scope
from services.live.channel import Channel
from services.live.looks import Looks

FIGURES_S = 1.0  # least time between two figures of a scope when something happened in it
QUIET_S = 10.0  # and when nothing did
PART = 0.1  # most of the time that computing figures of a scope may take


class Pace:
    """For one event loop; each channel with screens is told its figures."""

    def __init__(self, looks: Looks, text: Callable[[Channel, Any], str]) -> None:
        self._looks, self._text = looks, text
        self._dirty: set[Scope] = set()  # something happened in them since their figures
        self._next_at: dict[Scope, float] = {}  # monotonic seconds

    def note(self, scopes: Iterable[Scope]) -> None:
        """Something happened in them."""
        self._dirty.update(scopes)

    def forget(self, scope: Scope) -> None:
        """Nobody looks at it any more."""
        self._dirty.discard(scope)
        self._next_at.pop(scope, None)

    async def send(self, channels: Mapping[Scope, Channel]) -> None:
        """Compute the figures that are due, one scope after the other."""
        for scope, channel in list(channels.items()):
            now = time.monotonic()
            quiet_s = 0 if scope in self._dirty else QUIET_S
            if not channel.clients or now < self._next_at.get(scope, 0) + quiet_s:
                continue
            self._dirty.discard(scope)
            try:
                made = await asyncio.to_thread(self._looks.figures, scope)
            except psycopg.OperationalError:
                self._dirty.add(scope)
                return
            took_s = time.monotonic() - now
            self._next_at[scope] = time.monotonic() + max(FIGURES_S, took_s / PART) - FIGURES_S / 2
            channel.tell_figures(self._text(channel, made))
