"""The live feed: from a committed event to every open screen."""

from services.live.events import Event
from services.live.hub import Hub

__all__ = ["Event", "Hub"]
