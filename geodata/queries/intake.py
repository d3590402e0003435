"""Rows of intake: sealed reporters, channels that send to us, and areas and places by what people call them."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class SealedReporter(NamedTuple):
    """Who reported a ticket, as it lies in the database."""

    ticket_id: int
    area_no: int
    name_masked: str | None
    phone_masked: str | None
    sealed: bytes
    key_id: int


class Sender(NamedTuple):
    """A system that sends to /api/webhooks/{name}; its key is sealed."""

    id: int
    name: str
    form: str
    channel: str
    key_sealed: bytes
    key_id: int
    created_at: datetime
    created_by: str
    revoked_at: datetime | None


def insert_reporter(conn: Db, row: SealedReporter) -> None:
    """Keep who reported a ticket."""
    conn.execute(
        """
        INSERT INTO ticket_reporter (ticket_id, area_no, name_masked, phone_masked, sealed, key_id)
        VALUES (%(ticket_id)s, %(area_no)s, %(name_masked)s, %(phone_masked)s, %(sealed)s, %(key_id)s)
        """,
        row._asdict(),
    )


def reporter(conn: Db, ticket_id: int) -> SealedReporter | None:
    """Who reported that ticket, in the hat "care"."""
    query = _REPORTER + " WHERE ticket_id = %s"
    return conn.cursor(row_factory=class_row(SealedReporter)).execute(query, (ticket_id,)).fetchone()


def reporters_of_other_keys(conn: Db, key_id: int) -> list[SealedReporter]:
    """Those sealed with another key than that, in the hat "care"."""
    query = _REPORTER + " WHERE key_id <> %s ORDER BY ticket_id"
    return conn.cursor(row_factory=class_row(SealedReporter)).execute(query, (key_id,)).fetchall()


def reseal_reporter(conn: Db, ticket_id: int, sealed: bytes, key_id: int) -> None:
    """Write what was sealed anew."""
    conn.execute(
        "UPDATE ticket_reporter SET sealed = %s, key_id = %s WHERE ticket_id = %s",
        (sealed, key_id, ticket_id),
    )


def forget_reporters(conn: Db, days: int) -> int:
    """Delete reporters of tickets that ended so many days ago, as a job; how many."""
    row = conn.execute("SELECT forget_reporters(%s)", (days,)).fetchone()
    return int(row[0]) if row else 0


def senders(conn: Db) -> list[Sender]:
    """All systems that send to us, those in use first, in the hat "access"."""
    query = _SENDER + " ORDER BY revoked_at IS NOT NULL, name"
    return conn.cursor(row_factory=class_row(Sender)).execute(query).fetchall()


def sender(conn: Db, name: str) -> Sender | None:
    """The one of that name that may send, in the hat "access"."""
    query = _SENDER + " WHERE name = %s AND revoked_at IS NULL"
    return conn.cursor(row_factory=class_row(Sender)).execute(query, (name,)).fetchone()


def insert_sender(
    conn: Db, name: str, form: str, channel: str, key_sealed: bytes, key_id: int, created_by: str
) -> int | None:
    """Add one; None if the name was given before or the channel has a sender in use."""
    row = conn.execute(
        """
        INSERT INTO webhook_channel (name, form, channel, key_sealed, key_id, created_by)
        VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id
        """,
        (name, form, channel, key_sealed, key_id, created_by),
    ).fetchone()
    return None if row is None else int(row[0])


def reseal_sender(conn: Db, sender_id: int, sealed: bytes, key_id: int) -> None:
    """Write a key that was sealed anew."""
    conn.execute(
        "UPDATE webhook_channel SET key_sealed = %s, key_id = %s WHERE id = %s", (sealed, key_id, sender_id)
    )


def revoke_sender(conn: Db, name: str) -> int | None:
    """End a sender's key; its id, or None if there is none or it was revoked before."""
    row = conn.execute(
        "UPDATE webhook_channel SET revoked_at = now() WHERE name = %s AND revoked_at IS NULL RETURNING id",
        (name,),
    ).fetchone()
    return None if row is None else int(row[0])


_REPORTER = "SELECT ticket_id, area_no, name_masked, phone_masked, sealed, key_id FROM ticket_reporter"
_SENDER = """
    SELECT id, name, form, channel, key_sealed, key_id, created_at, created_by, revoked_at FROM webhook_channel
"""


class Named(NamedTuple):
    """An area, or a place that lies in one, that a text may name."""

    no: int
    hi: int
    level: str
    code: str
    name: str
    stem: str  # the name without what people leave out


def areas_named_in(conn: Db, text: str, suffixes: str) -> list[Named]:
    """Communities and wider areas in scope, not the whole place, whose name or stem (two characters or more) is there.

    `suffixes` is a regular expression of what people leave out.
    """
    query = _AREAS + " AND (strpos(%(text)s, name) > 0 OR (length(stem) >= 2 AND strpos(%(text)s, stem) > 0))"
    return _named(conn, query, {"text": text, "suffixes": suffixes})


def communities(conn: Db, lo: int, hi: int, suffixes: str) -> list[Named]:
    """Communities and towns in scope with numbers in lo..hi."""
    query = _AREAS + " AND no BETWEEN %(lo)s AND %(hi)s AND length(stem) >= 2"
    return _named(conn, query, {"lo": lo, "hi": hi, "suffixes": suffixes})


def stations_named_in(conn: Db, text: str) -> list[Named]:
    """Places with a name of their own (video stations: halls, crossings, clinics …), by the grid that they lie in."""
    query = """
        SELECT a.no, a.hi, a.level::text, a.code, s.name, s.name FROM video_station s JOIN area a ON a.no = s.area_no
        WHERE length(s.name) >= 4 AND strpos(%(text)s, s.name) > 0
    """
    return _named(conn, query, {"text": text})


def grids_named_in(conn: Db, text: str, community: Named) -> list[Named]:
    """Grids of a community whose name is there, with or without the community's before it."""
    query = """
        SELECT no, hi, level::text, code, name, rest FROM (
            SELECT *, CASE WHEN starts_with(name, %(stem)s)
                           THEN regexp_replace(substr(name, length(%(stem)s) + 1), '^[^0-9]*?(?=.[0-9])', '')
                           ELSE name END AS rest
            FROM area WHERE no BETWEEN %(no)s AND %(hi)s AND level = 'grid' AND valid_to IS NULL
        ) g
        WHERE strpos(%(text)s, name) > 0 OR (length(rest) >= 3 AND strpos(%(text)s, rest) > 0)
    """
    return _named(conn, query, {"text": text, "stem": community.stem, "no": community.no, "hi": community.hi})


def narrowest_over(conn: Db, lo: int, hi: int) -> Named | None:
    """The smallest area in scope, but for the whole place, that holds all numbers from lo to hi."""
    query = """
        SELECT no, hi, level::text, code, name, name FROM area
        WHERE no <= %(lo)s AND hi >= %(hi)s AND valid_to IS NULL AND parent_no IS NOT NULL
        ORDER BY level DESC, no LIMIT 1
    """
    found = _named(conn, query, {"lo": lo, "hi": hi})
    return found[0] if found else None


def _named(conn: Db, query: str, values: dict[str, str | int]) -> list[Named]:
    return [Named._make(row) for row in conn.execute(query, values).fetchall()]


_AREAS = """
    SELECT no, hi, level::text, code, name, stem FROM (
        SELECT *, regexp_replace(name, %(suffixes)s, '') AS stem FROM area
        WHERE valid_to IS NULL AND parent_no IS NOT NULL AND level IN ('county', 'town', 'community')
    ) a WHERE true
"""
