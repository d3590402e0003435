"""The outbox: live events that wait in the database until the relay numbers them and hands them to Redis."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from geodata.scope import Db

KEPT_HOURS = 24  # published events stay this long, so that Redis can be filled again


class OutboxRow(NamedTuple):
    """One numbered event."""

    version: int
    kind: str
    area_no: int
    at: datetime
    body: dict[str, Any]


def add_event(conn: Db, kind: str, area_no: int, body: dict[str, Any]) -> None:
    """Write one event into the caller's transaction; its commit wakes the relay (trigger wake_relay)."""
    conn.execute("INSERT INTO outbox (kind, area_no, body) VALUES (%s, %s, %s)", (kind, area_no, Jsonb(body)))


def number_waiting(conn: Db, limit: int) -> int:
    """Give the next versions to at most `limit` committed events in the order of their ids; returns how many."""
    return conn.execute(
        """
        WITH waiting AS (
            SELECT id FROM outbox WHERE version IS NULL ORDER BY id LIMIT %s FOR UPDATE
        ), numbered AS (
            SELECT id, nextval('live_version') AS version FROM (SELECT id FROM waiting ORDER BY id) AS ordered
        )
        UPDATE outbox SET version = numbered.version FROM numbered WHERE outbox.id = numbered.id
        """,
        (limit,),
    ).rowcount


def numbered_after(conn: Db, version: int, limit: int) -> list[OutboxRow]:
    """Numbered events above that version, oldest first."""
    rows = conn.execute(
        "SELECT version, kind, area_no, at, body FROM outbox WHERE version > %s ORDER BY version LIMIT %s",
        (version, limit),
    ).fetchall()
    return [OutboxRow(*row) for row in rows]


def last_version(conn: Db) -> int:
    """The last version given so far; 0 when none was."""
    row = conn.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM live_version").fetchone()
    return int(row[0]) if row else 0


def continue_after(conn: Db, version: int) -> None:
    """Let the next version be above this one (Redis remembers a later life of this database than it does)."""
    conn.execute("SELECT setval('live_version', %s)", (version,))


def prune(conn: Db, published: int) -> int:
    """Delete events up to that version that are older than KEPT_HOURS; returns how many."""
    return conn.execute(
        "DELETE FROM outbox WHERE version <= %s AND at < now() - make_interval(hours => %s)",
        (published, KEPT_HOURS),
    ).rowcount
