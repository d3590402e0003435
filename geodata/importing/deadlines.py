"""Deadlines of imported tickets whose file names none, worked out by the clock of the place, whole columns at once."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geodata.clock.ends import ends
from geodata.clock.worktime import Micros, worktime_of
from geodata.importing.place import Place
from geodata.importing.report import Report
from geodata.queries import calendar
from geodata.scope import Db


def with_deadlines(conn: Db, place: Place, rows: pa.Table, report: Report) -> pa.Table:
    """The rows with `due_at` where it was missing: from dispatch, else (provisional, as when filed) from the report.

    A deadline that the file gives is kept as it is, and so is none where the place sets no limit.
    """
    missing = np.asarray(pc.is_null(rows["due_at"]))
    if not missing.any():
        return rows
    worktime = worktime_of(place.profile, calendar.overrides(conn))
    due, starts = _micros(rows["due_at"]), _micros(pc.coalesce(rows["dispatched_at"], rows["reported_at"]))
    categories = np.asarray(rows["category_id"].to_numpy(), dtype=np.int64)
    channels = np.asarray(rows["channel_id"].to_numpy(), dtype=np.int64)
    both = categories * 65_536 + channels
    pairs, which = np.unique(both[missing], return_inverse=True)
    at = np.flatnonzero(missing)[np.argsort(which, kind="stable")]
    codes: dict[str, dict[int, str]] = {
        "category": dict(conn.execute("SELECT id, code FROM category").fetchall()),
        "channel": dict(conn.execute("SELECT id, code FROM channel").fetchall()),
    }
    found = 0
    for pair, own in zip(pairs, np.split(at, np.cumsum(np.bincount(which))[:-1]), strict=True):
        category, channel = divmod(int(pair), 65_536)
        limit = place.profile.limit(
            "handle", category=codes["category"][category], channel=codes["channel"][channel]
        )
        if limit:
            due[own] = ends(limit, starts[own], worktime)
            missing[own] = False
            found += len(own)
    if found:
        report.notes.append(f"{found} tickets name no deadline: worked out from the place's limits.")
    column = pa.array(due, pa.timestamp("us", "UTC"), mask=missing)
    return rows.set_column(rows.column_names.index("due_at"), "due_at", column)


def _micros(column: pa.ChunkedArray) -> Micros:
    """Microseconds since 1970 UTC; 0 where empty."""
    filled: Micros = pc.fill_null(column.cast(pa.int64()), 0).to_numpy().copy()
    return filled
