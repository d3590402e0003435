"""Other systems and their tokens as the administration sees them, in the role wangge_access."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class ClientRow(NamedTuple):
    """Another system; its token is not kept, only the token's SHA-256."""

    id: int
    name: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None


def clients(conn: Db) -> list[ClientRow]:
    """All of them, revoked ones too; those in use first, then by name."""
    query = """
        SELECT id, name, created_at, created_by, expires_at, revoked_at FROM api_client
        ORDER BY revoked_at IS NOT NULL, name
    """
    return conn.cursor(row_factory=class_row(ClientRow)).execute(query).fetchall()


def insert_client(conn: Db, name: str, token_sha256: bytes, created_by: str, days: int | None) -> int | None:
    """Insert a client whose token is valid for that many days (None: until revoked); None if the name is taken."""
    row = conn.execute(
        """
        INSERT INTO api_client (name, token_sha256, created_by, expires_at)
        VALUES (%s, %s, %s, now() + make_interval(days => %s)) ON CONFLICT (name) DO NOTHING RETURNING id
        """,
        (name, token_sha256, created_by, days),
    ).fetchone()
    return None if row is None else int(row[0])


def revoke_client(conn: Db, client_id: int) -> str | None:
    """End a client's token; its name, or None if there is none or it was revoked before."""
    row = conn.execute(
        "UPDATE api_client SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL RETURNING name",
        (client_id,),
    ).fetchone()
    return None if row is None else str(row[0])
