"""The place's own weights of a candidate's score: each change a version of its own."""

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from geodata.scope import Db


def weights(conn: Db) -> tuple[int, dict[str, Any], datetime, str] | None:
    """The place's own weights: version, weights, when and by whom they were set; None without any."""
    row = conn.execute(
        "SELECT version, weights, changed_at, changed_by FROM dispatch_weights ORDER BY version DESC LIMIT 1"
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


def add_weights(conn: Db, version: int, values: dict[str, int], by: str) -> bool:
    """Set the weights; False when that version is there already."""
    added = conn.execute(
        "INSERT INTO dispatch_weights (version, weights, changed_by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (version, Jsonb(values), by),
    )
    return added.rowcount == 1
