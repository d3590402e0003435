"""The measures that colour a grid, computed for all grids in scope or for the changed ones only."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from geodata.scope import Db


class GridMeasure(NamedTuple):
    """Open tickets, those past their deadline, open per 1,000 people, and days since the last patrol of a grid."""

    no: int
    open: int
    overdue: int
    per_1000: float | None
    patrol_days: int | None


def grid_measures(
    conn: Db, now: datetime, today: date, nos: Sequence[int] | None = None
) -> list[GridMeasure]:
    """Measures of the grids with these numbers, or of all in scope, ordered by number.

    `today` is the place's local date of `now`. per_1000 is null without a population, patrol_days without a patrol.
    """
    query = _ALL if nos is None else _SOME
    rows = conn.execute(query, {"now": now, "today": today, "nos": list(nos or ())}).fetchall()
    return [GridMeasure(*row) for row in rows]


def grids_that_ran_late(conn: Db, after: datetime, until: datetime) -> list[int]:
    """Areas with an open ticket whose deadline passed in (after, until]."""
    rows = conn.execute(
        "SELECT DISTINCT area_no FROM ticket WHERE closed_at IS NULL AND due_at > %s AND due_at <= %s",
        (after, until),
    ).fetchall()
    return [row[0] for row in rows]


_COLUMNS = """
    a.no, coalesce(t.open, 0)::integer, coalesce(t.overdue, 0)::integer,
    CASE WHEN a.population > 0 THEN round(1000.0 * coalesce(t.open, 0) / a.population, 1)::float END,
    %(today)s - p.day
"""
_LAST_PATROL = """
    LEFT JOIN LATERAL (
        SELECT day FROM patrol WHERE area_no = a.no AND day <= %(today)s ORDER BY day DESC LIMIT 1
    ) p ON true
"""
_ALL = f"""
    SELECT {_COLUMNS}
    FROM area a
    LEFT JOIN (
        SELECT area_no, count(*) AS open, count(*) FILTER (WHERE due_at <= %(now)s) AS overdue
        FROM ticket WHERE closed_at IS NULL GROUP BY 1
    ) t ON t.area_no = a.no
    {_LAST_PATROL}
    WHERE a.level = 'grid' AND a.valid_to IS NULL ORDER BY a.no
"""  # nosec B608 # constants of this file
_SOME = f"""
    SELECT {_COLUMNS}
    FROM area a
    LEFT JOIN LATERAL (
        SELECT count(*) AS open, count(*) FILTER (WHERE due_at <= %(now)s) AS overdue
        FROM ticket WHERE area_no = a.no AND closed_at IS NULL
    ) t ON true
    {_LAST_PATROL}
    WHERE a.no = ANY(%(nos)s) AND a.level = 'grid' AND a.valid_to IS NULL ORDER BY a.no
"""  # nosec B608 # constants of this file
