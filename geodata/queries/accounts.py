"""Queries for accounts and their areas, in the role wangge_access."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class AccountRow(NamedTuple):
    """An account as signing in needs it."""

    id: int
    login: str
    name: str
    role: str
    password_hash: str | None
    must_change: bool
    totp_sealed: bytes | None
    oidc_issuer: str | None
    demo: bool
    disabled: bool


class AreaGiven(NamedTuple):
    """An area that an account was given; numbers lo..hi, both included."""

    no: int
    hi: int
    code: str
    name: str
    is_root: bool


class ListedRow(NamedTuple):
    """An account as lists show it."""

    id: int
    login: str
    name: str
    role: str
    areas: list[list[str]]  # [code, name], in the order of their numbers
    disabled: bool
    locked: bool
    has_totp: bool
    oidc: bool
    must_change: bool
    demo: bool
    last_sign_in_at: datetime | None
    created_at: datetime
    created_by: str


_ACCOUNT = """
    SELECT id, login, name, role, password_hash, must_change, totp_sealed, oidc_issuer, demo,
           disabled_at IS NOT NULL AS disabled
    FROM account
"""
_AREA = "SELECT no, hi, code, name, parent_no IS NULL AS is_root FROM area"


def by_login(conn: Db, login: str) -> AccountRow | None:
    """The account with that login (lower case)."""
    rows = conn.cursor(row_factory=class_row(AccountRow))
    return rows.execute(_ACCOUNT + "WHERE login = %s", (login,)).fetchone()


def by_id(conn: Db, account_id: int) -> AccountRow | None:
    """The account with that id."""
    rows = conn.cursor(row_factory=class_row(AccountRow))
    return rows.execute(_ACCOUNT + "WHERE id = %s", (account_id,)).fetchone()


def by_subject(conn: Db, issuer: str, subject: str) -> AccountRow | None:
    """The account of somebody whom an OpenID Connect provider knows by that subject."""
    rows = conn.cursor(row_factory=class_row(AccountRow))
    return rows.execute(
        _ACCOUNT + "WHERE oidc_issuer = %s AND oidc_subject = %s", (issuer, subject)
    ).fetchone()


def areas_of(conn: Db, account_id: int) -> list[AreaGiven]:
    """The areas that an account was given, in the order of their numbers."""
    query = _AREA + " JOIN account_area ON area_no = no WHERE account_id = %s ORDER BY no"
    return conn.cursor(row_factory=class_row(AreaGiven)).execute(query, (account_id,)).fetchall()


def areas_by_code(conn: Db, codes: Sequence[str]) -> list[AreaGiven]:
    """Today's areas with these codes; of two levels that share a code, the higher one."""
    query = f"""
        SELECT DISTINCT ON (code) * FROM ({_AREA} WHERE code = ANY (%s) AND valid_to IS NULL ORDER BY level) found
        ORDER BY code, hi - no DESC
    """  # nosec B608 # a constant of this file
    return conn.cursor(row_factory=class_row(AreaGiven)).execute(query, (list(codes),)).fetchall()


def first_areas(conn: Db) -> dict[str, str]:
    """The code of the first area of each level of today."""
    query = "SELECT DISTINCT ON (level) level::text, code FROM area WHERE valid_to IS NULL ORDER BY level, no"
    return {level: code for level, code in conn.execute(query).fetchall()}


def root_code(conn: Db) -> str | None:
    """The code of the whole place."""
    row = conn.execute("SELECT code FROM area WHERE parent_no IS NULL AND valid_to IS NULL").fetchone()
    return None if row is None else str(row[0])


def listed(conn: Db) -> list[ListedRow]:
    """All accounts, by login."""
    query = """
        SELECT a.id, a.login, a.name, a.role,
               coalesce((SELECT jsonb_agg(jsonb_build_array(r.code, r.name) ORDER BY r.no)
                         FROM account_area g JOIN area r ON r.no = g.area_no WHERE g.account_id = a.id), '[]') AS areas,
               disabled_at IS NOT NULL AS disabled, coalesce(locked_until > now(), false) AS locked,
               totp_sealed IS NOT NULL AS has_totp, oidc_issuer IS NOT NULL AS oidc, must_change, demo,
               last_sign_in_at, created_at, created_by
        FROM account a ORDER BY login
    """
    return conn.cursor(row_factory=class_row(ListedRow)).execute(query).fetchall()


def insert(
    conn: Db, login: str, name: str, role: str, password_hash: str | None, created_by: str, *,
    must_change: bool, demo: bool = False, oidc: tuple[str, str] | None = None,
) -> int | None:  # fmt: skip
    """Add an account and return its id; None when the login is taken. `oidc` is (issuer, subject)."""
    query = """
        INSERT INTO account (login, name, role, password_hash, must_change, demo, created_by, oidc_issuer, oidc_subject,
                             password_set_at)
        VALUES (%(login)s, %(name)s, %(role)s, %(hash)s, %(must_change)s, %(demo)s, %(by)s, %(issuer)s, %(subject)s,
                CASE WHEN %(hash)s::text IS NOT NULL THEN now() END)
        ON CONFLICT (login) DO NOTHING RETURNING id
    """
    issuer, subject = oidc or (None, None)
    values = {
        "login": login, "name": name, "role": role, "hash": password_hash, "must_change": must_change, "demo": demo,
        "by": created_by, "issuer": issuer, "subject": subject,
    }  # fmt: skip
    row = conn.execute(query, values).fetchone()
    return None if row is None else int(row[0])


def change(conn: Db, account_id: int, name: str, role: str) -> None:
    """Give an account another name and role."""
    conn.execute("UPDATE account SET name = %s, role = %s WHERE id = %s", (name, role, account_id))


def give_areas(conn: Db, account_id: int, numbers: Sequence[int]) -> None:
    """Let these be the areas of an account, and no others."""
    conn.execute(
        "DELETE FROM account_area WHERE account_id = %s AND area_no <> ALL (%s)", (account_id, list(numbers))
    )
    conn.execute(
        "INSERT INTO account_area SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING",
        (account_id, list(numbers)),
    )


def set_disabled(conn: Db, account_id: int, disabled: bool) -> None:
    """Close or open an account; opening unlocks it too."""
    query = """
        UPDATE account SET disabled_at = CASE WHEN %s THEN coalesce(disabled_at, now()) END, failed_tries = 0,
                           locked_until = NULL
        WHERE id = %s
    """
    conn.execute(query, (disabled, account_id))


def administrators(conn: Db) -> set[int]:
    """Accounts that can administer now; locks their rows, so that two changes at once cannot remove the last two."""
    query = """
        SELECT id FROM account WHERE role = 'administrator' AND disabled_at IS NULL AND NOT demo
        ORDER BY id FOR UPDATE
    """
    rows = conn.execute(query).fetchall()
    return {int(row[0]) for row in rows}


def set_password(conn: Db, account_id: int, password_hash: str, *, must_change: bool) -> None:
    """Another password; whoever was locked out is not any more."""
    query = """
        UPDATE account SET password_hash = %s, must_change = %s, password_set_at = now(), failed_tries = 0,
                           locked_until = NULL
        WHERE id = %s
    """
    conn.execute(query, (password_hash, must_change, account_id))


def rehash(conn: Db, account_id: int, was: str, password_hash: str) -> None:
    """The same password, hashed with today's parameters, unless it was changed meanwhile."""
    conn.execute(
        "UPDATE account SET password_hash = %s WHERE id = %s AND password_hash = %s",
        (password_hash, account_id, was),
    )


def count_try(conn: Db, account_id: int, most: int, lock_s: int) -> int | None:
    """Count a try before it is looked at; returns how many there were in a row, None while the account is locked.

    The one that reaches `most` locks at once: however many come at the same time, no more than `most` are looked at.
    """
    query = """
        UPDATE account SET
            failed_tries = tries.n,
            locked_until = CASE WHEN tries.n >= %s THEN now() + make_interval(secs => %s) END
        FROM (SELECT id, CASE WHEN locked_until IS NULL THEN failed_tries + 1 ELSE 1 END AS n
              FROM account WHERE id = %s FOR UPDATE) tries
        WHERE account.id = tries.id AND (locked_until IS NULL OR locked_until <= now())
        RETURNING failed_tries
    """
    row = conn.execute(query, (most, lock_s, account_id)).fetchone()
    return None if row is None else int(row[0])


def locked_for_s(conn: Db, account_id: int) -> int:
    """Seconds until the account is unlocked; 0 when it is not locked."""
    row = conn.execute(
        "SELECT ceil(extract(epoch FROM locked_until - now()))::integer FROM account WHERE id = %s",
        (account_id,),
    ).fetchone()
    return max(0, row[0] or 0) if row else 0


def take_back_try(conn: Db, account_id: int, most: int) -> None:
    """That try was right so far, so it does not count; those before it still do."""
    query = """
        UPDATE account SET failed_tries = greatest(failed_tries - 1, 0),
                           locked_until = CASE WHEN failed_tries - 1 >= %s THEN locked_until END
        WHERE id = %s
    """
    conn.execute(query, (most, account_id))


def signed_in(conn: Db, account_id: int) -> None:
    """It signed in now: tries before are forgotten."""
    conn.execute(
        "UPDATE account SET failed_tries = 0, locked_until = NULL, last_sign_in_at = now() WHERE id = %s",
        (account_id,),
    )


def set_totp(conn: Db, account_id: int, sealed: bytes | None, last_step: int | None) -> bool:
    """Set the second factor if there is none, or remove it with None; whether something changed."""
    query = """
        UPDATE account SET totp_sealed = %(sealed)s, totp_last_step = %(step)s
        WHERE id = %(id)s AND (totp_sealed IS NULL) = (%(sealed)s::bytea IS NOT NULL)
    """
    return conn.execute(query, {"sealed": sealed, "step": last_step, "id": account_id}).rowcount > 0


def take_step(conn: Db, account_id: int, step: int) -> bool:
    """Use up the code of that time step; False when it, or a later one, was used before."""
    query = """
        UPDATE account SET totp_last_step = %(step)s
        WHERE id = %(id)s AND (totp_last_step IS NULL OR totp_last_step < %(step)s)
    """
    return conn.execute(query, {"step": step, "id": account_id}).rowcount > 0
