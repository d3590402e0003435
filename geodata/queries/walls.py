"""Queries for paired walls and their tokens, in the role wangge_access."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class Wall(NamedTuple):
    """A wall as lists show it; `last_seen_at` is written every few seconds while it is connected."""

    id: int
    name: str
    area_no: int
    area_code: str
    area_name: str
    view: dict[str, Any]
    created_at: datetime
    created_by: str
    last_seen_at: datetime | None
    revoked_at: datetime | None
    demo: bool


_SELECT = """
    SELECT w.id, w.name, w.area_no, a.code AS area_code, a.name AS area_name, w.view, w.created_at, w.created_by,
           w.last_seen_at, w.revoked_at, w.demo
    FROM wall_screen w JOIN area a ON a.no = w.area_no
"""


def walls(conn: Db, revoked_days: int) -> list[Wall]:
    """All walls that are paired or were revoked in the last days; paired ones first, by name."""
    query = f"""
        {_SELECT} WHERE w.revoked_at IS NULL OR w.revoked_at > now() - make_interval(days => %s)
        ORDER BY w.revoked_at IS NOT NULL, w.name, w.id
    """
    return conn.cursor(row_factory=class_row(Wall)).execute(query, (revoked_days,)).fetchall()


def paired(conn: Db, wall_id: int) -> Wall | None:
    """One wall that is not revoked; it cannot be until the transaction ends."""
    query = f"{_SELECT} WHERE w.id = %s AND w.revoked_at IS NULL FOR UPDATE OF w"
    return conn.cursor(row_factory=class_row(Wall)).execute(query, (wall_id,)).fetchone()


def add_wall(conn: Db, name: str, area_no: int, view: dict[str, Any], by: str, *, demo: bool = False) -> int:
    """Insert a wall and return its id."""
    row = conn.execute(
        "INSERT INTO wall_screen (name, area_no, view, created_by, demo) VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (name, area_no, Jsonb(view), by, demo),
    ).fetchone()
    assert row is not None
    return int(row[0])


def revoke_wall(conn: Db, wall_id: int, by: str) -> None:
    """Revoke a wall; its tokens stay known as those of a revoked wall until they expire."""
    conn.execute("UPDATE wall_screen SET revoked_at = now(), revoked_by = %s WHERE id = %s", (by, wall_id))


def add_token(conn: Db, wall_id: int, token_sha256: bytes, days: int) -> None:
    """Insert a token of a wall, valid for so many days, and delete those of all walls that have expired."""
    conn.execute("DELETE FROM wall_token WHERE expires_at < now()")
    conn.execute(
        "INSERT INTO wall_token (token_sha256, wall_id, expires_at) VALUES (%s, %s, now() + make_interval(days => %s))",
        (token_sha256, wall_id, days),
    )


class TokenRow(NamedTuple):
    """A valid token of a paired wall and the seconds until it expires."""

    wall_id: int
    left_s: float


def token(conn: Db, token_sha256: bytes) -> TokenRow | None:
    """That token, kept for this transaction alone."""
    query = """
        SELECT t.wall_id, extract(epoch FROM t.expires_at - now())::float AS left_s
        FROM wall_token t JOIN wall_screen w ON w.id = t.wall_id
        WHERE t.token_sha256 = %s AND t.expires_at > now() AND w.revoked_at IS NULL FOR UPDATE OF t
    """
    return conn.cursor(row_factory=class_row(TokenRow)).execute(query, (token_sha256,)).fetchone()


def let_expire(conn: Db, token_sha256: bytes, seconds: int) -> None:
    """Let a token expire after so many seconds, or earlier if it would."""
    query = """
        UPDATE wall_token SET expires_at = least(expires_at, now() + make_interval(secs => %s)) WHERE token_sha256 = %s
    """
    conn.execute(query, (seconds, token_sha256))


def is_revoked(conn: Db, token_sha256: bytes) -> bool:
    """Whether that is the token of a wall that was revoked."""
    query = """
        SELECT FROM wall_token t JOIN wall_screen w ON w.id = t.wall_id
        WHERE t.token_sha256 = %s AND w.revoked_at IS NOT NULL
    """
    return conn.execute(query, (token_sha256,)).fetchone() is not None


def demo_wall(conn: Db) -> int | None:
    """The wall that the demo paired itself, if it is not revoked; others wait until this transaction ends."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtext('wangge demo wall'))")
    row = conn.execute(
        "SELECT id FROM wall_screen WHERE demo AND revoked_at IS NULL ORDER BY id LIMIT 1"
    ).fetchone()
    return None if row is None else int(row[0])


def root_area(conn: Db) -> int | None:
    """The number of the whole place; None before there is one."""
    row = conn.execute(
        "SELECT no FROM area WHERE parent_no IS NULL AND valid_to IS NULL ORDER BY no LIMIT 1"
    ).fetchone()
    return None if row is None else int(row[0])
