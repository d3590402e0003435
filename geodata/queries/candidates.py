"""Who could take a ticket: workers near a spot and on its ground, what they have in hand, posts, refusals, weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.pq import TransactionStatus
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db

DAYS_BACK = 3  # a ticket that is dispatched today was hardly ever reported longer ago
LEAST = 300  # of the workers on a ticket's own ground, so many at the most


class Matter(NamedTuple):
    """What of a ticket tells who could take it; degrees in EPSG:4326, None for a point that is not its own."""

    id: int
    version: int
    reported_at: datetime
    status: str
    category: str
    title: str
    area_no: int
    lon: float | None
    lat: float | None
    worker: str | None
    department: str | None
    parties: list[dict[str, Any]]
    narrow: bool  # whether whoever asks sees a part of the place


class Near(NamedTuple):
    """A worker and the latest position; metres from the spot asked for. The shift in seconds of the local day."""

    id: int
    code: str
    name: str
    kind: str
    area_no: int
    skills: list[str]
    shift_from_s: int
    shift_to_s: int
    shift_days: int
    away_until: datetime | None
    at: datetime | None
    lon: float | None
    lat: float | None
    metres: float | None
    stream: int  # 0 = on its ground, 1 = near, 2 = of the trade


class Post(NamedTuple):
    """The holder of a post whose ground holds the spot; `rostered` = the roster of the day knows the post."""

    code: str
    name: str
    role: str
    area_no: int
    area: str
    lon: float | None
    lat: float | None
    metres: float | None
    on_duty: bool
    rostered: bool


_WORKER = """
    w.id, w.code, w.name, w.kind::text, w.area_no, w.skills, extract(epoch FROM w.shift_from)::integer AS shift_from_s,
    extract(epoch FROM w.shift_to)::integer AS shift_to_s, w.shift_days::integer AS shift_days,
    (SELECT upper(l.during) FROM worker_leave l
      WHERE l.worker_id = w.id AND l.during @> %(now)s::timestamptz) AS away_until
"""
_NAMED = """
    WITH knowing AS MATERIALIZED (SELECT * FROM worker WHERE active AND skills && %(skills)s::text[]),
         here AS MATERIALIZED (SELECT * FROM worker_position)
"""
# A shift that passes midnight belongs to the day it begins on; %(day)s is that bit of today, %(eve)s of yesterday.
_ON_SHIFT = """
    CASE WHEN w.shift_from < w.shift_to
         THEN w.shift_days & %(day)s <> 0 AND %(time)s::time >= w.shift_from AND %(time)s::time < w.shift_to
         WHEN %(time)s::time >= w.shift_from THEN w.shift_days & %(day)s <> 0
         ELSE %(time)s::time < w.shift_to AND w.shift_days & %(eve)s <> 0 END
"""
# As a sub-select it is made once a query; made once a row it takes longer than all the rest.
_SPOT = "(SELECT ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography)"


@contextmanager
def planned_once(conn: Db) -> Iterator[None]:
    """Run the queries within with plans that are made once a connection, whatever they are asked with.

    They touch each month of tickets: planning them takes longer than running them, and a plan for 70 given workers
    reads all tickets of the last days in place of theirs.
    """
    conn.execute("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
    try:
        yield
    finally:
        if conn.info.transaction_status is not TransactionStatus.INERROR:
            conn.execute("SELECT set_config('plan_cache_mode', 'auto', true)")


def matter(
    conn: Db, ticket_id: int, desks: Sequence[str]
) -> tuple[Matter, tuple[int, dict[str, Any]], dict[str, datetime]] | None:
    """A ticket in scope, the place's own weights (0 and none without any), and who refused the ticket when last.

    What somebody at a desk (a role of `desks`) took back was not refused.
    """
    row = conn.execute(
        """
        SELECT t.id, t.version, t.reported_at, t.status::text, k.code, t.title, t.area_no,
               CASE t.location WHEN 'exact' THEN ST_X(t.geom) END, CASE t.location WHEN 'exact' THEN ST_Y(t.geom) END,
               (SELECT code FROM worker WHERE id = t.worker_id),
               (SELECT code FROM department WHERE id = t.department_id), t.parties,
               (SELECT jsonb_build_array(version, weights) FROM dispatch_weights ORDER BY version DESC LIMIT 1),
               EXISTS (SELECT FROM ticket_event e WHERE e.ticket_id = t.id AND e.kind IN ('refuse', 'send_back')),
               current_user IN ('wangge_scoped', 'wangge_parts')
        FROM ticket t JOIN category k ON k.id = t.category_id WHERE t.id = %s
        """,
        (ticket_id,),
        prepare=True,
    ).fetchone()
    if row is None:
        return None
    version, weights = row[12] or (0, {})
    refused = refusals(conn, [ticket_id], desks).get(ticket_id, {}) if row[13] else {}
    return Matter._make((*row[:12], row[14])), (version, weights), refused


def area_names(conn: Db, numbers: Sequence[int]) -> dict[int, str]:
    """Names of those areas."""
    rows = conn.execute(
        "SELECT no, name FROM area WHERE no = ANY (%s)", (list(numbers),), prepare=True
    ).fetchall()
    return dict(rows)


def around(
    conn: Db, *, above: Sequence[int], ground: tuple[int, int], spot: tuple[float, float] | None, skills: Sequence[str],
    now: datetime, local: datetime, oldest: datetime, nearest: int, skilled: int, narrow: bool = False,
) -> list[Near]:  # fmt: skip
    """Workers in scope on a ticket's ground (areas of `above`, or within lo..hi), the `nearest` of all that are on
    shift with a position not older than `oldest`, and the nearest `skilled` of those of them with one of the skills.

    The spot is (degrees east, degrees north), EPSG:4326; without it only the ground counts. `now` is aware, `local` the
    same moment in the place. One worker may come by several streams and then comes several times. `narrow`: the scope
    is a small part of the place, whose workers are sorted sooner than found one by one among all by the index.
    """
    streams = [
        f"""(SELECT {_WORKER}, p.at, ST_X(p.geom) AS lon, ST_Y(p.geom) AS lat,
                    {f"p.geom::geography <-> {_SPOT}" if spot else "NULL::float8"} AS metres, 0 AS stream
             FROM worker w LEFT JOIN worker_position p ON p.worker_id = w.id
             WHERE w.active AND (w.area_no = ANY (%(above)s) OR w.area_no BETWEEN %(lo)s AND %(hi)s)
             ORDER BY w.area_no DESC LIMIT {LEAST})"""  # nosec B608 # of constants alone
    ]
    if spot:
        positions = "here" if narrow else "worker_position"
        streams.append(_stream(1, "%(nearest)s", f"{positions} p JOIN worker w ON w.id = p.worker_id"))
    if spot and skills:  # few: all of them, and then the nearest
        streams.append(_stream(2, "%(skilled)s", "knowing w JOIN worker_position p ON p.worker_id = w.id"))
    values = _moment(now, local) | {
        "above": list(above), "lo": ground[0], "hi": ground[1], "skills": list(skills), "oldest": oldest,
        "nearest": nearest, "skilled": skilled, "lon": spot[0] if spot else None, "lat": spot[1] if spot else None,
    }  # fmt: skip
    query = (_NAMED if spot else "") + " UNION ALL ".join(streams)  # what is named and not used is not read
    return conn.cursor(row_factory=class_row(Near)).execute(query, values, prepare=True).fetchall()


def _stream(number: int, most: str, workers: str) -> str:
    return f"""
        (SELECT {_WORKER}, p.at, ST_X(p.geom) AS lon, ST_Y(p.geom) AS lat, p.geom::geography <-> {_SPOT} AS metres,
                {number} AS stream
         FROM {workers} WHERE p.at >= %(oldest)s AND w.active AND {_ON_SHIFT}
         ORDER BY p.geom::geography <-> {_SPOT} LIMIT {most})"""  # nosec B608 # of constants alone


def _moment(now: datetime, local: datetime) -> dict[str, Any]:
    return {
        "now": now, "time": local.time().replace(tzinfo=None), "day": 1 << local.weekday(),
        "eve": 1 << (local.weekday() - 1) % 7,
    }  # fmt: skip


def on_shift(conn: Db, *, now: datetime, local: datetime, oldest: datetime) -> list[Near]:
    """All workers in scope that are on shift with a position not older than `oldest`, by id; without a distance."""
    values = _moment(now, local) | {"oldest": oldest}
    query = f"""
        SELECT {_WORKER}, p.at, ST_X(p.geom) AS lon, ST_Y(p.geom) AS lat, NULL::float8 AS metres, 1 AS stream
        FROM worker_position p JOIN worker w ON w.id = p.worker_id
        WHERE p.at >= %(oldest)s AND w.active AND {_ON_SHIFT} ORDER BY w.id"""  # nosec B608 # of constants alone
    return conn.cursor(row_factory=class_row(Near)).execute(query, values).fetchall()


def in_hands(conn: Db, workers: Sequence[int] | None, midnight: datetime) -> dict[int, tuple[int, int]]:
    """Of each of those workers (None: of all) the tickets in hand, and those first dispatched since local midnight.

    A worker without either is left out.
    """
    chosen = "" if workers is None else "AND worker_id = ANY (%(workers)s)"
    rows = conn.execute(
        f"""
        SELECT worker_id, sum(held)::integer, sum(today)::integer FROM (
            SELECT worker_id, count(*) AS held, 0 AS today FROM ticket
            WHERE status IN ('dispatched', 'transferred', 'signed', 'in_progress') AND worker_id IS NOT NULL {chosen}
            GROUP BY worker_id
            UNION ALL
            SELECT worker_id, 0, count(*) FROM ticket
            WHERE reported_at >= %(midnight)s::timestamptz - interval '{DAYS_BACK} days'
              AND dispatched_at >= %(midnight)s AND worker_id IS NOT NULL {chosen}
            GROUP BY worker_id
        ) counted GROUP BY worker_id
        """,  # nosec B608 # of constants alone
        {"workers": None if workers is None else list(workers), "midnight": midnight},
        prepare=True,
    ).fetchall()
    return {worker: (held, today) for worker, held, today in rows}


def refusals(conn: Db, tickets: Sequence[int], desks: Sequence[str]) -> dict[int, dict[str, datetime]]:
    """Of each of those tickets who refused it or sent it back, and when last: codes of workers and departments.

    What somebody at a desk (a role of `desks`) took back was not refused.
    """
    rows = conn.execute(
        """
        SELECT e.ticket_id, who.code, max(e.at) FROM ticket_event e,
            LATERAL (VALUES (coalesce(e.before->>'worker', e.before->>'department')), (e.data->>'party')) who (code)
        WHERE e.ticket_id = ANY (%s) AND e.kind IN ('refuse', 'send_back') AND who.code IS NOT NULL
          AND NOT coalesce(e.actor_role, '') = ANY (%s)
        GROUP BY 1, 2
        """,
        (list(tickets), list(desks)),
    ).fetchall()
    found: dict[int, dict[str, datetime]] = {}
    for ticket, code, at in rows:
        found.setdefault(ticket, {})[code] = at
    return found


def posts(
    conn: Db, above: Sequence[int], roles: Sequence[str], spot: tuple[float, float] | None, local: datetime
) -> list[Post]:
    """Holders of those posts in those areas, with the metres from their duty place to the spot (EPSG:4326)."""
    metres = f"ST_DistanceSphere(k.geom, {_SPOT}::geometry)" if spot else "NULL::float8"
    return (
        conn.cursor(row_factory=class_row(Post))
        .execute(
            f"""
            SELECT k.code, k.name, k.role, k.area_no, a.name AS area, ST_X(k.geom) AS lon, ST_Y(k.geom) AS lat,
                   {metres} AS metres,
                   EXISTS (SELECT FROM roster r WHERE r.area_no = k.area_no AND r.role = k.role AND r.name = k.name
                             AND r.on_date BETWEEN %(local)s::date - 1 AND %(local)s::date AND r.during @> %(local)s)
                       AS on_duty,
                   EXISTS (SELECT FROM roster r WHERE r.area_no = k.area_no AND r.role = k.role
                             AND r.on_date BETWEEN %(local)s::date - 1 AND %(local)s::date) AS rostered
            FROM key_person k JOIN area a ON a.no = k.area_no
            WHERE k.kind = 'post' AND k.area_no = ANY (%(above)s) AND k.role = ANY (%(roles)s)
            ORDER BY k.area_no DESC, k.code
            """,  # nosec B608 # of constants alone
            {
                "above": list(above), "roles": list(roles), "local": local.replace(tzinfo=None),
                "lon": spot[0] if spot else None, "lat": spot[1] if spot else None,
            },
        )
        .fetchall()
    )  # fmt: skip


def unassigned(conn: Db, most: int) -> tuple[list[int], int]:
    """Open tickets that nobody holds, the next due first: ids of `most` of them, and how many there are."""
    rows = conn.execute(
        """
        SELECT id, count(*) OVER () FROM ticket
        WHERE closed_at IS NULL AND status IN ('reported', 'accepted', 'returned', 'reopened')
        ORDER BY due_at NULLS LAST, id LIMIT %s
        """,
        (most,),
    ).fetchall()
    return [row[0] for row in rows], rows[0][1] if rows else 0


def weights(conn: Db) -> tuple[int, dict[str, Any], datetime, str] | None:
    """The place's own weights: version, weights, when and by whom they were set; None without any."""
    row = conn.execute(
        "SELECT version, weights, changed_at, changed_by FROM dispatch_weights ORDER BY version DESC LIMIT 1"
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


def add_weights(conn: Db, version: int, values: dict[str, int], by: str) -> bool:
    """Set the weights; False when that version is there already."""
    added = conn.execute(
        "INSERT INTO dispatch_weights (version, weights, changed_by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (version, Jsonb(values), by),
    )
    return added.rowcount == 1
