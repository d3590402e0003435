"""Who could take a ticket: workers near a spot and on its ground, what they have in hand, posts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from geodata.queries.dispatch_matter import NOT_KEPT, as_array
from geodata.scope import Db

LEAST = 300  # of the workers on a ticket's own ground, so many at the most


class Near(NamedTuple):
    """A worker, the latest position, what is in hand; metres from the spot. The shift in seconds of the local day."""

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
    age_s: float | None  # of that position
    lon: float | None
    lat: float | None
    metres: float | None
    stream: int  # 0 = on its ground, 1 = near, 2 = of the trade
    held: int  # tickets in hand
    today: int  # those that were first dispatched since local midnight
    area: str  # name of area_no; of a whole crew none


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


# A shift that passes midnight belongs to the day it begins on; %(day)s is that bit of today, %(eve)s of yesterday.
_ON_SHIFT = """
    CASE WHEN shift_from < shift_to
         THEN shift_days & %(day)s <> 0 AND %(time)s::time >= shift_from AND %(time)s::time < shift_to
         WHEN %(time)s::time >= shift_from THEN shift_days & %(day)s <> 0
         ELSE %(time)s::time < shift_to AND shift_days & %(eve)s <> 0 END
"""
_AT_WORK = f"active AND {_ON_SHIFT}"
# As a sub-select it is made once a query; made once a row it takes longer than all the rest.
_SPOT = "(SELECT ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography)"
_METRES = f"p.geom::geography <-> {_SPOT}"


# What is told of a stream's row `f` and the hands `h`.
_TOLD = """
    f.id, f.code, f.name, f.kind::text, f.area_no, f.skills, date_part('epoch', f.shift_from)::integer AS shift_from_s,
    date_part('epoch', f.shift_to)::integer AS shift_to_s, f.shift_days::integer AS shift_days,
    (SELECT upper(l.during) FROM worker_leave l
      WHERE l.worker_id = f.id AND l.during @> %(now)s::timestamptz) AS away_until,
    date_part('epoch', %(now)s::timestamptz - f.at) AS age_s, ST_X(f.geom) AS lon, ST_Y(f.geom) AS lat, f.metres,
    f.stream, coalesce(h.held, 0)::integer AS held, coalesce(h.today, 0)::integer AS today
"""
_AREA = "(SELECT name FROM area WHERE no = f.area_no) AS area"
_WORKER = (
    "w.id, w.code, w.name, w.kind, w.area_no, w.skills, w.shift_from, w.shift_to, w.shift_days, p.at, p.geom"
)
_HANDS = (
    "count(*) FILTER (WHERE held) AS held, count(*) FILTER (WHERE dispatched_at >= %(midnight)s) AS today"
)


def around(
    conn: Db, *, above: Sequence[int], ground: tuple[int, int], spot: tuple[float, float] | None, skills: Sequence[str],
    now: datetime, local: datetime, oldest: datetime, nearest: int, skilled: int, seen: Collection[int] = (),
    role: str = "",
) -> list[Near]:  # fmt: skip
    """Workers in scope on a ticket's ground (areas of `above`, or within lo..hi), the `nearest` of all that are on
    shift with a position not older than `oldest`, and the nearest `skilled` of those of them with one of the skills.

    When some were `seen` (ids), only nearer and skilled ones besides them. The spot is (degrees east, degrees north),
    EPSG:4326; without it only the ground counts. `now` is aware, `local` the same moment in the place. One worker may
    come by several streams and then comes several times. Each role has plans of its own: a plan is made for the
    policies of one, and one that is shared is made anew at each change.
    """
    values = _moment(now, local) | {
        "above": as_array([no for no in above if not ground[0] <= no <= ground[1]]), "lo": ground[0], "hi": ground[1],
        "skills": as_array(skills), "oldest": oldest,
        "nearest": nearest, "skilled": skilled, "seen": as_array([*seen]), "lon": spot[0] if spot else None,
        "lat": spot[1] if spot else None,
    }  # fmt: skip
    query = _around(role, bool(seen), bool(spot and nearest), bool(spot and skilled and skills))
    found = conn.cursor(binary=True).execute(query, values, prepare=True).fetchall()
    return [] if found[0][0] is None else [*map(Near._make, found)]  # of nobody comes one row, without an id


@cache
def _around(role: str, seen: bool, near: bool, knowing: bool) -> str:
    """OFFSET 0: of each row of the one table that of the other is found by its key, whatever the planner expects."""
    streams = []
    if not seen:
        streams.append(
            f"""(SELECT {_WORKER}, {_METRES} AS metres, 0 AS stream
                 FROM (SELECT w.* FROM (SELECT %(lo)s::bigint AS low, %(hi)s::bigint AS high
                                        UNION ALL SELECT no, no FROM unnest(%(above)s::bigint[]) no) ground
                       CROSS JOIN LATERAL (
                           SELECT * FROM worker WHERE active AND area_no BETWEEN low AND high OFFSET 0) w
                       ORDER BY area_no DESC LIMIT {LEAST}) w
                 LEFT JOIN LATERAL (SELECT * FROM worker_position WHERE worker_id = w.id OFFSET 0) p ON true)"""  # nosec B608 # of constants alone
        )
    others = "AND NOT p.worker_id = ANY (%(seen)s::bigint[])" if seen else ""
    if near:
        streams.append(
            f"""(SELECT {_WORKER}, {_METRES} AS metres, 1 AS stream FROM worker_position p
                 CROSS JOIN LATERAL (SELECT * FROM worker WHERE id = p.worker_id AND {_AT_WORK} OFFSET 0) w
                 WHERE p.at >= %(oldest)s {others} ORDER BY {_METRES} LIMIT %(nearest)s)"""  # nosec B608 # of constants alone
        )
    if knowing:  # few: all of them, and then the nearest
        streams.append(
            f"""(SELECT {_WORKER}, {_METRES} AS metres, 2 AS stream
                 FROM (SELECT * FROM worker
                       WHERE skills && %(skills)s::text[] AND skills <> '{{}}' AND {_AT_WORK} OFFSET 0) w
                 CROSS JOIN LATERAL (SELECT * FROM worker_position WHERE worker_id = w.id OFFSET 0) p
                 WHERE p.at >= %(oldest)s {others} ORDER BY {_METRES} LIMIT %(skilled)s)"""  # nosec B608 # of constants alone
        )
    query = f"""
        /* {role} */ SELECT {_TOLD}, {_AREA} FROM (SELECT {NOT_KEPT}) mode
        LEFT JOIN ({" UNION ALL ".join(streams)}) f ON true
        LEFT JOIN LATERAL (SELECT {_HANDS} FROM worker_hand WHERE worker_id = f.id OFFSET 0) h ON true"""  # nosec B608 # of constants alone
    return " ".join(query.split())  # of a text this short psycopg remembers where the blanks are


def _moment(now: datetime, local: datetime) -> dict[str, Any]:
    return {
        "now": now, "time": local.time().replace(tzinfo=None), "day": 1 << local.weekday(),
        "eve": 1 << (local.weekday() - 1) % 7,
        "midnight": local.replace(hour=0, minute=0, second=0, microsecond=0),
    }  # fmt: skip


def on_shift(conn: Db, *, now: datetime, local: datetime, oldest: datetime) -> list[Near]:
    """All workers in scope that are on shift with a position not older than `oldest`, by id; no distance, no area."""
    query = f"""
        SELECT {_TOLD}, '' AS area FROM (
            SELECT {_WORKER}, NULL::float8 AS metres, 1 AS stream
            FROM worker_position p JOIN worker w ON w.id = p.worker_id
            WHERE p.at >= %(oldest)s AND {_AT_WORK}
        ) f LEFT JOIN (SELECT worker_id, {_HANDS} FROM worker_hand GROUP BY worker_id) h ON h.worker_id = f.id
        ORDER BY f.id"""  # nosec B608 # of constants alone
    values = _moment(now, local) | {"oldest": oldest}
    return [Near._make(row) for row in conn.cursor(binary=True).execute(query, values).fetchall()]


def forget_hands(conn: Db) -> int:
    """Forget what is out of hand and was not given in the last two days; returns how many tickets."""
    row = conn.execute("SELECT forget_hands()").fetchone()
    return int(row[0]) if row else 0


def posts(
    conn: Db, above: Sequence[int], roles: Sequence[str], spot: tuple[float, float] | None, local: datetime
) -> list[Post]:
    """Holders of those posts in those areas, with the metres from their duty place to the spot (EPSG:4326)."""
    metres = f"ST_DistanceSphere(k.geom, {_SPOT}::geometry)" if spot else "NULL::float8"
    query = f"""
        SELECT k.code, k.name, k.role, k.area_no, a.name AS area, ST_X(k.geom) AS lon, ST_Y(k.geom) AS lat,
               {metres} AS metres,
               EXISTS (SELECT FROM roster r WHERE r.area_no = k.area_no AND r.role = k.role AND r.name = k.name
                         AND r.on_date BETWEEN %(local)s::date - 1 AND %(local)s::date
                         AND r.during @> %(local)s::timestamp) AS on_duty,
               EXISTS (SELECT FROM roster r WHERE r.area_no = k.area_no AND r.role = k.role
                         AND r.on_date BETWEEN %(local)s::date - 1 AND %(local)s::date) AS rostered
        FROM key_person k JOIN area a ON a.no = k.area_no
        WHERE k.kind = 'post' AND k.area_no = ANY (%(above)s::bigint[]) AND k.role = ANY (%(roles)s::text[])
        ORDER BY k.area_no DESC, k.code"""  # nosec B608 # of constants alone
    values = {
        "above": as_array(above), "roles": as_array(roles), "local": local.replace(tzinfo=None),
        "lon": spot[0] if spot else None, "lat": spot[1] if spot else None,
    }  # fmt: skip
    found = conn.cursor(binary=True).execute(query, values, prepare=True).fetchall()
    return [Post._make(row) for row in found]


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
