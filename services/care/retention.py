"""Deletes care records some time after care has ended, and grants that have run out."""

from datetime import date, timedelta

from geodata.queries import care as queries
from geodata.scope import EVERYTHING, Db, enter
from services import audit
from services.access import SYSTEM


def forget(conn: Db, retention_days: int, today: date) -> int:
    """Delete records that ended more than so many days ago, each with a row in the audit; returns how many.

    Opens a transaction of its own in the hat "care"; `conn` is a job's session.
    """
    with conn.transaction():
        enter(conn, EVERYTHING, "care")
        queries.delete_expired_grants(conn)
        gone = queries.delete_ended(conn, today - timedelta(days=retention_days))
        for care_id, code, area_no in gone:
            audit.record(
                conn, SYSTEM, audit.Action.care_deleted, object_kind="care", object_id=care_id, area_no=area_no,
                detail={"code": code, "retention_days": retention_days},
            )  # fmt: skip
    return len(gone)
