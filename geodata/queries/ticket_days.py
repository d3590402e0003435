"""Whole days of tickets that stand counted in ticket_sum: counting those that do not, or were touched since."""

from datetime import datetime

from geodata.scope import Db


def count_days(conn: Db, upto: datetime | None = None) -> int:
    """Count the local days that are over at `upto` (aware; None: now); returns how many were counted.

    Those that stand counted and were not touched stay as they are. Runs as wangge_jobs.
    """
    row = conn.execute("SELECT count_days(coalesce(%s, now()))", (upto,)).fetchone()
    return int(row[0]) if row else 0
