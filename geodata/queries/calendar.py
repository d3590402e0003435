"""Days that the place set above the national calendar."""

from geodata.clock.calendar import Override
from geodata.scope import Db


def overrides(conn: Db) -> tuple[Override, ...]:
    """All of them, by day."""
    rows = conn.execute("SELECT day, kind = 'working', name FROM calendar_override ORDER BY day").fetchall()
    return tuple(Override(*row) for row in rows)
