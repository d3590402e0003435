"""Databases of tests: the next one is as new, and not disturbed by what a test left open."""

import psycopg
import pytest

from geodata.pool import make_pool
from geodata.servers import Stores
from tests.clones import Template, cloned, state_of


def test_a_pool_that_was_left_open_finds_its_database_no_more(template: Stores, original: Template) -> None:
    with cloned(template, original) as first:
        left = make_pool(first.app_url, size=2)
        left.open(wait=True)
        with psycopg.connect(first.database_url) as conn:
            conn.execute("DELETE FROM worker")
    try:
        with cloned(template, original) as second, psycopg.connect(second.database_url) as conn:
            assert conn.execute("SELECT count(*) > 0 FROM worker").fetchone() == (True,)
            others = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = %s"
            )
            assert conn.execute(others, ("wangge_app",)).fetchone() == (0,)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(first.database_url)
    finally:
        left.close(timeout=2)


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO account (login, name, role, created_by) VALUES ('somebody', 'x', 'administrator', 'tests');"
        "UPDATE worker SET name = 'x' WHERE code = (SELECT min(code) FROM worker); SELECT nextval('area_revision')",
        "CREATE TEMPORARY TABLE passing AS SELECT 1 AS n; DELETE FROM worker",
        "TRUNCATE worker CASCADE",
        "ALTER TABLE worker DISABLE ROW LEVEL SECURITY",
    ],
)
def test_whatever_was_committed_the_next_is_as_the_template(
    change: str, template: Stores, original: Template
) -> None:
    with cloned(template, original) as first, psycopg.connect(first.database_url) as conn:
        conn.execute(change)
    with cloned(template, original) as second, psycopg.connect(second.database_url) as conn:
        assert state_of(conn) == original.state
