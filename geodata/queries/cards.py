"""Queries for the cards that a click on the map opens: an area's numbers, a ticket, a worker, a post."""

from datetime import datetime, time
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class AreaNumbers(NamedTuple):
    """Tickets, patrols, posts and workers of an area now; days are local days of the place."""

    open: int
    overdue: int
    due_soon: int
    reported_today: int
    closed_today: int
    last_patrol_at: datetime | None
    workers: int
    posts: int
    stations: int


class CategoryCount(NamedTuple):
    """How often a class of matters was reported."""

    code: str
    name: str
    name_en: str
    tickets: int


class TicketCard(NamedTuple):
    """One ticket; source_id, title, description and address are None unless people were asked for."""

    id: int
    source_id: str | None
    status: str
    channel: str
    category: str
    title: str | None
    description: str | None
    address: str | None
    area_no: int
    lon: float | None
    lat: float | None
    reported_at: datetime
    dispatched_at: datetime | None
    signed_at: datetime | None
    handled_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    satisfaction: str | None
    worker: str | None
    severity: str | None
    nature: str | None
    suspended_until: datetime | None
    escalation: int
    version: int
    generated: bool


class WorkerCard(NamedTuple):
    """One worker; name and phone are None unless people were asked for."""

    id: int
    code: str
    name: str | None
    phone: str | None
    kind: str
    area_no: int
    skills: list[str]
    shift_from: time
    shift_to: time
    open_tickets: int
    generated: bool


class PostCard(NamedTuple):
    """One post; name and phone are None unless people were asked for."""

    id: int
    name: str | None
    phone: str | None
    role: str
    duty: str | None
    area_no: int
    lon: float | None
    lat: float | None
    generated: bool


def area_numbers(conn: Db, lo: int, hi: int, time_zone: str) -> AreaNumbers:
    """Numbers of the areas lo..hi; "soon" is within two hours."""
    with conn.cursor(row_factory=class_row(AreaNumbers)) as cursor:
        row = cursor.execute(
            """
            WITH today AS (SELECT date_trunc('day', now() AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s AS start)
            SELECT o.open, o.overdue, o.due_soon,
                   (SELECT count(*) FROM ticket WHERE area_no BETWEEN %(lo)s AND %(hi)s
                     AND reported_at >= (SELECT start FROM today))::integer AS reported_today,
                   (SELECT count(*) FROM ticket WHERE area_no BETWEEN %(lo)s AND %(hi)s
                     AND closed_at >= (SELECT start FROM today)
                     AND status IN ('closed', 'archived'))::integer AS closed_today,
                   (SELECT max(last_at) FROM patrol WHERE area_no BETWEEN %(lo)s AND %(hi)s) AS last_patrol_at,
                   (SELECT count(*) FROM worker WHERE active AND area_no BETWEEN %(lo)s AND %(hi)s)::integer AS workers,
                   (SELECT count(*) FROM key_person WHERE kind = 'post'
                     AND area_no BETWEEN %(lo)s AND %(hi)s)::integer AS posts,
                   (SELECT count(*) FROM video_station WHERE area_no BETWEEN %(lo)s AND %(hi)s)::integer AS stations
            FROM (
                SELECT count(*)::integer AS open,
                       (count(*) FILTER (WHERE due_at < now()))::integer AS overdue,
                       (count(*) FILTER (WHERE due_at BETWEEN now() AND now() + interval '2 hours'))::integer
                           AS due_soon
                FROM ticket WHERE closed_at IS NULL AND area_no BETWEEN %(lo)s AND %(hi)s
            ) o
            """,
            {"lo": lo, "hi": hi, "zone": time_zone},
        ).fetchone()
    assert row is not None
    return row


def frequent_categories(conn: Db, lo: int, hi: int, days: int, limit: int) -> list[CategoryCount]:
    """The classes reported most in the last days."""
    with conn.cursor(row_factory=class_row(CategoryCount)) as cursor:
        return cursor.execute(
            """
            SELECT top.code, top.name, top.name_en, sum(n)::integer AS tickets
            FROM (
                SELECT category_id, count(*) AS n FROM ticket
                WHERE area_no BETWEEN %s AND %s AND reported_at >= now() - make_interval(days => %s) GROUP BY 1
            ) t
            JOIN category k ON k.id = t.category_id
            JOIN category top ON top.id = coalesce(k.parent_id, k.id)
            GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1 LIMIT %s
            """,
            (lo, hi, days, limit),
        ).fetchall()


# Columns that a wall's role cannot read are not asked for, so that the same query serves everybody.
_WORDS = "t.source_id, t.title, t.description, t.address"
_NO_WORDS = "NULL AS source_id, NULL AS title, NULL AS description, NULL AS address"
_WHO = "name, phone"
_NOBODY = "NULL AS name, NULL AS phone"


def ticket(conn: Db, ticket_id: int, *, people: bool) -> TicketCard | None:
    """One ticket in scope, or None; what was said and where only with `people`."""
    with conn.cursor(row_factory=class_row(TicketCard)) as cursor:
        return cursor.execute(
            f"""
            SELECT t.id, {_WORDS if people else _NO_WORDS}, t.status::text, c.code AS channel, k.code AS category,
                   t.area_no, ST_X(t.geom) AS lon, ST_Y(t.geom) AS lat, t.reported_at, t.dispatched_at,
                   t.signed_at, t.handled_at, t.closed_at, t.due_at, t.satisfaction::text, w.code AS worker,
                   t.severity, t.nature, t.suspended_until, t.escalation,
                   t.version, t.generated
            FROM ticket t
            JOIN category k ON k.id = t.category_id
            JOIN channel c ON c.id = t.channel_id
            LEFT JOIN worker w ON w.id = t.worker_id
            WHERE t.id = %s
            """,  # nosec B608 # joined from constants alone
            (ticket_id,),
        ).fetchone()


def worker(conn: Db, worker_id: int, *, people: bool) -> WorkerCard | None:
    """One worker in scope, or None; name and phone only with `people`."""
    with conn.cursor(row_factory=class_row(WorkerCard)) as cursor:
        return cursor.execute(
            f"""
            SELECT w.id, w.code, {_WHO if people else _NOBODY}, w.kind::text, w.area_no, w.skills, w.shift_from,
                   CASE w.shift_to WHEN '24:00' THEN '00:00'::time ELSE w.shift_to END AS shift_to,
                   (SELECT count(*) FROM ticket t
                     WHERE t.worker_id = w.id AND t.closed_at IS NULL)::integer AS open_tickets,
                   w.generated
            FROM worker w WHERE w.id = %s
            """,  # nosec B608 # joined from constants alone
            (worker_id,),
        ).fetchone()


def post(conn: Db, post_id: int, *, people: bool) -> PostCard | None:
    """One post in scope, or None; name and phone only with `people`. Care records are never found here."""
    with conn.cursor(row_factory=class_row(PostCard)) as cursor:
        return cursor.execute(
            f"""
            SELECT id, {_WHO if people else _NOBODY}, role, duty, area_no, ST_X(geom) AS lon,
                   ST_Y(geom) AS lat, generated
            FROM key_person WHERE id = %s AND kind = 'post'
            """,  # nosec B608 # joined from constants alone
            (post_id,),
        ).fetchone()
