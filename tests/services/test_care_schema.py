"""What the schema has no place for: tracks of residents, links from care to positions, records that nobody chose."""

import re
import uuid

import psycopg
import pytest
from psycopg import sql
from yoyo import get_backend, read_migrations

from geodata.importing.words import refused_heading
from geodata.migrate import FOLDER, migrate
from geodata.scope import Db
from geodata.servers import Stores
from tests.small_place import grid_no, load_small_place


def test_no_table_offers_to_track_a_resident(conn: Db) -> None:
    columns = conn.execute(
        """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT IN ('geography_columns', 'geometry_columns', 'spatial_ref_sys')
        """
    ).fetchall()
    assert len(columns) > 100
    found = [
        f"{table}.{column}" for table, column in columns if refused_heading(column) or refused_heading(table)
    ]
    # The grade of a matter in a ledger (services/loop/lists.py), never of a person.
    assert [name for name in found if not re.fullmatch(r"ticket(_\d{6})?\.risk", name)] == []


def test_no_table_links_a_care_record_to_positions(conn: Db) -> None:
    links = conn.execute(
        """
        SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
        """
    ).fetchall()
    near = {table for pair in links for table in pair if any(name.startswith("care_") for name in pair)}
    assert near == {"care_record", "care_visit", "care_grant", "account", "area"}
    holding = conn.execute(
        """
        SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND (column_name LIKE '%%care%%' OR column_name IN ('resident_id', 'person_id'))
        """
    ).fetchall()
    assert {row[0] for row in holding} == {"care_visit", "care_grant"}
    times = conn.execute(
        """
        SELECT column_name FROM information_schema.columns
        WHERE table_name = 'care_record' AND udt_name IN ('timestamptz', 'tstzrange') ORDER BY 1
        """
    ).fetchall()
    assert times == [("created_at",), ("updated_at",)], "one registered building, no place at a time"


def test_key_person_holds_posts_only(conn: Db) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(
            "INSERT INTO key_person (kind, code, name, role, area_no, generated)"
            " VALUES ('care', 'x', 'x', 'x', %s, true)",
            (grid_no(1, 1, 1),),
        )


def test_the_migration_stops_before_records_that_were_not_generated(template: Stores) -> None:
    name = f"wangge_test_{uuid.uuid4().hex[:12]}"
    admin = template.with_database("wangge_test_admin").database_url
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    made = template.with_database(name).database_url
    try:
        backend = get_backend(f"postgresql+psycopg://{made.partition('://')[2]}")
        before = read_migrations(str(FOLDER)).filter(lambda one: one.id < "0008")
        backend.apply_migrations(before)
        backend.connection.close()
        with psycopg.connect(made) as conn:
            load_small_place(conn)
            for code, generated in (("C1", True), ("C2", False)):
                conn.execute(
                    "INSERT INTO key_person (kind, code, name, role, area_no, generated)"
                    " VALUES ('care', %s, 'x', 'x', %s, %s)",
                    (code, grid_no(1, 1, 1), generated),
                )
        with pytest.raises(
            psycopg.errors.RaiseException, match=r"1 care records .* \./wangge import care FILE"
        ):
            migrate(made)
        with psycopg.connect(made) as conn:
            assert conn.execute("SELECT count(*) FROM key_person WHERE kind = 'care'").fetchone() == (2,)
            conn.execute("DELETE FROM key_person WHERE NOT generated")
        migrate(made)
        with psycopg.connect(made) as conn:
            assert conn.execute("SELECT count(*) FROM key_person").fetchone() == (0,)
    finally:
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
