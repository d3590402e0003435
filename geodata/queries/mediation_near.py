"""Where a case of mediation could be handled and by whom."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg.rows import tuple_row

from geodata.scope import Db


class Mediator(NamedTuple):
    """Somebody who may mediate: a post holder or a worker."""

    kind: str
    id: int
    name: str
    role: str
    area: str


class Place(NamedTuple):
    """An area in scope."""

    no: int
    code: str
    name: str
    level: str
    town: str | None


def place(conn: Db, *, code: str | None = None, no: int | None = None) -> Place | None:
    """The area of that code or number, in scope, with the name of its town."""
    row = conn.execute(
        """
        SELECT a.no, a.code, a.name, a.level::text, t.name FROM area a
        LEFT JOIN area t ON t.level = 'town' AND a.no BETWEEN t.no AND t.hi AND t.no <> a.no
        WHERE CASE WHEN %(code)s::text IS NULL THEN a.no = %(no)s ELSE a.code = %(code)s AND a.valid_to IS NULL END
        ORDER BY a.level LIMIT 1
        """,
        {"code": code, "no": no},
    ).fetchone()
    return None if row is None else Place(*row)


def place_names(conn: Db, numbers: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """(name, name of its town) of areas in scope, by number."""
    rows = conn.execute(
        """
        SELECT a.no, CASE WHEN a.level <> 'grid' OR starts_with(a.name, p.name) THEN a.name
                          ELSE concat_ws(' ', p.name, a.name) END, t.name
        FROM area a LEFT JOIN area p ON p.no = a.parent_no
        LEFT JOIN area t ON t.level = 'town' AND a.no BETWEEN t.no AND t.hi AND t.no <> a.no
        WHERE a.no = ANY(%s)
        """,
        (list(numbers),),
    ).fetchall()
    return {int(row[0]): (str(row[1]), row[2]) for row in rows}


def mediators(conn: Db, area_no: int, roles: Sequence[str], limit: int) -> list[Mediator]:
    """Post holders of those roles in the town of an area, those who are nearest first."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            """
            WITH here AS (SELECT no, area_stride('community') AS village, area_stride('town') AS town
                          FROM area WHERE no = %(no)s)
            SELECT 'post', k.id, k.name, k.role, a.name FROM key_person k JOIN area a ON a.no = k.area_no, here
            WHERE k.kind = 'post' AND k.role = ANY(%(roles)s)
              AND k.area_no BETWEEN here.no - here.no %% here.town AND here.no - here.no %% here.town + here.town - 1
            ORDER BY (k.area_no / here.village) <> (here.no / here.village),
                     array_position(%(roles)s, k.role), k.area_no, k.id
            LIMIT %(limit)s
            """,
            {"no": area_no, "roles": list(roles), "limit": limit},
        ).fetchall()
    return [Mediator(*row) for row in rows]


def post_of(conn: Db, post_id: int) -> Mediator | None:
    """The holder of a post, in scope."""
    row = conn.execute(
        "SELECT 'post', k.id, k.name, k.role, a.name FROM key_person k JOIN area a ON a.no = k.area_no"
        " WHERE k.kind = 'post' AND k.id = %s",
        (post_id,),
    ).fetchone()
    return None if row is None else Mediator(*row)


def worker_of(conn: Db, code: str) -> Mediator | None:
    """An active worker, in scope."""
    row = conn.execute(
        "SELECT 'worker', w.id, w.name, w.kind::text, a.name FROM worker w JOIN area a ON a.no = w.area_no"
        " WHERE w.active AND w.code = %s",
        (code,),
    ).fetchone()
    return None if row is None else Mediator(*row)


def rooms(conn: Db, area_no: int, tier: int, limit: int) -> list[str]:
    """Rooms in which cases of that tier nearby were heard, the most used first."""
    rows = conn.execute(
        """
        SELECT room FROM mediation_case
        WHERE room IS NOT NULL AND tier = %s AND area_no / area_stride('town') = %s / area_stride('town')
        GROUP BY room ORDER BY count(*) DESC, room LIMIT %s
        """,
        (tier, area_no, limit),
    ).fetchall()
    return [str(row[0]) for row in rows]


def ticket_area(conn: Db, ticket_id: int) -> int | None:
    """Number of the area of a ticket in scope."""
    row = conn.execute("SELECT area_no FROM ticket WHERE id = %s", (ticket_id,)).fetchone()
    return None if row is None else int(row[0])
