"""Status call-backs out: telling other systems, signed and in order, what became of the tickets that they sent."""

from services.notices.targets import (
    BadTarget,
    Dead,
    Registered,
    Target,
    UnknownNotice,
    UnknownTarget,
    again,
    dead,
    end,
    register,
    targets,
)

__all__ = [
    "BadTarget", "Dead", "Registered", "Target", "UnknownNotice", "UnknownTarget", "again", "dead", "end", "register",
    "targets",
]  # fmt: skip
