"""Bring a profile's channels, categories and departments into the database, keeping the ids already given."""

from typing import Any

from geodata.scope import Db
from profiles import Profile


def sync_vocabulary(conn: Db, profile: Profile) -> None:
    """Insert or rename by code; nothing is removed, as tickets may point at it. Runs as the database's owner."""
    _upsert(conn, "channel", [(c.code, c.name, c.name_en) for c in profile.channels])
    _upsert(conn, "department", [(d.code, d.name, d.name_en) for d in profile.departments])
    _upsert(conn, "category", [(c.code, c.name, c.name_en) for c in profile.categories])
    kinds = [(k.code, k.name, k.name_en) for c in profile.categories for k in c.kinds]
    _upsert(conn, "category", kinds)
    parents = [(c.code, k.code) for c in profile.categories for k in c.kinds]
    with conn.cursor() as cursor:
        cursor.executemany(
            "UPDATE category SET parent_id = (SELECT id FROM category WHERE code = %s) WHERE code = %s",
            parents,
        )


def sync_place(conn: Db, profile: Profile, *, generated: bool, seed: int | None = None) -> None:
    """Say which place this database holds; a second call renames it but leaves `generated` as it was."""
    conn.execute(
        """
        INSERT INTO place (profile, name, name_en, time_zone, generated, seed) VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (singleton) DO UPDATE SET name = excluded.name, name_en = excluded.name_en
        """,
        (profile.key, profile.name, profile.name_en, profile.time_zone, generated, seed),
    )


_UPSERT = {
    table: f"""
        INSERT INTO {table} (id, code, name, name_en)
        VALUES ((SELECT coalesce(max(id), 0) + 1 FROM {table}), %s, %s, %s)
        ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_en = excluded.name_en
    """  # nosec B608 # the names of three tables
    for table in ("channel", "category", "department")
}


def _upsert(conn: Db, table: str, rows: list[tuple[Any, ...]]) -> None:
    with conn.cursor() as cursor:
        cursor.executemany(_UPSERT[table], rows)
