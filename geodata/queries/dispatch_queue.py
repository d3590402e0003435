"""The dispatcher's queue: open tickets with what their place in it depends on, counts, and what a page of it tells."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from geodata.scope import Db

Tab = Literal["decide", "unsigned", "mine", "all"]
MOST = 5_000  # tickets of a tab that are put into order: the first by their deadline
_SOON = "2 hours"


class Asker(NamedTuple):
    """Whose claims and commands make a ticket theirs."""

    kind: str
    name: str


class Narrowed(NamedTuple):
    """Which tickets of a tab are asked for; None = all. `outline` is WKT in EPSG:4326."""

    terms: tuple[str, ...] = ()  # words that all stand in title, description or address …
    number: int | None = None  # … or it has this number …
    source: str | None = None  # … or this source id …
    categories: tuple[str, ...] = ()  # … or is of one of these subclasses …
    place: str | None = None  # … or its town or community has this in its name
    outline: str | None = None


class Waiting(NamedTuple):
    """An open ticket as far as its place in the queue depends on it; codes instead of ids."""

    id: int
    version: int
    status: str
    channel: str
    category: str
    severity: str | None
    nature: str | None
    town: str | None  # code
    reported_at: datetime
    dispatched_at: datetime | None
    due_at: datetime | None
    sign_due: datetime | None
    respond_due: datetime | None
    suspended_until: datetime | None
    escalation: int
    handed_at: datetime | None  # last handed on, or, not in anybody's hands, come back
    refused: int  # times refused or sent back
    lon: float | None = None  # EPSG:4326
    lat: float | None = None


class QueueCounts(NamedTuple):
    """Open tickets in scope: by tab, and the figures above the queue."""

    decide: int
    unsigned: int
    open: int
    waiting: int
    handling: int
    soon: int
    overdue: int


class Shown(NamedTuple):
    """What a row of the queue tells besides its place; what people said only where it was asked for."""

    id: int
    reported_at: datetime
    status: str
    title: str | None
    area_no: int
    area: str
    town: str | None
    lon: float | None
    lat: float | None
    location: str
    worker: str | None
    worker_name: str | None
    department: str | None
    incident: int | None
    generated: bool


_UNASSIGNED = "t.status IN ('reported', 'accepted', 'returned', 'reopened')"
_UNSIGNED = "t.status IN ('dispatched', 'transferred')"
# Each list is read once: looked up ticket by ticket, the claims alone took longer than all the rest.
_MINE = """(
    t.id IN (SELECT e.ticket_id FROM ticket_event e WHERE e.actor = %(actor)s AND e.kind <> 'imported'
             AND e.kind IN ('accept', 'dispatch', 'whistle', 'transfer', 'recall')
             AND e.ticket_id >= (SELECT min(id) FROM open_ticket))  -- not all that somebody did in years
    OR t.id IN (SELECT c.ticket_id FROM ticket_claim c WHERE c.holder_kind = %(actor_kind)s
                AND c.holder = %(actor)s AND c.until > clock_timestamp())
)"""
_DECIDE = f"""(
    {_UNASSIGNED} OR ({_UNSIGNED} AND t.sign_due < %(now)s)
    OR (t.status IN ('dispatched', 'transferred', 'signed', 'in_progress') AND t.respond_due < %(now)s)
)"""
TABS: dict[Tab, str] = {"decide": _DECIDE, "unsigned": _UNSIGNED, "mine": _MINE, "all": "true"}


def mine(conn: Db, asker: Asker) -> int:
    """How many open tickets in scope are theirs."""
    row = conn.execute(
        f"SELECT count(*) FROM open_ticket t WHERE {_MINE}",  # nosec B608 # constants
        {"actor": asker.name, "actor_kind": asker.kind},
    ).fetchone()
    return int(row[0]) if row else 0


def counts(conn: Db, now: datetime) -> QueueCounts:
    """How many open tickets in scope stand in each tab, wait, are in hand, are due within two hours, are overdue."""
    query = f"""
        SELECT count(*) FILTER (WHERE {_DECIDE})::int AS decide, count(*) FILTER (WHERE {_UNSIGNED})::int AS unsigned,
               count(*)::int AS open,
               count(*) FILTER (WHERE {_UNASSIGNED})::int AS waiting,
               count(*) FILTER (WHERE NOT {_UNASSIGNED} AND t.status NOT IN ('handled', 'verified'))::int AS handling,
               count(*) FILTER (WHERE t.due_at >= %(now)s AND t.due_at < %(now)s + %(soon)s::interval)::int AS soon,
               count(*) FILTER (WHERE t.due_at < %(now)s)::int AS overdue
        FROM open_ticket t
    """  # nosec B608 # joined from constants
    values = {"now": now, "soon": _SOON}
    with conn.cursor(row_factory=class_row(QueueCounts)) as cursor:
        row = cursor.execute(query, values).fetchone()
    assert row is not None
    return row


SAID = sql.SQL(
    """(
        ticket_says(t.title, t.description, t.address,
                    ARRAY(SELECT p FROM unnest(%(terms)s::text[]) term, ticket_plain(term, NULL, NULL) p))
        OR t.id = %(number)s OR t.source_id = %(source)s
        OR t.category_id IN (SELECT id FROM category WHERE code = ANY(%(categories)s::text[]))
        OR (t.area_no - t.area_no %% 1000000) IN (
            SELECT no FROM area WHERE level = 'town' AND strpos(lower(name), lower(%(place)s)) > 0)
        OR (t.area_no - t.area_no %% 1000) IN (
            SELECT no FROM area WHERE level = 'community' AND strpos(lower(name), lower(%(place)s)) > 0)
    )"""
)


def narrow(narrowed: Narrowed, tab: Tab) -> sql.Composable:
    """The condition of what is asked for, of the rows `t` of open_ticket; its values are the fields.

    The words are with the ticket itself, where only those of the tab are searched.
    """
    parts: list[sql.Composable] = [sql.SQL("true")]
    if narrowed.terms:
        said = sql.SQL("t.id IN (SELECT t.id FROM ticket t WHERE t.closed_at IS NULL AND {} AND {})")
        parts.append(said.format(sql.SQL(TABS[tab]), SAID))
    if narrowed.outline is not None:
        shape = sql.SQL("ST_MakeValid(ST_GeomFromText(%(outline)s, 4326))")
        parts.append(sql.SQL("t.geom && {0} AND ST_Intersects({0}, t.geom)").format(shape))
    return sql.SQL(" AND ").join(parts)


_BY_ID = "(SELECT * FROM ticket WHERE id = ANY(%(ids)s)) t"
# In the month of its report, by one plan for any of them: making a plan costs five times the look.
_BY_ID_AND_TIME = """unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) asked (id, at)
        JOIN ticket t ON t.id = asked.id AND t.reported_at = asked.at"""


def shown(
    conn: Db, ids: Sequence[int], times: Sequence[datetime] | None = None, *, words: bool
) -> dict[int, Shown]:
    """What the rows of a page tell, by id; it is found sooner with the times at which they were reported."""
    query = f"""
        SELECT t.id, t.reported_at, t.status::text AS status, {"t.title" if words else "NULL AS title"},
               t.area_no, a.name AS area, town.name AS town,
               ST_X(t.geom) AS lon, ST_Y(t.geom) AS lat, t.location::text AS location, w.code AS worker,
               {"w.name" if words else "NULL"} AS worker_name, d.code AS department, i.incident_id AS incident,
               t.generated
        FROM {_BY_ID if times is None else _BY_ID_AND_TIME}
        JOIN area a ON a.no = t.area_no
        LEFT JOIN area town ON town.level = 'town' AND town.no = t.area_no - t.area_no %% 1000000
        LEFT JOIN worker w ON w.id = t.worker_id
        LEFT JOIN department d ON d.id = t.department_id
        LEFT JOIN incident_ticket i ON i.ticket_id = t.id AND i.open
    """  # nosec B608 # joined from constants
    values = {"ids": list(ids), "times": None if times is None else list(times)}
    with conn.cursor(row_factory=class_row(Shown)) as cursor:
        rows = cursor.execute(query, values, prepare=times is not None or None).fetchall()
    return {row.id: row for row in rows}


def forget_open(conn: Db) -> int:
    """Take what was of a month that was dropped out of the open tickets; returns how many there were."""
    row = conn.execute("SELECT forget_open()").fetchone()
    return int(row[0]) if row else 0


class Town(NamedTuple):
    """A town in scope."""

    code: str
    no: int
    name: str


def towns(conn: Db) -> list[Town]:
    """The towns in scope, by number."""
    query = "SELECT code, no, name FROM area WHERE level = 'town' AND valid_to IS NULL ORDER BY no"
    return conn.cursor(row_factory=class_row(Town)).execute(query).fetchall()
