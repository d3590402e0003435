"""Queries for video stations: where they are, what state their stream is in, and writing a probed state."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class Station(NamedTuple):
    """A video station as maps and the player need it; `stream_url` may be relative to our own address."""

    id: str
    name: str
    site_kind: str
    area_no: int
    lon: float
    lat: float
    state: str
    state_reason: str | None
    checked_at: datetime | None
    stream_url: str | None
    generated: bool


class Probed(NamedTuple):
    """A state that was really found; `reason` is a code of services.video, None when live."""

    id: str
    state: str
    reason: str | None


_SELECT = """
    SELECT id, name, site_kind, area_no, ST_X(geom) AS lon, ST_Y(geom) AS lat, state::text, state_reason, checked_at,
           stream_url, generated
    FROM video_station
"""


def stations(conn: Db) -> list[Station]:
    """All stations in scope, by id."""
    with conn.cursor(row_factory=class_row(Station)) as cursor:
        return cursor.execute(f"{_SELECT} ORDER BY id").fetchall()


def station(conn: Db, station_id: str) -> Station | None:
    """One station in scope, or None."""
    with conn.cursor(row_factory=class_row(Station)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE id = %s", (station_id,)).fetchone()


def write_probed(conn: Db, found: Sequence[Probed]) -> list[str]:
    """Write states with the time of the check; each change becomes a live event. Returns the ids that changed."""
    rows = conn.execute(
        """
        WITH found AS (
            SELECT * FROM unnest(%s::text[], %s::station_state[], %s::text[]) AS f (id, state, reason)
        ), before AS (
            SELECT s.id, s.state, s.state_reason FROM video_station s JOIN found USING (id)
        ), written AS (
            UPDATE video_station s SET state = f.state, state_reason = f.reason, checked_at = now()
            FROM found f WHERE f.id = s.id
            RETURNING s.id, s.area_no, s.state, s.state_reason, s.checked_at
        )
        SELECT w.id, w.area_no, w.state::text, w.state_reason, w.checked_at
        FROM written w JOIN before b USING (id)
        WHERE b.state IS DISTINCT FROM w.state OR b.state_reason IS DISTINCT FROM w.state_reason
        ORDER BY w.id
        """,
        ([f.id for f in found], [f.state for f in found], [f.reason for f in found]),
    ).fetchall()
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO outbox (kind, area_no, body) VALUES ('station', %s, %s)",
            [
                (area_no, Jsonb({"id": own, "state": state, "reason": reason, "checked_at": at.isoformat()}))
                for own, area_no, state, reason, at in rows
            ],
        )
    return [row[0] for row in rows]
