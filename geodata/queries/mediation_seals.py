"""What is sealed of a case of mediation: who may open it for how long, sealing anew; in the hat "care" alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from geodata.queries.mediation import Case
from geodata.scope import Db


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
