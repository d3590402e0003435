"""Real stores for all tests: a template database that each test clones or rolls back, and a Redis prefix of its own."""

import functools
import gc
import os
import ssl
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from argon2 import PasswordHasher

import profiles
from geodata.migrate import migrate
from geodata.pool import make_pool
from geodata.scope import Db, Pool
from geodata.servers import Stores, ensure
from geodata.vocabulary import sync_place, sync_vocabulary
from services.access import passwords
from services.logs import configure_logs
from services.positions import history
from settings import Settings
from tests.clones import ADMIN, Template, cloned, drop_spare, named, template_of
from tests.small_place import MONTHS_AHEAD, MONTHS_BACK, load_small_place

TEMPLATE = f"wangge_test_{os.getpid()}"  # two runs at once do not meet
EMPTY = f"{TEMPLATE}_empty"  # as the migrations leave it
# What xdist's workers, who share the name of their run, copy both from.
MADE = f"wangge_made_{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
configure_logs(Settings(log_level="warning", log_format="json"))
# httpx reads all certificates, 30 ms of a core, whenever a client is made; those of tests share what was read.
ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]

PRODUCT_HASHES = passwords.HASHER, passwords.NOBODYS
QUICK_HASHES = (quick := PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)), quick.hash("of nobody")
passwords.HASHER, passwords.NOBODYS = QUICK_HASHES

# An app that starts finds the months that it keeps: two more are a second of a core to make, and the database, altered,
# would not be put back for a next test.
PRODUCT_MONTHS = history.MONTHS_BACK, history.MONTHS_AHEAD
history.MONTHS_BACK, history.MONTHS_AHEAD = MONTHS_BACK, MONTHS_AHEAD

# What takes long comes first, and the files that share a Chromium one after the other: no worker is left with them.
LONG = (
    "tests/browser/",
    "tests/faults/",
    "tests/test_setup_demo.py",
    "tests/api/test_fuzz.py",
    "tests/geodata/test_gen",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files by `LONG`, and leave the order within a file."""
    items.sort(
        key=lambda item: next((at for at, part in enumerate(LONG) if item.nodeid.startswith(part)), len(LONG))
    )


def pytest_collection_finish() -> None:
    """What was imported and collected stays: no later collection of garbage walks over it again."""
    if (
        "dash" in sys.modules
    ):  # each of its apps looks through all installed packages for plugins; there are none
        from dash._hooks import HooksManager

        HooksManager._registered = True
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """pytest looks for garbage five times here, for warnings that nobody would see."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Close the Chromium of browser tests behind the last of them."""
    try:
        yield
    finally:
        if item.get_closest_marker("browser") and not (nextitem and nextitem.get_closest_marker("browser")):
            from tests.browser.chromium import close_chromium

            close_chromium()


@pytest.fixture(scope="session")
def template() -> Iterator[Stores]:
    """A freshly migrated database that holds the small place; nobody connects to it, so it can be copied.

    All processes of a run copy theirs from the one that the first of them makes; the last takes that away.
    """
    running = ensure(Settings(), ADMIN)
    own = {MADE: TEMPLATE, f"{MADE}_empty": EMPTY}
    with psycopg.connect(running.database_url, autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(hashtext(%s))", (MADE,))  # ends with a killed process too
        admin.execute("SELECT pg_advisory_lock_shared(hashtext(%s))", (f"{MADE} in use",))
        if admin.execute("SELECT FROM pg_database WHERE datname = %s", (MADE,)).fetchone() is None:
            _make_template(admin, running.with_database(f"{MADE}_new"))
        for made, mine in own.items():
            admin.execute(named("DROP DATABASE IF EXISTS {} WITH (FORCE)", mine))
            admin.execute(named("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", mine, made))
        admin.execute("SELECT pg_advisory_unlock(hashtext(%s))", (MADE,))
        yield running.with_database(TEMPLATE)
        admin.execute("SELECT pg_advisory_lock(hashtext(%s))", (MADE,))
        admin.execute("SELECT pg_advisory_unlock_shared(hashtext(%s))", (f"{MADE} in use",))
        (last,) = admin.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (f"{MADE} in use",)).fetchone()
        for name in (*own.values(), *((*own, f"{MADE}_new") if last else ())):
            admin.execute(named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))


def _make_template(admin: Db, stores: Stores) -> None:
    """Make the databases to copy; the full one gets its name when it is whole."""
    new, empty = f"{MADE}_new", f"{MADE}_empty"
    for old in (new, empty):
        admin.execute(named("DROP DATABASE IF EXISTS {} WITH (FORCE)", old))
    admin.execute(named("CREATE DATABASE {}", new))
    migrate(stores.database_url)
    admin.execute(named("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", empty, new))
    with psycopg.connect(stores.database_url) as conn:
        profile = profiles.load("zoucheng")
        sync_place(conn, profile, generated=True, seed=1)
        sync_vocabulary(conn, profile)
        load_small_place(conn)
    admin.execute(named("ALTER DATABASE {} RENAME TO {}", new, MADE))


@pytest.fixture(scope="session")
def original(template: Stores) -> Iterator[Template]:
    """What copies of the template are put back to after a test."""
    with psycopg.connect(template.database_url) as conn:
        found = template_of(conn, TEMPLATE)
    yield found
    drop_spare(template, found)


@contextmanager
def migrated(template: Stores) -> Iterator[Stores]:
    """A database of one's own without any place in it; `template` as the fixture has it."""
    name = f"wangge_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(template.with_database(ADMIN).database_url, autocommit=True) as admin:
        admin.execute(named("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, EMPTY))
        try:
            yield template.with_database(name)
        finally:
            admin.execute(named("DROP DATABASE {} WITH (FORCE)", name))


@pytest.fixture(scope="session")
def stores(template: Stores, original: Template) -> Iterator[Stores]:
    """The copy that tests with a rolled-back transaction share."""
    with cloned(template, original) as shared:
        yield shared


@pytest.fixture
def conn(stores: Stores) -> Iterator[Db]:
    """A connection to the shared copy, in a transaction that is rolled back."""
    with psycopg.connect(stores.database_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def clone(template: Stores, original: Template) -> Iterator[Stores]:
    """A database and Redis prefix of this test's own."""
    with cloned(template, original) as own:
        yield own


@pytest.fixture(scope="module")
def module_clone(template: Stores, original: Template) -> Iterator[Stores]:
    """A database and Redis prefix of this module's own."""
    with cloned(template, original) as own:
        yield own


@pytest.fixture(scope="module")
def routed(module_clone: Stores) -> Stores:
    """The module's own database, with pgRouting."""
    with psycopg.connect(module_clone.database_url) as conn:
        if conn.execute("SELECT FROM pg_available_extensions WHERE name = 'pgrouting'").fetchone() is None:
            pytest.skip("the database server has no pgRouting (Debian: postgresql-15-pgrouting)")
        conn.execute("CREATE EXTENSION IF NOT EXISTS pgrouting")
    return module_clone


@pytest.fixture
def pool(clone: Stores) -> Iterator[Pool]:
    """A pool on this test's own database."""
    with make_pool(clone.app_url, size=4) as open_pool:
        yield open_pool


@pytest.fixture
def product_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed at the product's own cost, 40 ms of a core each; elsewhere tests hash quickly."""
    monkeypatch.setattr(passwords, "HASHER", PRODUCT_HASHES[0])
    monkeypatch.setattr(passwords, "NOBODYS", PRODUCT_HASHES[1])
