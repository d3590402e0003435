"""Bring a database to the newest schema with the numbered SQL files of geodata/migrations, through yoyo."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo
from yoyo import get_backend, read_migrations

from geodata.scope import Db

FOLDER = Path(__file__).resolve().parent / "migrations"
LOCK = 0x77616E676765  # "wangge"


def migrate(database_url: str) -> list[str]:
    """Apply what is missing, one transaction a file, and return the names applied. Two at once wait for each other.

    The locks are their session's, so they end with a killed process; yoyo's own is a row that would stay for ever, and
    whoever holds ours may clear it.
    """
    with psycopg.connect(database_url, autocommit=True) as keeper:
        if not waiting(keeper):
            return []
        keeper.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        missing = waiting(keeper)
        if not missing:
            return []
        with _alone_on_server(database_url):
            return _apply(database_url, missing)


def _apply(database_url: str, missing: list[str]) -> list[str]:
    backend = get_backend(f"postgresql+psycopg://{database_url.partition('://')[2]}")
    try:
        backend.break_lock()
        backend.apply_migrations(backend.to_apply(read_migrations(str(FOLDER))))
    finally:
        backend.connection.close()
    return missing


@contextmanager
def _alone_on_server(database_url: str) -> Iterator[None]:
    """Roles belong to the whole server, and advisory locks to one database: so the lock is taken in `postgres`.

    A server that has no such database, or does not let us into it, is migrated by one process at a time or not at all.
    """
    try:
        guard = psycopg.connect(make_conninfo(database_url, dbname="postgres"), autocommit=True)
    except psycopg.OperationalError:
        yield
        return
    with guard:
        guard.execute("SELECT pg_advisory_lock(%s)", (LOCK + 1,))
        yield


def waiting(conn: Db) -> list[str]:
    """Names of the migrations that this database still lacks, oldest first; asks as the pool's own role."""
    try:
        with conn.transaction():
            applied = {row[0] for row in conn.execute("SELECT migration_id FROM _yoyo_migration")}
    except errors.UndefinedTable:
        applied = set()
    return [name for name in sorted(path.stem for path in FOLDER.glob("*.sql")) if name not in applied]
