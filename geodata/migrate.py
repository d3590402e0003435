"""Bring a database to the newest schema with the numbered SQL files of geodata/migrations, through yoyo."""

from pathlib import Path

from yoyo import get_backend, read_migrations

FOLDER = Path(__file__).resolve().parent / "migrations"


def migrate(database_url: str) -> list[str]:
    """Apply what is missing, one transaction a file, and return the names applied. Two at once wait for each other."""
    backend = get_backend(f"postgresql+psycopg://{database_url.partition('://')[2]}")
    migrations = read_migrations(str(FOLDER))
    try:
        with backend.lock():
            waiting = backend.to_apply(migrations)
            backend.apply_migrations(waiting)
    finally:
        backend.connection.close()
    return [migration.id for migration in waiting]
