"""Entering and removing leaves of workers, on record; whoever is away is proposed for nothing."""

from datetime import datetime

import psycopg

from geodata.queries import leaves as queries
from geodata.queries.leaves import Leave, Named
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.dispatch.weight_errors import BadLeave, UnknownLeave

__all__ = ["Leave", "Named", "add", "coming", "found", "remove"]
MOST_FOUND = 8
coming = queries.ending_after


def found(conn: Db, text: str, now: datetime) -> list[Named]:
    """Active workers by a part of the name or the beginning of the code; a few, to choose from."""
    return queries.workers(conn, text.strip(), now, MOST_FOUND) if text.strip() else []


def add(conn: Db, viewer: Viewer, worker: str, begins: datetime, ends: datetime) -> int:
    """Enter a leave of the worker with that code; returns its id. Raises BadLeave."""
    if ends <= begins:
        raise BadLeave("A leave ends after it begins.")
    try:
        with conn.transaction():
            added = queries.add(conn, worker, begins, ends, viewer.name)
    except psycopg.errors.ExclusionViolation:
        raise BadLeave("The worker is on leave in a part of that time already.") from None
    if added is None:
        raise BadLeave(f"There is no active worker with the code {worker}.")
    detail = {"worker": worker, "begins": begins.isoformat(), "ends": ends.isoformat()}
    audit.record(
        conn, viewer, audit.Action.roster_changed, object_kind="leave", object_id=added, detail=detail
    )
    return added


def remove(conn: Db, viewer: Viewer, leave_id: int, now: datetime) -> None:
    """Take a leave out; one that lasts ends now, and what was of it stays. Raises UnknownLeave."""
    taken = queries.remove(conn, leave_id, now)
    if taken is None:
        raise UnknownLeave(f"There is no leave with the id {leave_id} that lasts or is to come.")
    if taken.begins < now:
        queries.put_back(conn, taken, now)
    audit.record(
        conn, viewer, audit.Action.roster_changed, object_kind="leave", object_id=leave_id, area_no=taken.area_no,
        detail={"ended": now.isoformat()} if taken.begins < now else None,
    )  # fmt: skip
