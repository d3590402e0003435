"""Reading and writing single tickets, their events and the place that a point belongs to."""

from datetime import date, datetime
from typing import NamedTuple

from geodata.scope import Db

SHARED_POINT_TICKETS = 20  # so many tickets of the last month on one exact point make it a default point


class Area(NamedTuple):
    """The area that a ticket carries."""

    no: int
    code: str
    name: str
    level: str


class Ticket(NamedTuple):
    """A ticket as the service sees it; codes instead of ids, degrees in EPSG:4326."""

    id: int
    version: int
    reported_at: datetime
    status: str
    channel: str
    category: str
    title: str
    area: Area
    lon: float | None
    lat: float | None
    location: str
    due_at: datetime | None
    dispatched_at: datetime | None
    signed_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    satisfaction: str | None
    source_id: str | None


class NewTicket(NamedTuple):
    """What is known of a ticket when it is accepted."""

    reported_at: datetime
    source_id: str | None
    channel_id: int
    category_id: int
    title: str
    description: str | None
    address: str | None
    lon: float | None
    lat: float | None
    location: str
    area_no: int
    due_at: datetime | None


def channel_ids(conn: Db) -> dict[str, int]:
    """Code → id of every channel."""
    return dict(conn.execute("SELECT code, id FROM channel ORDER BY id").fetchall())


def kind_ids(conn: Db) -> dict[str, int]:
    """Code → id of every subclass of category."""
    return dict(
        conn.execute("SELECT code, id FROM category WHERE parent_id IS NOT NULL ORDER BY code").fetchall()
    )


def hold_source(conn: Db, channel_id: int, source_id: str) -> None:
    """Let only one transaction at a time file a ticket with this number of this channel."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", (source_id, channel_id))


def ticket_of_source(conn: Db, channel_id: int, source_id: str) -> int | None:
    """Id of the ticket that the sending system knows by this number."""
    row = conn.execute(
        "SELECT id FROM ticket WHERE channel_id = %s AND source_id = %s LIMIT 1", (channel_id, source_id)
    ).fetchone()
    return None if row is None else int(row[0])


def area_at(conn: Db, lon: float, lat: float) -> Area | None:
    """The smallest area in scope that covers the point (degrees, EPSG:4326); on a shared edge the lowest number."""
    for query in (_GRID_AT, _AREA_AT):
        row = conn.execute(query, {"lon": lon, "lat": lat}).fetchone()
        if row is not None:
            return Area(*row)
    return None


def root_area(conn: Db) -> Area | None:
    """The area that holds the whole place; None where the scope is only a part of it."""
    row = conn.execute(
        "SELECT no, code, name, level::text FROM area WHERE parent_no IS NULL AND valid_to IS NULL ORDER BY no LIMIT 1"
    ).fetchone()
    return None if row is None else Area(*row)


def is_shared_point(conn: Db, lon: float, lat: float) -> bool:
    """Whether so many tickets of the last month stand on exactly this point that it must be a default."""
    row = conn.execute(
        """
        SELECT count(*) FROM (
            SELECT FROM ticket WHERE geom ~= ST_SetSRID(ST_MakePoint(%s, %s), 4326)
            AND reported_at > now() - interval '31 days' LIMIT %s
        ) same
        """,
        (lon, lat, SHARED_POINT_TICKETS),
    ).fetchone()
    return row is not None and int(row[0]) >= SHARED_POINT_TICKETS


def insert_ticket(conn: Db, new: NewTicket) -> int:
    """Insert an accepted ticket and return its id."""
    row = conn.execute(
        """
        INSERT INTO ticket (reported_at, source_id, channel_id, category_id, title, description, address, geom,
                            location, area_no, status, due_at)
        VALUES (%(reported_at)s, %(source_id)s, %(channel_id)s, %(category_id)s, %(title)s, %(description)s,
                %(address)s,
                CASE WHEN %(lon)s::float8 IS NULL THEN NULL
                     ELSE ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326) END,
                %(location)s, %(area_no)s, 'accepted', %(due_at)s)
        RETURNING id
        """,
        new._asdict(),
    ).fetchone()
    assert row is not None
    return int(row[0])


def read_ticket(conn: Db, ticket_id: int, *, lock: bool = False) -> Ticket | None:
    """The ticket with that id if it is in scope; with `lock` nobody else changes it until the transaction ends."""
    row = conn.execute(_READ + (" FOR UPDATE OF t" if lock else ""), (ticket_id,)).fetchone()
    return None if row is None else Ticket._make((*row[:7], Area._make(row[7:11]), *row[11:]))


def update_ticket(
    conn: Db,
    ticket: Ticket,
    *,
    worker_id: int | None = None,
) -> None:
    """Write status, version, times and satisfaction of a ticket; a worker replaces the one before, None leaves him."""
    conn.execute(
        """
        UPDATE ticket SET status = %s, version = %s, due_at = %s, dispatched_at = %s, signed_at = %s,
               answered_at = %s, closed_at = %s, satisfaction = %s, worker_id = coalesce(%s, worker_id)
        WHERE id = %s AND reported_at = %s
        """,
        (
            ticket.status, ticket.version, ticket.due_at, ticket.dispatched_at, ticket.signed_at,
            ticket.answered_at, ticket.closed_at, ticket.satisfaction, worker_id, ticket.id, ticket.reported_at,
        ),
    )  # fmt: skip


def add_ticket_event(
    conn: Db, ticket: Ticket, *, kind: str, at: datetime, actor: str, note: str | None
) -> None:
    """Append one event that says what the ticket is after it."""
    conn.execute(
        """
        INSERT INTO ticket_event (ticket_id, at, kind, status, version, actor, note, area_no)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (ticket.id, at, kind, ticket.status, ticket.version, actor, note, ticket.area.no),
    )


def ensure_ticket_months(conn: Db, first: date, last: date) -> None:
    """Make the monthly partitions of [first, last], as the database's owner."""
    conn.execute("SELECT ensure_months('ticket', %s, %s)", (first, last))


def worker_id(conn: Db, code: str) -> int | None:
    """Id of the active worker with that code."""
    row = conn.execute("SELECT id FROM worker WHERE code = %s AND active", (code,)).fetchone()
    return None if row is None else int(row[0])


_READ = """
    SELECT t.id, t.version, t.reported_at, t.status::text, c.code, k.code, t.title,
           a.no, a.code, a.name, a.level::text,
           ST_X(t.geom), ST_Y(t.geom), t.location::text, t.due_at, t.dispatched_at, t.signed_at, t.answered_at,
           t.closed_at, t.satisfaction::text, t.source_id
    FROM ticket t
    JOIN channel c ON c.id = t.channel_id
    JOIN category k ON k.id = t.category_id
    JOIN area a ON a.no = t.area_no
    WHERE t.id = %s
"""
_GRID_AT = """
    SELECT no, code, name, level::text FROM area_now
    WHERE level = 'grid' AND geom && ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)
      AND ST_Covers(geom, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326))
    ORDER BY no LIMIT 1
"""
_AREA_AT = """
    SELECT no, code, name, level::text FROM area_now
    WHERE geom && ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)
      AND ST_Covers(geom, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326))
    ORDER BY level DESC, no LIMIT 1
"""
