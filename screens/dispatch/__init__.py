"""The dispatcher's screen: queue, map and ticket side by side, or apart in two windows that follow each other."""

from screens.dispatch.screen import make_dispatch

__all__ = ["make_dispatch"]
