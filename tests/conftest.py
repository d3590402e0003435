"""Real stores for all tests: a template database that each test clones or rolls back, and a Redis prefix of its own."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis
from psycopg import sql

import profiles
from geodata.migrate import migrate
from geodata.pool import make_pool
from geodata.scope import Db, Pool
from geodata.servers import Stores, ensure
from geodata.vocabulary import sync_place, sync_vocabulary
from services.logs import configure_logs
from settings import Settings
from tests.small_place import load_small_place

TEMPLATE = f"wangge_test_{os.getpid()}"  # two runs at once do not meet
configure_logs(Settings(log_level="warning", log_format="json"))


@pytest.fixture(scope="session")
def template() -> Iterator[Stores]:
    """A freshly migrated database that holds the small place; nobody connects to it, so it can be copied."""
    name = TEMPLATE
    running = ensure(Settings(), "wangge_test_admin")
    with psycopg.connect(running.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    template = running.with_database(name)
    migrate(template.database_url)
    with psycopg.connect(template.database_url) as conn:
        profile = profiles.load("zoucheng")
        sync_place(conn, profile, generated=True, seed=1)
        sync_vocabulary(conn, profile)
        load_small_place(conn)
    yield template
    with psycopg.connect(running.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def stores(template: Stores) -> Iterator[Stores]:
    """The copy that tests with a rolled-back transaction share."""
    with cloned(template) as shared:
        yield shared


@pytest.fixture
def conn(stores: Stores) -> Iterator[Db]:
    """A connection to the shared copy, in a transaction that is rolled back."""
    with psycopg.connect(stores.database_url) as connection:
        yield connection
        connection.rollback()


@contextmanager
def cloned(template: Stores) -> Iterator[Stores]:
    """A copy of the template to commit to, dropped afterwards."""
    name = f"wangge_test_{uuid.uuid4().hex[:12]}"
    admin_url = template.with_database("wangge_test_admin").database_url
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    clone = template.with_database(name)
    try:
        yield clone
    finally:
        with redis.Redis.from_url(clone.redis_url) as client:
            for key in client.scan_iter(f"{clone.key_prefix}*"):
                client.delete(key)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def clone(template: Stores) -> Iterator[Stores]:
    """A database and Redis prefix of this test's own."""
    with cloned(template) as own:
        yield own


@pytest.fixture(scope="module")
def module_clone(template: Stores) -> Iterator[Stores]:
    """A database and Redis prefix of this module's own."""
    with cloned(template) as own:
        yield own


@pytest.fixture
def pool(clone: Stores) -> Iterator[Pool]:
    """A pool on this test's own database."""
    with make_pool(clone.app_url, size=4) as open_pool:
        yield open_pool
