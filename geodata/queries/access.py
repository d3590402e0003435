"""Queries for tokens of walls and clients, in the role wangge_access."""

from typing import Any, NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class WallRow(NamedTuple):
    """A paired wall and the area that it shows."""

    id: int
    name: str
    view: dict[str, Any]
    area_no: int
    area_hi: int
    area_code: str
    is_root: bool
    demo: bool


def wall_of(conn: Db, token_sha256: bytes) -> WallRow | None:
    """The wall of a valid token, if it is still paired."""
    query = """
        SELECT w.id, w.name, w.view, a.no AS area_no, a.hi AS area_hi, a.code AS area_code,
               a.parent_no IS NULL AS is_root, w.demo
        FROM wall_token t JOIN wall_screen w ON w.id = t.wall_id JOIN area a ON a.no = w.area_no
        WHERE t.token_sha256 = %s AND t.expires_at > now() AND w.revoked_at IS NULL
    """
    return conn.cursor(row_factory=class_row(WallRow)).execute(query, (token_sha256,)).fetchone()


def walls_alive(conn: Db, ids: list[int]) -> set[int]:
    """Those of the walls that are still paired; notes now and then that they were seen."""
    conn.execute(
        """
        UPDATE wall_screen SET last_seen_at = now()
        WHERE id = ANY (%s) AND revoked_at IS NULL
          AND (last_seen_at IS NULL OR last_seen_at < now() - interval '10 seconds')
        """,
        (ids,),
    )
    rows = conn.execute(
        "SELECT id FROM wall_screen WHERE id = ANY (%s) AND revoked_at IS NULL", (ids,)
    ).fetchall()
    return {int(row[0]) for row in rows}


class ClientRow(NamedTuple):
    """Another system."""

    id: int
    name: str


def client_of(conn: Db, token_sha256: bytes) -> ClientRow | None:
    """The client of a valid token."""
    query = """
        SELECT id, name FROM api_client
        WHERE token_sha256 = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
    """
    return conn.cursor(row_factory=class_row(ClientRow)).execute(query, (token_sha256,)).fetchone()
