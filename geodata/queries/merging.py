"""Which tickets were merged into which: the tree below a ticket, and the lock under which it grows."""

from geodata.scope import Db

_LOCK = 0x6D65726765  # "merge"


def hold(conn: Db) -> None:
    """Wait until nobody else merges; until the end of the transaction."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def below(conn: Db, ticket_id: int) -> list[int]:
    """Ids of all tickets in scope that were merged into this one, directly or through others; smallest first."""
    rows = conn.execute(
        """
        WITH RECURSIVE below AS (
            SELECT id FROM ticket WHERE merged_into = %s
            UNION
            SELECT t.id FROM ticket t JOIN below b ON t.merged_into = b.id
        )
        SELECT id FROM below ORDER BY id
        """,
        (ticket_id,),
    ).fetchall()
    return [int(row[0]) for row in rows]
