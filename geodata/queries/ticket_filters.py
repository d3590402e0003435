"""Queries of the filters that accounts keep for the list of tickets; in the hat of accounts."""

from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db, Scope


class KeptFilter(NamedTuple):
    """A filter by its name; `area` is the code of the area that it is shared with, `own` whether it is the asker's."""

    id: int
    name: str
    query: dict[str, Any]
    area: str | None
    owner: str
    own: bool


def filters_of(conn: Db, account_id: int, scope: Scope) -> list[KeptFilter]:
    """An account's own, then those shared with an area that holds the whole of its scope; by name."""
    return (
        conn.cursor(row_factory=class_row(KeptFilter))
        .execute(
            """
            SELECT f.id, f.name, f.query, a.code AS area, o.name AS owner, f.account_id = %(account)s AS own
            FROM ticket_filter f JOIN account o ON o.id = f.account_id LEFT JOIN area a ON a.no = f.area_no
            WHERE f.account_id = %(account)s
               OR (o.disabled_at IS NULL AND (a.parent_no IS NULL AND a.no IS NOT NULL
                                              OR a.no <= %(lo)s AND a.hi >= %(hi)s))
            ORDER BY own DESC, f.name, f.id LIMIT 200
            """,
            {"account": account_id, "lo": scope.lo, "hi": scope.hi},
        )
        .fetchall()
    )


def keep(
    conn: Db, account_id: int, name: str, query: dict[str, Any], area: str | None, most: int
) -> int | None:
    """Keep a filter, in the place of one of that name; its id. None when the account has `most` others, or is gone."""
    row = conn.execute(
        """
        INSERT INTO ticket_filter (account_id, name, query, area_no)
        SELECT o.id, %(name)s, %(query)s, (SELECT no FROM area WHERE code = %(area)s AND valid_to IS NULL
                                           ORDER BY level LIMIT 1)
        FROM account o
        WHERE o.id = %(account)s AND (SELECT count(*) FROM ticket_filter f
                                      WHERE f.account_id = o.id AND f.name <> %(name)s) < %(most)s
        ON CONFLICT (account_id, name)
        DO UPDATE SET query = EXCLUDED.query, area_no = EXCLUDED.area_no, changed_at = now()
        RETURNING id
        """,
        {"account": account_id, "name": name, "query": Jsonb(query), "area": area, "most": most},
    ).fetchone()
    return None if row is None else int(row[0])


def forget(conn: Db, account_id: int, filter_id: int) -> bool:
    """Delete an account's own filter; False when it has none of that id."""
    return (
        conn.execute(
            "DELETE FROM ticket_filter WHERE id = %s AND account_id = %s", (filter_id, account_id)
        ).rowcount
        == 1
    )
