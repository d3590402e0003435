"""Entering and removing leaves of workers, on record; whoever is away is proposed for nothing."""

from datetime import datetime

import psycopg

from geodata.queries import leaves as queries
from geodata.queries.leaves import Leave
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.dispatch.weight_errors import BadLeave, UnknownLeave

__all__ = ["Leave", "add", "coming", "remove"]
coming = queries.ending_after


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


def remove(conn: Db, viewer: Viewer, leave_id: int) -> None:
    """Take a leave out. Raises UnknownLeave."""
    area_no = queries.remove(conn, leave_id)
    if area_no is None:
        raise UnknownLeave(f"There is no leave with the id {leave_id}.")
    audit.record(
        conn, viewer, audit.Action.roster_changed, object_kind="leave", object_id=leave_id, area_no=area_no
    )
