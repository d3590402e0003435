"""Incidents: rows, the tickets gathered in them, and what happened to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class Incident(NamedTuple):
    """An incident; `perimeter` is GeoJSON text (EPSG:4326), `area` the name of its area, None for the whole place."""

    id: int
    area_no: int
    area: str | None
    title: str
    kind: str | None
    perimeter: str | None
    version: int
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str | None


class Listed(NamedTuple):
    """An incident in a list; degrees of the middle of its tickets, None without a point."""

    id: int
    version: int
    title: str
    kind: str | None
    area_no: int
    area: str | None
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    perimeter: bool
    tickets: int
    open: int
    unassigned: int
    lon: float | None
    lat: float | None


class Member(NamedTuple):
    """A ticket of an incident."""

    id: int
    version: int
    reported_at: datetime
    title: str
    status: str
    category: str
    severity: str | None
    area_no: int
    area: str
    lon: float | None
    lat: float | None
    due_at: datetime | None
    closed_at: datetime | None
    worker: str | None
    worker_name: str | None
    department: str | None
    added_at: datetime


class Happened(NamedTuple):
    """Something that was done to an incident."""

    at: datetime
    kind: str
    actor: str
    data: dict[str, Any]


def add(
    conn: Db, area_no: int, title: str, kind: str | None, perimeter: str | None, now: datetime, by: str
) -> int:
    """Open an incident and return its id; `perimeter` is GeoJSON text of a MultiPolygon."""
    row = conn.execute(
        "INSERT INTO incident (area_no, title, kind, perimeter, opened_at, opened_by)"
        " VALUES (%s, %s, %s, ST_GeomFromGeoJSON(%s), %s, %s) RETURNING id",
        (area_no, title, kind, perimeter, now, by),
    ).fetchone()
    assert row is not None
    return int(row[0])


def read(conn: Db, incident_id: int, *, lock: bool = False) -> Incident | None:
    """The incident with that id if it is in scope; with `lock` nobody else changes it until the transaction ends."""
    if lock:
        conn.execute("SELECT FROM incident WHERE id = %s FOR UPDATE", (incident_id,))
    return (
        conn.cursor(row_factory=class_row(Incident))
        .execute(
            """
            SELECT i.id, i.area_no, a.name AS area, i.title, i.kind, ST_AsGeoJSON(i.perimeter, 6) AS perimeter,
                   i.version, i.opened_at, i.opened_by, i.closed_at, i.closed_by
            FROM incident i LEFT JOIN area a ON a.no = i.area_no WHERE i.id = %s
            """,
            (incident_id,),
        )
        .fetchone()
    )


def update(conn: Db, incident: Incident) -> None:
    """Write what may change of an incident, and its next version."""
    conn.execute(
        """
        UPDATE incident SET area_no = %(area_no)s, title = %(title)s, kind = %(kind)s, version = %(version)s,
            perimeter = ST_GeomFromGeoJSON(%(perimeter)s), closed_at = %(closed_at)s, closed_by = %(closed_by)s
        WHERE id = %(id)s
        """,
        incident._asdict(),
    )


def gather(conn: Db, incident_id: int, tickets: Sequence[tuple[int, int]], now: datetime, by: str) -> None:
    """Add tickets (id, number of area). UniqueViolation for one that stands in an open incident."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO incident_ticket (incident_id, ticket_id, area_no, added_at, added_by)"
            " VALUES (%s, %s, %s, %s, %s)",
            [(incident_id, ticket, area_no, now, by) for ticket, area_no in tickets],
        )


def let_go(conn: Db, incident_id: int, ids: Sequence[int]) -> list[int]:
    """Take tickets out of it; returns those that were in it."""
    rows = conn.execute(
        "DELETE FROM incident_ticket WHERE incident_id = %s AND ticket_id = ANY (%s) RETURNING ticket_id",
        (incident_id, list(ids)),
    ).fetchall()
    return [row[0] for row in rows]


def end_membership(conn: Db, incident_id: int) -> None:
    """Let its tickets stand in another open incident from now on."""
    conn.execute("UPDATE incident_ticket SET open = false WHERE incident_id = %s", (incident_id,))


def open_incidents_of(conn: Db, ids: Sequence[int]) -> list[tuple[int, int]]:
    """(ticket, incident) of those that stand in an open incident."""
    rows = conn.execute(
        "SELECT ticket_id, incident_id FROM incident_ticket WHERE open AND ticket_id = ANY (%s) ORDER BY 1",
        (list(ids),),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def areas_of(conn: Db, ids: Sequence[int]) -> dict[int, int]:
    """Ticket → number of its area, for those in scope, the oldest first."""
    rows = conn.execute(
        "SELECT id, area_no FROM ticket WHERE id = ANY (%s) ORDER BY reported_at, id", (list(ids),)
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def members(conn: Db, incident_id: int) -> list[Member]:
    """Its tickets in scope: open ones by their deadline, then those that have ended."""
    return conn.cursor(row_factory=class_row(Member)).execute(_MEMBERS, (incident_id,)).fetchall()


def listed(conn: Db, state: str, limit: int) -> list[Listed]:
    """Incidents in scope that are `open`, `closed` or in `all` states, the newest first."""
    return (
        conn.cursor(row_factory=class_row(Listed))
        .execute(_LISTED, {"state": state, "limit": limit})
        .fetchall()
    )


def note(
    conn: Db, incident: tuple[int, int], kind: str, actor: str, data: dict[str, Any], now: datetime
) -> None:
    """Write down what was done to an incident (id, number of its area)."""
    conn.execute(
        "INSERT INTO incident_event (incident_id, area_no, at, kind, actor, data) VALUES (%s, %s, %s, %s, %s, %s)",
        (*incident, now, kind, actor, Jsonb(data)),
    )


def history(conn: Db, incident_id: int, most: int) -> list[Happened]:
    """What was done to it, the newest first."""
    return (
        conn.cursor(row_factory=class_row(Happened))
        .execute(
            "SELECT at, kind, actor, data FROM incident_event WHERE incident_id = %s ORDER BY id DESC LIMIT %s",
            (incident_id, most),
        )
        .fetchall()
    )


_MEMBERS = """
    SELECT t.id, t.version, t.reported_at, t.title, t.status::text, k.code AS category, t.severity, t.area_no,
           a.name AS area, ST_X(t.geom) AS lon, ST_Y(t.geom) AS lat, t.due_at, t.closed_at, w.code AS worker,
           w.name AS worker_name, d.code AS department, m.added_at
    FROM incident_ticket m
    JOIN ticket t ON t.id = m.ticket_id
    JOIN category k ON k.id = t.category_id
    JOIN area a ON a.no = t.area_no
    LEFT JOIN worker w ON w.id = t.worker_id
    LEFT JOIN department d ON d.id = t.department_id
    WHERE m.incident_id = %s
    ORDER BY t.closed_at IS NOT NULL, t.due_at NULLS LAST, t.reported_at, t.id
"""
_LISTED = """
    SELECT i.id, i.version, i.title, i.kind, i.area_no, a.name AS area, i.opened_at, i.opened_by, i.closed_at,
           i.perimeter IS NOT NULL AS perimeter, c.tickets, c.open, c.unassigned,
           ST_X(coalesce(c.middle, ST_PointOnSurface(i.perimeter))) AS lon,
           ST_Y(coalesce(c.middle, ST_PointOnSurface(i.perimeter))) AS lat
    FROM incident i
    LEFT JOIN area a ON a.no = i.area_no
    CROSS JOIN LATERAL (
        SELECT count(*) AS tickets, count(*) FILTER (WHERE t.closed_at IS NULL) AS open,
               count(*) FILTER (WHERE t.status IN ('reported', 'accepted', 'returned', 'reopened')) AS unassigned,
               ST_Centroid(ST_Collect(t.geom) FILTER (WHERE t.location = 'exact')) AS middle
        FROM incident_ticket m JOIN ticket t ON t.id = m.ticket_id WHERE m.incident_id = i.id
    ) c
    WHERE CASE %(state)s WHEN 'open' THEN i.closed_at IS NULL WHEN 'closed' THEN i.closed_at IS NOT NULL ELSE true END
    ORDER BY i.closed_at IS NOT NULL, coalesce(i.closed_at, i.opened_at) DESC, i.id DESC LIMIT %(limit)s
"""
