"""Frames of where the workers are: for each scope who moved since the last, and all of them for who joins."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from geodata.scope import Scope
from services.live import frames
from services.live.channel import Channel
from services.live.crew import Crew

HIDE_S = 5.0  # as often is looked who has gone
KEPT_S = 1.0  # as long may the ages in a frame of all be behind


class Everyone(NamedTuple):
    """A frame of all workers' positions, for all screens that join about now."""

    made_at: float  # monotonic seconds
    turn: int
    frame: bytes


class Whereabouts:
    """What the channels are told of a crew; for one event loop."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._everyone: dict[Scope, Everyone] = {}
        self._hide_at = 0.0
        self._sent_turn = 0

    def send(self, channels: Mapping[Scope, Channel]) -> None:
        """Tell each channel with screens who moved since the last time, and who is not shown any more."""
        crew, now = self._crew, time.monotonic()
        if now >= self._hide_at:
            self._hide_at = now + HIDE_S
            crew.hide_gone(int(time.time() * 1000))
        if crew.turn == self._sent_turn:
            return
        for scope, channel in channels.items():
            if channel.clients and (moves := crew.moves(scope, self._sent_turn)):
                channel.tell(frames.positions(moves))
        self._sent_turn = crew.turn

    def all_in(self, scope: Scope) -> bytes:
        """Where all are. One frame serves all who join until the next is sent: whoever moved after it is in that."""
        kept, now = self._everyone.get(scope), time.monotonic()
        if kept is None or kept.turn < self._sent_turn or now - kept.made_at > KEPT_S:
            frame = frames.positions(self._crew.all_moves(scope), frames.ALL)
            kept = self._everyone[scope] = Everyone(now, self._crew.turn, frame)
        return kept.frame

    def forget(self, scope: Scope) -> None:
        """Nobody looks at it any more."""
        self._everyone.pop(scope, None)
