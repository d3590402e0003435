"""Cases of mediation: rows, parties, sessions, events; read and written in the hat "care" alone."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.rows import class_row, tuple_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class Case(NamedTuple):
    """A case as the services see it; what is sealed comes from `sealed` and `parties`."""

    id: int
    number: str
    version: int
    area_no: int
    category: str
    ticket_id: int | None
    state: str
    tier: int
    room: str | None
    post_id: int | None
    worker_id: int | None
    mediator: str | None
    agreement_form: str | None
    received_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    perform_by: date | None
    performed: bool | None
    performed_on: date | None
    generated: bool


class Sealed(NamedTuple):
    """What is sealed in a case itself."""

    matter_sealed: bytes | None
    agreement_sealed: bytes | None
    key_id: int


class Party(NamedTuple):
    """Somebody in a dispute: masked, and sealed."""

    id: int
    case_id: int
    side: str
    name_masked: str
    name_sealed: bytes
    phone_sealed: bytes | None
    key_id: int


class Session(NamedTuple):
    """A meeting: planned, and what came of it."""

    seq: int
    tier: int
    planned_at: datetime
    room: str | None
    held_at: datetime | None
    ended_at: datetime | None
    outcome: str | None


class CaseEvent(NamedTuple):
    """One command in the life of a case."""

    id: int
    at: datetime
    kind: str
    was: str | None
    state: str
    version: int
    actor: str
    actor_role: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    data: dict[str, Any] | None


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


_CASE = sql.SQL(", ").join(
    sql.SQL("state::text") if name == "state" else sql.Identifier(name) for name in Case._fields
)
_TYPES = {"state": "mediation_state"}


def one(conn: Db, case_id: int, *, lock: bool = False) -> Case | None:
    """A case in scope; with `lock` nobody else changes it until the transaction ends."""
    query = sql.SQL("SELECT {} FROM mediation_case WHERE id = %s {}").format(
        _CASE, sql.SQL("FOR UPDATE" if lock else "")
    )
    with conn.cursor(row_factory=class_row(Case)) as cursor:
        return cursor.execute(query, (case_id,)).fetchone()


def add(conn: Db, columns: Mapping[str, Any], year: int) -> Case:
    """Insert a case; its number is the year and its id."""
    names = list(columns)
    query = sql.SQL(
        """
        WITH made AS (SELECT nextval(pg_get_serial_sequence('mediation_case', 'id')) AS id)
        INSERT INTO mediation_case (id, number, {})
        SELECT id, %(year)s::text || '-' || lpad(id::text, 6, '0'), {} FROM made RETURNING {}
        """
    ).format(sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(map(_value, names)), _CASE)
    with conn.cursor(row_factory=class_row(Case)) as cursor:
        found = cursor.execute(query, {**columns, "year": year}).fetchone()
    assert found is not None
    return found


def change(conn: Db, case_id: int, columns: Mapping[str, Any]) -> Case:
    """Set columns of a case and count its version on."""
    sets = [sql.SQL("{} = {}").format(sql.Identifier(name), _value(name)) for name in columns]
    query = sql.SQL("UPDATE mediation_case SET {} WHERE id = %(id)s RETURNING {}").format(
        sql.SQL(", ").join([sql.SQL("version = version + 1"), *sets]), _CASE
    )
    with conn.cursor(row_factory=class_row(Case)) as cursor:
        found = cursor.execute(query, {**columns, "id": case_id}).fetchone()
    assert found is not None
    return found


def _value(name: str) -> sql.Composable:
    cast = sql.SQL("::{}").format(sql.SQL(_TYPES[name])) if name in _TYPES else sql.SQL("")
    return sql.SQL("{}{}").format(sql.Placeholder(name), cast)


def sealed(conn: Db, ids: Sequence[int]) -> dict[int, Sealed]:
    """The sealed columns of cases in scope, by id."""
    rows = conn.execute(
        "SELECT id, matter_sealed, agreement_sealed, key_id FROM mediation_case WHERE id = ANY(%s)",
        (list(ids),),
    ).fetchall()
    return {row[0]: Sealed(*row[1:]) for row in rows}


def add_party(
    conn: Db, case: Case, side: str, masked: str, name: bytes, phone: bytes | None, key_id: int
) -> None:
    """Write a party of a case."""
    conn.execute(
        """
        INSERT INTO mediation_party (case_id, area_no, side, name_masked, name_sealed, phone_sealed, key_id)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (case.id, case.area_no, side, masked, name, phone, key_id),
    )


def parties(conn: Db, ids: Sequence[int]) -> dict[int, list[Party]]:
    """The parties of cases in scope, by case, applicants first."""
    query = sql.SQL(
        "SELECT {} FROM mediation_party WHERE case_id = ANY(%s)"
        " ORDER BY case_id, array_position(ARRAY['applicant', 'respondent', 'other'], side), id"
    ).format(sql.SQL(", ").join(map(sql.Identifier, Party._fields)))
    found: dict[int, list[Party]] = {}
    with conn.cursor(row_factory=class_row(Party)) as cursor:
        for row in cursor.execute(query, (list(ids),)):
            found.setdefault(row.case_id, []).append(row)
    return found


def add_session(conn: Db, case: Case, planned_at: datetime, room: str | None) -> int:
    """Plan a meeting; returns its number."""
    row = conn.execute(
        """
        INSERT INTO mediation_session (case_id, area_no, seq, tier, planned_at, room)
        SELECT %(id)s, %(area_no)s, coalesce(max(seq), 0) + 1, %(tier)s, %(at)s, %(room)s
        FROM mediation_session WHERE case_id = %(id)s RETURNING seq
        """,
        {"id": case.id, "area_no": case.area_no, "tier": case.tier, "at": planned_at, "room": room},
    ).fetchone()
    assert row is not None
    return int(row[0])


def end_session(
    conn: Db, case_id: int, seq: int, held_at: datetime, ended_at: datetime | None, outcome: str
) -> bool:
    """Write what came of a meeting; False when there is none of that number that waits for it."""
    return (
        conn.execute(
            """
            UPDATE mediation_session SET held_at = %s, ended_at = %s, outcome = %s
            WHERE case_id = %s AND seq = %s AND outcome IS NULL
            """,
            (held_at, ended_at, outcome, case_id, seq),
        ).rowcount
        == 1
    )


def sessions(conn: Db, case_id: int) -> list[Session]:
    """The meetings of a case, in order."""
    query = sql.SQL("SELECT {} FROM mediation_session WHERE case_id = %s ORDER BY seq").format(
        sql.SQL(", ").join(map(sql.Identifier, Session._fields))
    )
    with conn.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(query, (case_id,)).fetchall()


def add_event(
    conn: Db, case: Case, *, kind: str, was: str | None, at: datetime, actor: str, role: str,
    before: dict[str, Any], after: dict[str, Any], data: dict[str, Any], key: str | None, digest: bytes | None,
) -> None:  # fmt: skip
    """Append what was done to a case."""
    conn.execute(
        """
        INSERT INTO mediation_event (case_id, area_no, at, kind, was, state, version, actor, actor_role, before, after,
                                     data, key, digest)
        VALUES (%s, %s, %s, %s, %s::mediation_state, %s::mediation_state, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (case.id, case.area_no, at, kind, was, case.state, case.version, actor, role, Jsonb(before), Jsonb(after),
         Jsonb(data), key, digest),
    )  # fmt: skip


def event_of_key(conn: Db, actor: str, key: str) -> tuple[int, bytes] | None:
    """(case, digest) of what this actor sent with that idempotency key before."""
    row = conn.execute(
        "SELECT case_id, digest FROM mediation_event WHERE actor = %s AND key = %s", (actor, key)
    ).fetchone()
    return None if row is None else (int(row[0]), bytes(row[1]))


def hold_key(conn: Db, actor: str, key: str) -> None:
    """Let only one transaction at a time go on with that key."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 22))", (f"{actor} {key}",))


def events(conn: Db, case_id: int) -> list[CaseEvent]:
    """The whole history of a case, oldest first."""
    query = sql.SQL("SELECT {} FROM mediation_event WHERE case_id = %s ORDER BY version").format(
        sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier(name))
            if name in ("was", "state")
            else sql.Identifier(name)
            for name in CaseEvent._fields
        )
    )
    with conn.cursor(row_factory=class_row(CaseEvent)) as cursor:
        return cursor.execute(query, (case_id,)).fetchall()


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


def grant(conn: Db, account_id: int, case: Case, reason: str, minutes: int) -> datetime:
    """Let an account see a case opened for so many minutes from now on; returns until when."""
    row = conn.execute(
        """
        INSERT INTO mediation_grant (account_id, case_id, area_no, reason, expires_at)
        VALUES (%s, %s, %s, %s, now() + make_interval(mins => %s))
        ON CONFLICT (account_id, case_id) DO UPDATE SET area_no = excluded.area_no, reason = excluded.reason,
            expires_at = excluded.expires_at
        RETURNING expires_at
        """,
        (account_id, case.id, case.area_no, reason, minutes),
    ).fetchone()
    assert row is not None
    until: datetime = row[0]
    return until


def running_grant(conn: Db, account_id: int, case_id: int) -> tuple[datetime, str] | None:
    """(until, reason) of the grant of an account for a case, while it lasts."""
    row = conn.execute(
        "SELECT expires_at, reason FROM mediation_grant"
        " WHERE account_id = %s AND case_id = %s AND expires_at > clock_timestamp()",
        (account_id, case_id),
    ).fetchone()
    return None if row is None else (row[0], row[1])


def parties_of_other_keys(conn: Db, key_id: int) -> list[Party]:
    """Parties sealed with another key than that, held until the transaction ends."""
    query = sql.SQL("SELECT {} FROM mediation_party WHERE key_id <> %s ORDER BY id FOR UPDATE").format(
        sql.SQL(", ").join(map(sql.Identifier, Party._fields))
    )
    with conn.cursor(row_factory=class_row(Party)) as cursor:
        return cursor.execute(query, (key_id,)).fetchall()


def reseal_party(conn: Db, party_id: int, name: bytes, phone: bytes | None, key_id: int) -> None:
    """Replace what is sealed of a party."""
    conn.execute(
        "UPDATE mediation_party SET name_sealed = %s, phone_sealed = %s, key_id = %s WHERE id = %s",
        (name, phone, key_id, party_id),
    )


def cases_of_other_keys(conn: Db, key_id: int) -> dict[int, Sealed]:
    """What is sealed in cases with another key than that, by id, held until the transaction ends."""
    rows = conn.execute(
        "SELECT id, matter_sealed, agreement_sealed, key_id FROM mediation_case WHERE key_id <> %s FOR UPDATE",
        (key_id,),
    ).fetchall()
    return {row[0]: Sealed(*row[1:]) for row in rows}


def reseal_case(conn: Db, case_id: int, matter: bytes | None, agreement: bytes | None, key_id: int) -> None:
    """Replace what is sealed in a case."""
    conn.execute(
        "UPDATE mediation_case SET matter_sealed = %s, agreement_sealed = %s, key_id = %s WHERE id = %s",
        (matter, agreement, key_id, case_id),
    )
