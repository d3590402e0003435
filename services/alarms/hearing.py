"""What happens to tickets, heard as it is written down: it raises alarms, or settles those that were open."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from geodata import jobs
from geodata.queries import alarms as queries
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from profiles.alarms import ALARM_KINDS, AlarmKind
from services.access.viewer import Viewer
from services.alarms.raising import raise_alarm, tell

# A moment of a ticket's clock → the alarm that it raises.
MOMENTS: Mapping[str, AlarmKind] = {
    "take_up": "undecided", "sign": "unsigned", "respond": "unsigned", "warn": "near", "due": "late",
}  # fmt: skip
_TAKEN: frozenset[AlarmKind] = frozenset({"arrived", "undecided"})
_HANDED: frozenset[AlarmKind] = _TAKEN | {"unsigned"}
_DONE: frozenset[AlarmKind] = frozenset(ALARM_KINDS) - {"burst"}
# A command → the alarms about its ticket that it deals with, so that nobody has to acknowledge them besides.
SETTLES: Mapping[str, frozenset[AlarmKind]] = {
    "accept": frozenset({"arrived"}), "consult": _TAKEN, "dispatch": _HANDED, "transfer": _HANDED, "whistle": _HANDED,
    "recall": _HANDED, "sign": _HANDED, "respond": _HANDED, "start": _HANDED, "send_back": frozenset({"unsigned"}),
    "refuse": frozenset({"unsigned"}), "suspend": _HANDED | {"near"}, "urge": frozenset({"near", "late"}),
    "supervise": frozenset({"near", "late"}), "handle": _DONE, "close": _DONE, "reject": _DONE, "cancel": _DONE,
    "merge": _DONE, "archive": _DONE,
}  # fmt: skip


def hear(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    ticket: Ticket,
    kind: str,
    at: datetime,
    data: Mapping[str, Any] | None,
    changed: Mapping[str, Any],
) -> None:
    """Raise or settle alarms for an event of a ticket that is now as given, in the transaction of the event.

    `data` is what the command carried, `changed` the fields that it changed.
    """
    if kind == "report" or (kind == "regrade" and "severity" in changed and ticket.dispatched_at is None):
        _raise(conn, profile, ticket, "arrived", at, {})
    elif kind == "tick":
        moment = str((data or {}).get("moment"))
        if moment in MOMENTS:
            _raise(conn, profile, ticket, MOMENTS[moment], at, {"moment": moment})
    elif kinds := SETTLES.get(kind):
        for alarm, area_no in queries.settle(conn, ticket.id, sorted(kinds), viewer.name, kind, at):
            jobs.drop(conn, f"alarm:{alarm}")
            tell(conn, area_no, alarm)


def _raise(
    conn: Db, profile: Profile, ticket: Ticket, kind: AlarmKind, at: datetime, data: dict[str, Any]
) -> None:
    if ticket.closed_at is None:
        raise_alarm(
            conn, profile, ticket.area.no, kind, ticket_id=ticket.id, severity=ticket.severity, data=data, now=at
        )  # fmt: skip
