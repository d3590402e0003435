"""Reading and writing single tickets, and the place that a point belongs to."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

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
    handled_at: datetime | None
    closed_at: datetime | None
    satisfaction: str | None
    source_id: str | None
    address: str | None
    worker: str | None
    department: str | None
    severity: str | None
    nature: str | None
    risk: str | None
    solved: str | None
    tier: int | None
    parties: list[dict[str, Any]]
    sign_due: datetime | None
    respond_due: datetime | None
    suspended_until: datetime | None
    resume_status: str | None
    merged_into: int | None
    redos: int
    transfers: int
    escalation: int
    supervised_at: datetime | None
    supervision: str | None
    registered_no: str | None
    nodes: list[dict[str, Any]]
    work_kind: str | None


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
    status: str = "accepted"
    severity: str | None = None
    nature: str | None = None


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


def area_of_code(conn: Db, code: str) -> Area | None:
    """The area in scope that bears that code today."""
    row = conn.execute(
        "SELECT no, code, name, level::text FROM area WHERE code = %s AND valid_to IS NULL ORDER BY level LIMIT 1",
        (code,),
    ).fetchone()
    return None if row is None else Area(*row)


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
                            location, area_no, status, due_at, severity, nature)
        VALUES (%(reported_at)s, %(source_id)s, %(channel_id)s, %(category_id)s, %(title)s, %(description)s,
                %(address)s,
                CASE WHEN %(lon)s::float8 IS NULL THEN NULL
                     ELSE ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326) END,
                %(location)s, %(area_no)s, %(status)s, %(due_at)s, %(severity)s, %(nature)s)
        RETURNING id
        """,
        new._asdict(),
    ).fetchone()
    assert row is not None
    return int(row[0])


def read_ticket(conn: Db, ticket_id: int, *, lock: bool = False) -> Ticket | None:
    """The ticket with that id if it is in scope; with `lock` nobody else changes it until the transaction ends."""
    if (
        lock
    ):  # first and by itself: a lock that waits would drop a row whose area or category changed meanwhile
        conn.execute("SELECT FROM ticket WHERE id = %s FOR UPDATE", (ticket_id,))
    row = conn.execute(_READ, (ticket_id,)).fetchone()
    return None if row is None else Ticket._make((*row[:7], Area._make(row[7:11]), *row[11:]))


def update_ticket(conn: Db, ticket: Ticket, changes: Mapping[str, Any]) -> None:
    """Write the ticket's version and the changed fields of its state (services.tickets.fold.state_of: JSON values)."""
    sets = [_SET.get(name, f"{name} = %({name})s") for name in changes if name not in ("lon", "lat")]
    if {"lon", "lat"} & set(changes):
        sets.append("geom = ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)")
    values = {
        name: Jsonb(value) if isinstance(value, list) else value
        for name, value in {"lon": ticket.lon, "lat": ticket.lat, **changes}.items()
    }
    conn.execute(
        f"UPDATE ticket SET {', '.join(['version = %(version)s', *sets])}"  # nosec B608 # names of our own fields
        " WHERE id = %(id)s AND reported_at = %(reported_at)s",
        values | {"id": ticket.id, "reported_at": ticket.reported_at, "version": ticket.version},
    )


def ensure_ticket_months(conn: Db, first: date, last: date) -> None:
    """Make the monthly partitions of [first, last], as the database's owner."""
    conn.execute("SELECT ensure_months('ticket', %s, %s)", (first, last))


def is_active_worker(conn: Db, code: str) -> bool:
    """Whether an active worker of the scope has that code."""
    return conn.execute("SELECT FROM worker WHERE code = %s AND active", (code,)).fetchone() is not None


def is_post(conn: Db, code: str) -> bool:
    """Whether a post of the scope has that code."""
    return (
        conn.execute("SELECT FROM key_person WHERE code = %s AND kind = 'post'", (code,)).fetchone()
        is not None
    )


def next_register_no(conn: Db) -> int:
    """The next number of the register."""
    row = conn.execute("SELECT nextval('register_no')").fetchone()
    assert row is not None
    return int(row[0])


# How a field of the state is written where its column is not of the same name and type.
_SET = {
    "status": "status = %(status)s::ticket_status",
    "resume_status": "resume_status = %(resume_status)s::ticket_status",
    "satisfaction": "satisfaction = %(satisfaction)s::satisfaction",
    "location": "location = %(location)s::location_quality",
    "category": "category_id = (SELECT id FROM category WHERE code = %(category)s)",
    "worker": "worker_id = (SELECT id FROM worker WHERE code = %(worker)s)",
    "department": "department_id = (SELECT id FROM department WHERE code = %(department)s)",
    "area": "area_no = %(area)s",
} | {
    name: f"{name} = %({name})s::timestamptz"
    for name in (
        "due_at", "dispatched_at", "signed_at", "handled_at", "closed_at", "sign_due", "respond_due",
        "suspended_until", "supervised_at",
    )
}  # fmt: skip
_READ = """
    SELECT t.id, t.version, t.reported_at, t.status::text, c.code, k.code, t.title,
           a.no, a.code, a.name, a.level::text,
           ST_X(t.geom), ST_Y(t.geom), t.location::text, t.due_at, t.dispatched_at, t.signed_at, t.handled_at,
           t.closed_at, t.satisfaction::text, t.source_id, t.address, w.code, d.code, t.severity, t.nature, t.risk,
           t.solved, t.tier, t.parties, t.sign_due, t.respond_due, t.suspended_until, t.resume_status::text,
           t.merged_into, t.redos, t.transfers, t.escalation, t.supervised_at, t.supervision, t.registered_no, t.nodes,
           t.work_kind
    FROM ticket t
    JOIN channel c ON c.id = t.channel_id
    JOIN category k ON k.id = t.category_id
    JOIN area a ON a.no = t.area_no
    LEFT JOIN worker w ON w.id = t.worker_id
    LEFT JOIN department d ON d.id = t.department_id
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
