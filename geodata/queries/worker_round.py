"""Where a worker stands and which tickets they have in hand, for the order of their round."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.queries.candidates import _ON_SHIFT, _moment
from geodata.queries.spots import SPOT, SPOT_COLUMNS
from geodata.scope import Db


class Stand(NamedTuple):
    """An active worker; degrees (EPSG:4326) of the position taken at `at`, or of the middle of their area (None)."""

    id: int
    code: str
    name: str
    lon: float
    lat: float
    at: datetime | None


class Stop(NamedTuple):
    """A ticket in somebody's hands; lon, lat are None where its place is not known.

    `rough`: it has no point of its own, the middle of its grid or community stands for it.
    """

    id: int
    version: int
    reported_at: datetime
    title: str
    status: str
    category: str
    severity: str | None
    due_at: datetime | None
    lon: float | None
    lat: float | None
    rough: bool


def stand_of(conn: Db, code: str, oldest: datetime, local: datetime) -> Stand | None:
    """The active worker in scope with that code; the position only if it is of a shift that runs, and not older.

    `local` is the moment in the place's time.
    """
    return (
        conn.cursor(row_factory=class_row(Stand))
        .execute(
            f"""
            SELECT w.id, w.code, w.name, ST_X(coalesce(p.geom, b.label_at)) AS lon,
                   ST_Y(coalesce(p.geom, b.label_at)) AS lat, p.at
            FROM worker w
            JOIN area_boundary b ON b.area_no = w.area_no AND upper_inf(b.valid)
            LEFT JOIN worker_position p ON p.worker_id = w.id AND p.at >= %(oldest)s AND {_ON_SHIFT}
            WHERE w.code = %(code)s AND w.active
            """,  # nosec B608 # of constants alone
            _moment(local, local) | {"code": code, "oldest": oldest},
        )
        .fetchone()
    )


def in_hand(conn: Db, worker_id: int, statuses: Sequence[str], most: int) -> list[Stop]:
    """The tickets of a worker in these states in scope, by deadline."""
    return (
        conn.cursor(row_factory=class_row(Stop))
        .execute(
            f"""
            SELECT t.id, t.version, t.reported_at, t.title, t.status::text, k.code AS category, t.severity, t.due_at,
                   {SPOT_COLUMNS}
            FROM ticket t
            JOIN category k ON k.id = t.category_id
            {SPOT}
            WHERE t.worker_id = %(worker)s AND t.closed_at IS NULL AND t.status = ANY (%(statuses)s::ticket_status[])
            ORDER BY t.due_at NULLS LAST, t.reported_at, t.id LIMIT %(most)s
            """,  # nosec B608 # of constants alone
            {"worker": worker_id, "statuses": list(statuses), "most": most},
        )
        .fetchall()
    )
