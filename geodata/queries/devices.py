"""Devices of workers as the administration sees them, in the role wangge_access; only workers of the given scope."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db, Scope

# The areas above and at a worker's own, from the town down.
PLACE = """
    (SELECT string_agg(p.name, ' › ' ORDER BY p.level) FROM area p
     WHERE w.area_no BETWEEN p.no AND p.hi AND (p.parent_no IS NOT NULL OR p.no = w.area_no))
"""
# Workers of the scope that the text names: by code, name, or the name or code of an area that they are in.
SOUGHT = """
    w.area_no <@ %(scope)s::int8multirange
    AND (%(text)s = '' OR w.code ILIKE %(inside)s OR w.name ILIKE %(inside)s {more}
         OR w.area_no <@ (SELECT range_agg(int8range(no, hi, '[]')) FROM area
                          WHERE name ILIKE %(inside)s OR code LIKE %(start)s))
"""


class DeviceRow(NamedTuple):
    """A phone or terminal of a worker; `key` is the SHA-256 of its token in hexadecimal."""

    key: str
    label: str
    worker_id: int
    worker_code: str
    worker_name: str
    place: str
    area_no: int
    created_at: datetime
    revoked_at: datetime | None


class WorkerRow(NamedTuple):
    """An active worker, and how many devices report for it."""

    id: int
    code: str
    name: str
    place: str
    area_no: int
    devices: int


def devices(conn: Db, scope: Scope, text: str, limit: int) -> tuple[list[DeviceRow], int]:
    """Devices of workers that the text names (or whose label holds it), newest first; and how many there are in all."""
    query = f"""
        SELECT encode(d.token_sha256, 'hex') AS key, d.label, w.id AS worker_id, w.code AS worker_code,
               w.name AS worker_name, coalesce({PLACE}, '') AS place, w.area_no, d.created_at, d.revoked_at
        FROM device d JOIN worker w ON w.id = d.worker_id
        WHERE {SOUGHT.format(more="OR d.label ILIKE %(inside)s")}
        ORDER BY d.revoked_at IS NOT NULL, d.created_at DESC, d.token_sha256 LIMIT %(limit)s
    """  # nosec B608 # joined from constants alone
    count = f"""
        SELECT count(*) FROM device d JOIN worker w ON w.id = d.worker_id
        WHERE {SOUGHT.format(more="OR d.label ILIKE %(inside)s")}
    """  # nosec B608 # joined from constants alone
    values = {**_sought(scope, text), "limit": limit}
    rows = conn.cursor(row_factory=class_row(DeviceRow)).execute(query, values).fetchall()
    total = conn.execute(count, values).fetchone() if len(rows) == limit else (len(rows),)
    return rows, int(total[0]) if total else 0


def workers(conn: Db, scope: Scope, text: str, limit: int) -> list[WorkerRow]:
    """Active workers that the text names, by place and code."""
    query = f"""
        SELECT w.id, w.code, w.name, coalesce({PLACE}, '') AS place, w.area_no,
               (SELECT count(*) FROM device d WHERE d.worker_id = w.id AND d.revoked_at IS NULL)::int AS devices
        FROM worker w WHERE w.active AND {SOUGHT.format(more="")}
        ORDER BY (w.code = %(text)s) DESC, w.area_no, w.code LIMIT %(limit)s
    """  # nosec B608 # joined from constants alone
    values = {**_sought(scope, text), "limit": limit}
    return conn.cursor(row_factory=class_row(WorkerRow)).execute(query, values).fetchall()


def worker(conn: Db, scope: Scope, worker_id: int) -> WorkerRow | None:
    """An active worker of the scope by its id."""
    query = f"""
        SELECT w.id, w.code, w.name, coalesce({PLACE}, '') AS place, w.area_no,
               (SELECT count(*) FROM device d WHERE d.worker_id = w.id AND d.revoked_at IS NULL)::int AS devices
        FROM worker w WHERE w.active AND w.id = %(id)s AND w.area_no <@ %(scope)s::int8multirange
    """  # nosec B608 # joined from constants alone
    values = {"id": worker_id, "scope": _multirange(scope)}
    return conn.cursor(row_factory=class_row(WorkerRow)).execute(query, values).fetchone()


def insert_device(conn: Db, token_sha256: bytes, worker_id: int, label: str) -> None:
    """Insert a device of that worker."""
    conn.execute(
        "INSERT INTO device (token_sha256, worker_id, label) VALUES (%s, %s, %s)",
        (token_sha256, worker_id, label),
    )


def revoke_device(conn: Db, scope: Scope, key: str) -> tuple[str, str, int] | None:
    """End a device of a worker of the scope: its label, the worker's code and area; None if there is no such device."""
    row = conn.execute(
        """
        UPDATE device d SET revoked_at = now() FROM worker w
        WHERE w.id = d.worker_id AND encode(d.token_sha256, 'hex') = %(key)s AND d.revoked_at IS NULL
          AND w.area_no <@ %(scope)s::int8multirange
        RETURNING d.label, w.code, w.area_no
        """,
        {"key": key, "scope": _multirange(scope)},
    ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]), int(row[2]))


def _sought(scope: Scope, text: str) -> dict[str, str]:
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {"scope": _multirange(scope), "text": text, "inside": f"%{plain}%", "start": f"{plain}%"}


def _multirange(scope: Scope) -> str:
    ranges = ",".join(f"[{lo},{hi}]" for lo, hi in scope.ranges)
    return f"{{{ranges}}}"
