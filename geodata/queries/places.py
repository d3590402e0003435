"""What a database holds: its place, the areas of each level, the tickets."""

from datetime import datetime
from typing import NamedTuple

from geodata.scope import Db
from profiles import Level


class Held(NamedTuple):
    """The place of a database, how far its generated history reaches, and the last report of all."""

    profile: str
    generated: bool
    until: datetime | None
    last_report: datetime | None


def held(conn: Db) -> Held | None:
    """The place in the database; None when there is none yet. Runs as the owner."""
    row = conn.execute(
        """
        SELECT profile, generated, generated_until,
               (SELECT max(reported_at) FROM ticket WHERE reported_at > p.generated_until - interval '1 hour')
        FROM place p
        """
    ).fetchone()
    return Held(*row) if row else None


def areas_by_level(conn: Db) -> list[tuple[Level, int]]:
    """Areas in force on each level, from the top."""
    rows = conn.execute(
        "SELECT level, count(*) FROM area WHERE valid_to IS NULL GROUP BY level ORDER BY level"
    ).fetchall()
    return [(row[0], int(row[1])) for row in rows]


def tickets(conn: Db) -> int:
    """Number of tickets."""
    row = conn.execute("SELECT count(*) FROM ticket").fetchone()
    return int(row[0]) if row else 0


def refresh_statistics(conn: Db) -> None:
    """Tell the planner what was loaded, without waiting for autovacuum; columns that no plan turns on are left out."""
    conn.execute(
        "ANALYZE ticket (id, reported_at, area_no, closed_at, due_at, status, channel_id, category_id)"
    )
    conn.execute("ANALYZE ticket_event (ticket_id, at, area_no)")
    conn.execute(
        "ANALYZE area, area_boundary, worker, key_person, care_record, org_unit, video_station, patrol"
    )
