"""Tables that are filled before they get their indexes: several times faster than row by row."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    conn.execute("SET LOCAL default_statistics_target = 25")  # enough to plan by, until autovacuum comes
    conn.execute(sql.SQL(_STATISTICS).format(name))
    conn.execute(
        sql.SQL("ALTER TABLE ticket ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            name, sql.Literal(first), sql.Literal(following)
        )
    )
    for take in ("take_hands", "take_open", "touch_days"):  # no trigger has seen the rows
        conn.execute(sql.SQL("SELECT {}(%s::regclass)").format(sql.Identifier(take)), (partition,))


@contextmanager
def without_indexes_while_empty(conn: Db, table: str) -> Iterator[None]:
    """Take a table's plain indexes away for a while, if it holds no rows; one that holds rows stays as it is."""
    row = conn.execute(sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(sql.Identifier(table))).fetchone()
    found = []
    if row and row[0]:
        found = conn.execute(
            """
            SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = %s::regclass AND NOT i.indisunique
            """,
            (table,),
        ).fetchall()
    for name, _ in found:
        conn.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    for _, definition in found:
        conn.execute(definition)
