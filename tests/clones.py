"""Databases of tests: copies of a template, put back as they were after a test rather than made anew for the next."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
import redis
from psycopg import sql

from geodata.scope import Db
from geodata.servers import Stores

ADMIN = "wangge_test_admin"
# What DDL leaves its mark on: a database in which a test changed one of these is dropped.
CATALOGUES = (
    "pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_default_acl", "pg_extension", "pg_namespace",
    "pg_policy", "pg_proc", "pg_rewrite", "pg_trigger", "pg_type",
)  # fmt: skip
TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
      AND pg_relation_size(c.oid) > 0 ORDER BY 1"""
# What has been written since the database was made or put back, also by who has gone or took it back.
WRITTEN = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid)
        + pg_stat_get_tuples_deleted(c.oid) > 0"""
SEQUENCES = """
    SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value), last_value IS NOT NULL
    FROM pg_sequences"""
SPARE = 2  # databases that wait for a next test
QUICK = "-c synchronous_commit=off"  # what a crash takes is made anew by the next run


@dataclass(frozen=True)
class State:
    """Everything a database holds: marks of its catalogues, of its tables that have rows, and its sequences."""

    catalogues: frozenset[tuple[str, int, int]]
    tables: dict[str, tuple[int, int]]
    sequences: dict[str, tuple[int, bool]]


@dataclass
class Template:
    """A database to copy; nobody connects to it any more."""

    name: str
    state: State
    rows: dict[str, bytes]  # table → its rows as COPY writes them
    spare: list[str] = field(default_factory=list)  # names of copies that are as new
    admin: Db | None = None


def template_of(conn: Db, name: str) -> Template:
    """What this database is, for copies of it to be put back to."""
    state = state_of(conn)
    rows = {}
    for table in state.tables:
        with conn.cursor().copy(_sql(f"COPY {table} TO STDOUT (FORMAT binary)")) as copy:
            rows[table] = b"".join(copy)
    return Template(name, state, rows)


def state_of(conn: Db) -> State:
    """Look at all of it; a sum of hashes stands for the rows of a table."""
    names = [row[0] for row in conn.execute(TABLES).fetchall()]
    return State(_catalogues(conn), _contents(conn, names), _sequences(conn))


def _catalogues(conn: Db) -> frozenset[tuple[str, int, int]]:
    marks = _union(
        f"SELECT '{name}', count(*), sum(hashtextextended(tableoid || ':' || ctid::text || xmin::text, 0)::numeric)"
        f" FROM {name}"
        for name in CATALOGUES
    )
    return frozenset(conn.execute(marks).fetchall())


def _contents(conn: Db, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    sums = _union(
        f"SELECT '{name}', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {name} t"
        for name in names
    )
    return {row[0]: (row[1], int(row[2])) for row in conn.execute(sums).fetchall() if row[1]}


def _sequences(conn: Db) -> dict[str, tuple[int, bool]]:
    return {row[0]: (row[1], row[2]) for row in conn.execute(SEQUENCES).fetchall()}


@contextmanager
def cloned(stores: Stores, template: Template) -> Iterator[Stores]:
    """A copy of the template to commit to, under a name of its own; `stores` are those of the template."""
    name = _fresh()
    admin = _admin(stores, template)
    if template.spare:
        admin.execute(named("ALTER DATABASE {} RENAME TO {}", template.spare.pop(), name))
    else:
        admin.execute(named("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template.name))
    clone = stores.with_database(name)
    try:
        yield clone
    finally:
        with redis.Redis.from_url(clone.redis_url) as client:
            for key in client.scan_iter(f"{clone.key_prefix}*"):
                client.delete(key)
        admin = _admin(stores, template)
        left = _taken_away(admin, name)
        if len(template.spare) < SPARE and _put_back(stores.with_database(left).database_url, template):
            template.spare.append(left)
        else:
            admin.execute(named("DROP DATABASE {} WITH (FORCE)", left))


def drop_spare(stores: Stores, template: Template) -> None:
    """At the end of all tests."""
    with _admin(stores, template) as admin:
        while template.spare:
            admin.execute(named("DROP DATABASE {} WITH (FORCE)", template.spare.pop()))


def _taken_away(admin: Db, name: str) -> str:
    """Give the database another name, so that a pool which a test left behind finds it no more."""
    left = _fresh()
    admin.execute(named("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", name))
    admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))
    admin.execute(named("ALTER DATABASE {} RENAME TO {}", name, left))
    admin.execute(named("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", left))
    return left


def _put_back(url: str, template: Template) -> bool:
    """Undo what a test committed; False when it is not as the template, such as after DDL."""
    with psycopg.connect(url, options=QUICK) as conn:
        conn.execute("SET session_replication_role = replica")  # neither triggers nor foreign keys
        conn.execute("SET track_counts = off")  # what is written here is not a test's
        wanted = template.state
        written = _written(conn)
        if written & {f"pg_catalog.{name}" for name in CATALOGUES} and _catalogues(conn) != wanted.catalogues:
            return False
        other = _others(conn, template, {name for name in written if not name.startswith("pg_")})
        for table in other:
            conn.execute(_sql(f"DELETE FROM {table}"))
            if table in template.rows:
                with conn.cursor().copy(_sql(f"COPY {table} FROM STDIN (FORMAT binary)")) as copy:
                    copy.write(template.rows[table])
        found = _sequences(conn)
        for sequence, (value, called) in wanted.sequences.items():
            if found[sequence] != (value, called):
                conn.execute("SELECT setval(%s, %s, %s)", (sequence, value, called))
        if _others(conn, template, other):
            return False
        conn.execute("SELECT pg_stat_reset()")
    return True


def _written(conn: Db) -> set[str]:
    """Tables, also of the catalogues, that may be other than the template's.

    PostgreSQL counts what is written, and a connection that ends hands over its counts before it is gone; before
    version 15 they came by a datagram that could be lost.
    """
    if conn.info.server_version < 150000:
        return {*(row[0] for row in conn.execute(TABLES)), *(f"pg_catalog.{name}" for name in CATALOGUES)}
    return {row[0] for row in conn.execute(WRITTEN)}


def _others(conn: Db, template: Template, tables: set[str]) -> set[str]:
    """Those of the tables that hold other rows than the template's."""
    found, wanted = _contents(conn, tables), template.state.tables
    return {table for table in tables if found.get(table) != wanted.get(table)}


def _fresh() -> str:
    return f"wangge_test_{uuid.uuid4().hex[:12]}"


def _admin(stores: Stores, template: Template) -> Db:
    """The one connection of this process from which databases are made, renamed and dropped."""
    if template.admin is None or template.admin.closed or template.admin.broken:
        template.admin = psycopg.connect(
            stores.with_database(ADMIN).database_url, autocommit=True, options=QUICK
        )
    return template.admin


def named(query: LiteralString, *names: str) -> sql.Composed:
    """The statement about databases of these names."""
    return sql.SQL(query).format(*map(sql.Identifier, names))


def _sql(query: str) -> LiteralString:
    return query  # made of names that the database itself has quoted


def _union(queries: Iterator[str]) -> LiteralString:
    return _sql(" UNION ALL ".join(queries) or "SELECT NULL, 0, 0")
