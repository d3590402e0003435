"""Workers, the areas of their duty and the devices that may report their positions."""

from typing import NamedTuple

from geodata.scope import Db


class WorkerRow(NamedTuple):
    """An active worker; the shift in minutes after local midnight (shift_to < shift_from passes midnight)."""

    id: int
    code: str
    kind: str
    area_no: int
    area_name: str
    shift_from_min: int
    shift_to_min: int
    shift_days: int


def active_workers(conn: Db) -> list[WorkerRow]:
    """All active workers in scope, ordered by id."""
    rows = conn.execute(
        """
        SELECT w.id, w.code, w.kind::text, w.area_no, a.name,
               (extract(epoch FROM w.shift_from) / 60)::integer, (extract(epoch FROM w.shift_to) / 60)::integer,
               w.shift_days
        FROM worker w JOIN area a ON a.no = w.area_no WHERE w.active ORDER BY w.id
        """
    ).fetchall()
    return [WorkerRow(*row) for row in rows]


def device_workers(conn: Db) -> dict[bytes, int]:
    """SHA-256 of each valid token → worker id."""
    rows = conn.execute(
        """
        SELECT d.token_sha256, d.worker_id FROM device d JOIN worker w ON w.id = d.worker_id
        WHERE d.revoked_at IS NULL AND w.active
        """
    ).fetchall()
    return {bytes(digest): worker for digest, worker in rows}


def add_devices(conn: Db, devices: list[tuple[bytes, int, str]]) -> None:
    """Insert (SHA-256 of the token, worker id, label) as the database's owner; one known already stays."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO device (token_sha256, worker_id, label) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            devices,
        )


def add_passing_client(conn: Db, digest: bytes, name: str, hours: int) -> None:
    """Insert a client of other systems as the database's owner, valid for so many hours."""
    conn.execute(
        """
        INSERT INTO api_client (name, token_sha256, created_by, expires_at)
        VALUES (%s, %s, 'system', now() + make_interval(hours => %s))
        """,
        (name, digest, hours),
    )


def remove_passing_client(conn: Db, name: str, label: str) -> None:
    """Delete that client and those that a killed run left behind, as the database's owner."""
    conn.execute(
        "DELETE FROM api_client WHERE name = %s OR (name LIKE %s || ' %%' AND expires_at < now())",
        (name, label),
    )


def remove_devices(conn: Db, label: str) -> int:
    """Delete the devices with that label as the database's owner; returns how many."""
    return conn.execute("DELETE FROM device WHERE label = %s", (label,)).rowcount


def remove_old_devices(conn: Db, label_pattern: str, days: int) -> int:
    """Delete devices whose label is LIKE the pattern and that are older, as the database's owner; returns how many."""
    return conn.execute(
        "DELETE FROM device WHERE label LIKE %s AND created_at < now() - make_interval(days => %s)",
        (label_pattern, days),
    ).rowcount
