"""Rows of pictures: adding one, tying them to a ticket, and taking away what nobody tied to anything."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from geodata.scope import Db

_COLUMNS = "id, ticket_id, area_no, sha256, width, height, bytes, sender_kind, sender_id, sent_by, sent_at, attached_at"
_INSERT = f"""
    INSERT INTO picture (area_no, sha256, width, height, bytes, sender_kind, sender_id, sent_by)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}
"""  # nosec B608


class PictureRow(NamedTuple):
    """A picture; sizes in pixels and bytes of the file as it is kept."""

    id: UUID
    ticket_id: int | None
    area_no: int
    sha256: bytes
    width: int
    height: int
    bytes: int
    sender_kind: str
    sender_id: int
    sent_by: str
    sent_at: datetime
    attached_at: datetime | None


class NewPicture(NamedTuple):
    """What is known of a picture when it comes in."""

    area_no: int
    sha256: bytes
    width: int
    height: int
    bytes: int
    sender_kind: str
    sender_id: int
    sent_by: str


def hold_content(conn: Db, sha256: bytes) -> None:
    """Let only one transaction at a time add or take away pictures with this content."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (int.from_bytes(sha256[:8], "big", signed=True),))


def insert(conn: Db, new: NewPicture) -> PictureRow:
    """Add a picture that belongs to no ticket yet."""
    row = conn.cursor(row_factory=class_row(PictureRow)).execute(_INSERT, new).fetchone()
    assert row is not None
    return row


def by_id(conn: Db, picture_id: UUID) -> PictureRow | None:
    """The picture with that id, if it is in scope."""
    query = f"SELECT {_COLUMNS} FROM picture WHERE id = %s"  # nosec B608
    return conn.cursor(row_factory=class_row(PictureRow)).execute(query, (picture_id,)).fetchone()


def of_ticket(conn: Db, ticket_id: int) -> list[PictureRow]:
    """The pictures of a ticket in the order in which they came."""
    query = f"SELECT {_COLUMNS} FROM picture WHERE ticket_id = %s ORDER BY sent_at, id"  # nosec B608
    return conn.cursor(row_factory=class_row(PictureRow)).execute(query, (ticket_id,)).fetchall()


def held(conn: Db, ids: list[UUID]) -> list[tuple[UUID, int | None]]:
    """(id, ticket) of those that exist in scope; nobody else ties them until the transaction ends."""
    rows = conn.execute(
        "SELECT id, ticket_id FROM picture WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (ids,)
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def tie(conn: Db, ids: list[UUID], ticket_id: int, area_no: int) -> None:
    """Tie pictures to a ticket that are of none yet."""
    conn.execute(
        "UPDATE picture SET ticket_id = %s, area_no = %s, attached_at = now() WHERE id = ANY(%s) AND ticket_id IS NULL",
        (ticket_id, area_no, ids),
    )


def untied_before(conn: Db, before: datetime, most: int) -> list[tuple[UUID, bytes]]:
    """(id, SHA-256) of pictures that came before that moment and belong to no ticket, oldest first."""
    rows = conn.execute(
        "SELECT id, sha256 FROM picture WHERE ticket_id IS NULL AND sent_at < %s ORDER BY sent_at LIMIT %s",
        (before, most),
    ).fetchall()
    return [(row[0], bytes(row[1])) for row in rows]


def oldest_untied(conn: Db) -> datetime | None:
    """When the oldest picture came that belongs to no ticket; None when there is none."""
    row = conn.execute("SELECT min(sent_at) FROM picture WHERE ticket_id IS NULL").fetchone()
    return None if row is None else row[0]


def delete_untied(conn: Db, picture_id: UUID) -> bool:
    """Delete a picture that still belongs to no ticket."""
    done = conn.execute("DELETE FROM picture WHERE id = %s AND ticket_id IS NULL", (picture_id,))
    return done.rowcount == 1


def is_used(conn: Db, sha256: bytes) -> bool:
    """Whether any picture has this content."""
    return conn.execute("SELECT FROM picture WHERE sha256 = %s LIMIT 1", (sha256,)).fetchone() is not None
