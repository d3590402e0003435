"""Reading the requests that Open311 answers: public categories and channels only, and no person in any column."""

from datetime import date, datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Wanted(NamedTuple):
    """Which requests are asked for. With `ids` nothing else but what is public counts."""

    categories: list[str]  # codes of subclasses, public ones only
    channels: list[str]
    ids: list[int] | None = None
    days: list[date] | None = None  # with `ids`: the local day of each one's report, as its number says it
    time_zone: str = "UTC"
    start: datetime | None = None  # of the report, both ends included
    end: datetime | None = None
    closed: bool | None = None
    limit: int = 1000
    offset: int = 0


class RequestRow(NamedTuple):
    """A ticket as far as it is public; degrees in EPSG:4326."""

    id: int
    reported_at: datetime
    updated_at: datetime
    due_at: datetime | None
    closed: bool
    status: str
    category: str
    department: str | None
    area_code: str
    area_names: list[str]  # from the town down; empty for the whole place
    location: str
    lon: float | None
    lat: float | None
    own: bool  # came in through Open311: its sender wrote it for the public
    title: str | None  # None unless `own`, as the two below
    description: str | None
    address: str | None


def requests(conn: Db, wanted: Wanted) -> list[RequestRow]:
    """Public tickets in scope, the latest reports first."""
    return conn.cursor(row_factory=class_row(RequestRow)).execute(_REQUESTS, wanted._asdict()).fetchall()


def ticket_of_key(conn: Db, actor: str, key: str) -> int | None:
    """Id of the ticket that this sender sent through Open311 with that idempotency key."""
    row = conn.execute(
        "SELECT ticket_id FROM ticket_event WHERE actor = %s AND key = %s AND source = 'open311' AND version = 1",
        (actor, key),
    ).fetchone()
    return None if row is None else int(row[0])


# The page is cut before anything is joined: the joins then run for 1,000 rows at most.
_REQUESTS = """
    WITH page AS MATERIALIZED (
        SELECT t.* FROM ticket t
        WHERE t.category_id = ANY (ARRAY(SELECT id FROM category WHERE code = ANY (%(categories)s)))
          AND t.channel_id = ANY (ARRAY(SELECT id FROM channel WHERE code = ANY (%(channels)s)))
          AND (%(ids)s::bigint[] IS NULL OR t.id = ANY (%(ids)s))
          AND (%(days)s::date[] IS NULL OR (t.id, (t.reported_at AT TIME ZONE %(time_zone)s)::date) IN (
              SELECT * FROM unnest(%(ids)s::bigint[], %(days)s::date[])))
          AND t.reported_at >= coalesce(%(start)s::timestamptz, '-infinity')
          AND t.reported_at <= coalesce(%(end)s::timestamptz, 'infinity')
          AND (%(closed)s::boolean IS NULL OR (t.closed_at IS NOT NULL) = %(closed)s)
        ORDER BY t.reported_at DESC, t.id DESC LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT t.id, t.reported_at, coalesce(e.at, t.reported_at) AS updated_at, t.due_at,
           t.closed_at IS NOT NULL AS closed, t.status::text, k.code AS category, d.code AS department,
           a.code AS area_code,
           array_remove(ARRAY[CASE WHEN above.parent_no IS NOT NULL THEN above.name END,
                              CASE WHEN parent.parent_no IS NOT NULL THEN parent.name END,
                              CASE WHEN a.parent_no IS NOT NULL THEN a.name END], NULL) AS area_names,
           t.location::text, ST_X(t.geom) AS lon, ST_Y(t.geom) AS lat, coalesce(e.own, false) AS own,
           CASE WHEN e.own THEN t.title END AS title,
           CASE WHEN e.own THEN t.description END AS description,
           CASE WHEN e.own THEN t.address END AS address
    FROM page t
    JOIN category k ON k.id = t.category_id
    JOIN area a ON a.no = t.area_no
    LEFT JOIN area parent ON parent.no = a.parent_no
    LEFT JOIN area above ON above.no = parent.parent_no
    LEFT JOIN department d ON d.id = t.department_id
    LEFT JOIN LATERAL (
        SELECT max(one.at) AS at, bool_or(one.version = 1 AND one.source = 'open311') AS own
        FROM ticket_event one WHERE one.ticket_id = t.id
    ) e ON true
    ORDER BY t.reported_at DESC, t.id DESC
"""
