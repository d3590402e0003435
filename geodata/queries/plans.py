"""Plans of the queue: the tickets that wait for somebody, and the proposals that are kept until they are accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.queries.spots import SPOT, SPOT_COLUMNS
from geodata.scope import Db

KEPT = timedelta(days=1)  # a plan says where workers were


class Waiting(NamedTuple):
    """An open ticket in nobody's hands; lon, lat in degrees (EPSG:4326), None where its place is not known.

    `rough`: it has no point of its own, the middle of its grid or community stands for it.
    """

    id: int
    version: int
    reported_at: datetime
    title: str
    category: str
    severity: str | None
    area_no: int
    due_at: datetime | None
    lon: float | None
    lat: float | None
    rough: bool


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What a plan says of a ticket: where its worker stood, how far off and how busy; None where nobody was found."""

    worker_lon: float | None
    worker_lat: float | None
    position_age_s: int | None
    load: int | None
    distance_m: float | None
    travel_s: float | None
    why: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class NewLine(Proposed):
    """A ticket of a plan as it is written; without a worker nobody was found."""

    ticket: Waiting
    worker_id: int | None


class Plan(NamedTuple):
    """A plan that was made; `area_no` 0 = all that its maker sees."""

    id: int
    area_no: int
    made_at: datetime
    expires_at: datetime
    dropped_at: datetime | None
    figures: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line(Proposed):
    """A ticket of a plan as it was planned, with what is known of it and its worker now."""

    ticket_id: int
    version: int
    version_now: int
    reported_at: datetime
    title: str
    category: str
    severity: str | None
    area_no: int
    due_at: datetime | None
    rough: bool
    lon: float | None
    lat: float | None
    worker: str | None
    worker_name: str | None
    answer: dict[str, Any] | None


def waiting(
    conn: Db, statuses: Sequence[str], severities: Sequence[str], ids: Sequence[int] | None, most: int
) -> list[Waiting]:
    """Open tickets in scope in these states, of these ids or all, the most urgent first.

    Urgent: far up by escalation, then by severity (`severities` from the mildest), then by deadline.
    """
    return (
        conn.cursor(row_factory=class_row(Waiting))
        .execute(
            _WAITING,
            {"statuses": list(statuses), "severities": list(severities), "most": most,
             "ids": None if ids is None else list(ids)},
        )
        .fetchall()
    )  # fmt: skip


def count_waiting(conn: Db, statuses: Sequence[str]) -> int:
    """How many open tickets in scope are in these states."""
    row = conn.execute(
        "SELECT count(*) FROM ticket WHERE closed_at IS NULL AND status = ANY (%s::ticket_status[])",
        (list(statuses),),
    ).fetchone()
    return int(row[0]) if row else 0


def add(
    conn: Db, maker: tuple[str, str], area_no: int, now: datetime, expires_at: datetime,
    figures: dict[str, Any], lines: Sequence[NewLine],
) -> int:  # fmt: skip
    """Keep a plan with its lines in their order; `maker` is kind and name. Returns its id."""
    row = conn.execute(
        "INSERT INTO dispatch_plan (area_no, made_kind, made_by, made_at, expires_at, figures)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        (area_no, *maker, now, expires_at, Jsonb(figures)),
    ).fetchone()
    assert row is not None
    plan_id = int(row[0])
    with conn.cursor() as cursor:
        cursor.executemany(
            _ADD_LINE,
            [
                vars(line) | line.ticket._asdict() | {"plan": plan_id, "rank": rank, "why": Jsonb(line.why)}
                for rank, line in enumerate(lines)
            ],
        )
    return plan_id


def read(conn: Db, plan_id: int, maker: tuple[str, str]) -> Plan | None:
    """The plan with that id if it is that maker's."""
    return (
        conn.cursor(row_factory=class_row(Plan))
        .execute(
            "SELECT id, area_no, made_at, expires_at, dropped_at, figures FROM dispatch_plan"
            " WHERE id = %s AND made_kind = %s AND made_by = %s",
            (plan_id, *maker),
        )
        .fetchone()
    )


def lines(conn: Db, plan_id: int) -> list[Line]:
    """The lines of a plan whose tickets are in scope, in their order."""
    return conn.cursor(row_factory=class_row(Line)).execute(_LINES, (plan_id,)).fetchall()


def answer(conn: Db, plan_id: int, ticket_id: int, said: dict[str, Any]) -> None:
    """Write down what became of a line."""
    conn.execute(
        "UPDATE dispatch_plan_line SET answer = %s WHERE plan_id = %s AND ticket_id = %s",
        (Jsonb(said), plan_id, ticket_id),
    )


def drop(conn: Db, plan_id: int, now: datetime) -> None:
    """Let nobody accept it any more."""
    conn.execute("UPDATE dispatch_plan SET dropped_at = %s WHERE id = %s", (now, plan_id))


def forget_old(conn: Db) -> None:
    """Delete plans that are over for a day, as far as the scope goes."""
    conn.execute("DELETE FROM dispatch_plan WHERE expires_at < now() - %s::interval", (KEPT,))


_WAITING = f"""
    WITH found AS (
        SELECT t.* FROM ticket t
        WHERE t.closed_at IS NULL AND t.status = ANY (%(statuses)s::ticket_status[])
          AND (%(ids)s::bigint[] IS NULL OR t.id = ANY (%(ids)s))
        ORDER BY t.escalation DESC, coalesce(array_position(%(severities)s::text[], t.severity), 0) DESC,
                 t.due_at NULLS LAST, t.reported_at, t.id
        LIMIT %(most)s
    )
    SELECT t.id, t.version, t.reported_at, t.title, k.code AS category, t.severity, t.area_no, t.due_at, {SPOT_COLUMNS}
    FROM found t
    JOIN category k ON k.id = t.category_id
    {SPOT}
    ORDER BY t.escalation DESC, coalesce(array_position(%(severities)s::text[], t.severity), 0) DESC,
             t.due_at NULLS LAST, t.reported_at, t.id
"""  # nosec B608 # of constants alone
_ADD_LINE = """
    INSERT INTO dispatch_plan_line (plan_id, rank, area_no, ticket_id, version, rough, geom, worker_id, worker_geom,
                                    position_age_s, load, distance_m, travel_s, why)
    VALUES (%(plan)s, %(rank)s, %(area_no)s, %(id)s, %(version)s, %(rough)s,
            CASE WHEN %(lon)s::float8 IS NOT NULL THEN ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326) END,
            %(worker_id)s,
            CASE WHEN %(worker_lon)s::float8 IS NOT NULL
                 THEN ST_SetSRID(ST_MakePoint(%(worker_lon)s, %(worker_lat)s), 4326) END,
            %(position_age_s)s, %(load)s, %(distance_m)s, %(travel_s)s, %(why)s)
"""
_LINES = """
    SELECT l.ticket_id, l.version, t.version AS version_now, t.reported_at, t.title, k.code AS category, t.severity,
           l.area_no, t.due_at, l.rough, ST_X(l.geom) AS lon, ST_Y(l.geom) AS lat, w.code AS worker,
           w.name AS worker_name, ST_X(l.worker_geom) AS worker_lon, ST_Y(l.worker_geom) AS worker_lat,
           l.position_age_s, l.load, l.distance_m, l.travel_s, l.why, l.answer
    FROM dispatch_plan_line l
    JOIN ticket t ON t.id = l.ticket_id
    JOIN category k ON k.id = t.category_id
    LEFT JOIN worker w ON w.id = l.worker_id
    WHERE l.plan_id = %s ORDER BY l.rank
"""
