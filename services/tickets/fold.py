"""A ticket's state as its events tell it: the row is the fold of them, and nothing else changes it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from geodata.queries.tickets import Ticket

STATE = (
    "status", "category", "area", "lon", "lat", "location", "address", "due_at", "dispatched_at", "signed_at",
    "handled_at", "closed_at", "satisfaction", "worker", "department", "severity", "nature", "risk", "solved", "tier",
    "parties", "sign_due", "respond_due", "suspended_until", "resume_status", "merged_into", "redos", "transfers",
    "escalation", "supervised_at", "supervision", "registered_no", "nodes", "work_kind",
)  # fmt: skip


class Changed(Protocol):
    """What the fold reads of an event."""

    @property
    def before(self) -> dict[str, Any] | None:
        """The changed fields as they were."""

    @property
    def after(self) -> dict[str, Any] | None:
        """The changed fields as they are since."""


class Broken(Exception):
    """An event does not begin where the one before ended."""


def state_of(ticket: Ticket) -> dict[str, Any]:
    """The fields that commands change, as JSON holds them: codes, the area's number, times in UTC."""
    state = {name: _plain(getattr(ticket, name)) for name in STATE}
    state["area"] = ticket.area.no
    return state


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields in which two states differ: as they were, and as they are."""
    names = [name for name in STATE if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def fold(events: Iterable[Changed]) -> dict[str, Any]:
    """The state after those events, oldest first; of an imported ticket the fields that commands have changed.

    Raises Broken where an event does not begin with what the ones before it left.
    """
    state: dict[str, Any] = {}
    for event in events:
        for name, value in (event.before or {}).items():
            if name in state and state[name] != value:
                raise Broken(f"{name} was {state[name]!r}, but the next event begins with {value!r}")
        state |= event.after or {}
    return state


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
