"""Claims of tickets: taking, renewing, giving up and reading the leases, and the words of those who took one over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db

KEPT_H = 24  # hours that a word is kept


class Claim(NamedTuple):
    """A lease: `holder_kind` account or client, `holder` its login or name; over at `until` if nobody renews it."""

    ticket_id: int
    area_no: int
    holder_kind: str
    holder: str
    holder_name: str
    since: datetime
    until: datetime


class Word(NamedTuple):
    """What somebody said who took a claim over."""

    id: int
    ticket_id: int
    by_kind: str
    said_by: str
    by_name: str
    word: str
    at: datetime


_COLUMNS = ", ".join(Claim._fields)


def take(
    conn: Db, ticket_id: int, area_no: int, holder: tuple[str, str, str], lease: timedelta, *, over: bool = False
) -> Claim | None:  # fmt: skip
    """Take or renew the lease for `holder` (kind, name, what it is called); None while another's runs.

    With `over` another's ends now. By the database's clock; of two at once one gets it.
    """
    kind, name, called = holder
    return (
        conn.cursor(row_factory=class_row(Claim))
        .execute(
            f"""
            INSERT INTO ticket_claim AS c ({_COLUMNS})
            VALUES (%(ticket)s, %(area)s, %(kind)s, %(name)s, %(called)s, clock_timestamp(),
                    clock_timestamp() + %(lease)s)
            ON CONFLICT (ticket_id) DO UPDATE SET
                area_no = excluded.area_no, holder_kind = excluded.holder_kind, holder = excluded.holder,
                holder_name = excluded.holder_name, until = clock_timestamp() + %(lease)s,
                since = CASE WHEN c.holder_kind = excluded.holder_kind AND c.holder = excluded.holder
                                  AND c.until > clock_timestamp()
                             THEN c.since ELSE clock_timestamp() END
            WHERE %(over)s OR c.until <= clock_timestamp()
               OR (c.holder_kind = excluded.holder_kind AND c.holder = excluded.holder)
            RETURNING {_COLUMNS}
            """,  # nosec B608 # names of our own columns
            {"ticket": ticket_id, "area": area_no, "kind": kind, "name": name, "called": called, "lease": lease,
             "over": over},
        )
        .fetchone()
    )  # fmt: skip


def release(conn: Db, ticket_id: int, kind: str, name: str) -> bool:
    """Give a lease of one's own up; whether there was one that ran."""
    row = conn.execute(
        "DELETE FROM ticket_claim WHERE ticket_id = %s AND holder_kind = %s AND holder = %s"
        " RETURNING until > clock_timestamp()",
        (ticket_id, kind, name),
    ).fetchone()
    return row is not None and bool(row[0])


def live(conn: Db, ids: Sequence[int] | None = None, *, lock: bool = False) -> list[Claim]:
    """The leases in scope that run, of these tickets or of all, the oldest first; locked until the end on request."""
    return (
        conn.cursor(row_factory=class_row(Claim))
        .execute(
            f"SELECT {_COLUMNS} FROM ticket_claim WHERE until > clock_timestamp()"  # nosec B608
            " AND (%(ids)s::bigint[] IS NULL OR ticket_id = ANY(%(ids)s)) ORDER BY since, ticket_id"
            f"{' FOR UPDATE' if lock else ''}",
            {"ids": None if ids is None else list(ids)},
        )
        .fetchall()
    )


def forget_old(conn: Db) -> None:
    """Delete leases that are over, and words older than KEPT_H, as far as the scope goes."""
    conn.execute(
        "DELETE FROM ticket_claim WHERE ticket_id IN (SELECT ticket_id FROM ticket_claim"
        " WHERE until < clock_timestamp() - interval '1 hour' FOR UPDATE SKIP LOCKED)"
    )
    conn.execute(
        "DELETE FROM claim_word WHERE at < clock_timestamp() - make_interval(hours => %s)", (KEPT_H,)
    )


def say(conn: Db, lost: Claim, by: tuple[str, str, str], word: str) -> None:
    """Leave a word to whom a lease was taken from; `by` as in `take`."""
    conn.execute(
        "INSERT INTO claim_word (ticket_id, area_no, to_kind, told, by_kind, said_by, by_name, word, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp())",
        (lost.ticket_id, lost.area_no, lost.holder_kind, lost.holder, *by, word),
    )


def words_to(conn: Db, kind: str, name: str) -> list[Word]:
    """The words of the last day to one holder, newest first."""
    return (
        conn.cursor(row_factory=class_row(Word))
        .execute(
            "SELECT id, ticket_id, by_kind, said_by, by_name, word, at FROM claim_word"
            " WHERE to_kind = %s AND told = %s AND at > clock_timestamp() - make_interval(hours => %s)"
            " ORDER BY at DESC, id DESC",
            (kind, name, KEPT_H),
        )
        .fetchall()
    )


def account_name(conn: Db, login: str) -> str | None:
    """What colleagues call an account; None when there is none of that login."""
    row = conn.execute("SELECT account_name(%s)", (login,)).fetchone()
    return None if row is None or row[0] is None else str(row[0])
