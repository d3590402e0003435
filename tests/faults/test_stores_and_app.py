"""Redis, PostgreSQL and the app are killed under load: screens come back, nothing acknowledged is lost."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

import profiles
from geodata import servers
from geodata.migrate import migrate
from geodata.servers import Stores
from geodata.vocabulary import sync_place, sync_vocabulary
from services.tickets.check import faults
from settings import ROOT, Settings
from tests.faults.screen import Caller, Dispatcher, Screen
from tests.small_place import load_small_place
from tests.waiting import until

OUTAGE_S = 1.5
BACK_S = 10.0


@dataclass
class Place:
    """Private servers of this module, and the app as a process of its own."""

    settings: Settings
    stores: Stores
    port: int
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_app(self) -> None:
        stores = self.stores
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.live_app", stores.database_url, stores.redis_url, stores.key_prefix,
             str(self.port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: answers(self.url), 100)  # most of it goes by importing

    def kill_app(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_store(self, name: str) -> None:
        store = next(server for server in servers.servers(self.settings) if server.name == name)
        assert store.pid is not None
        os.kill(store.pid, signal.SIGKILL)

    def start_stores(self) -> None:
        servers.ensure(self.settings, "faults")


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/live/snapshot", timeout=3, trust_env=False).json()["as_of"] is not None
    except (httpx.HTTPError, ValueError, KeyError):
        return False


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="wangge-faults-"))
    folder.chmod(0o755)
    settings = Settings(data=folder, database_url=None, redis_url=None)
    try:
        stores, other = servers.ensure(settings, "faults"), servers.ensure(settings, "faults_too")
        with ThreadPoolExecutor() as both:  # two places at once on a new server, which has no roles yet
            assert all(both.map(migrate, (stores.database_url, other.database_url)))
        with psycopg.connect(stores.database_url) as conn:
            profile = profiles.load("zoucheng")
            sync_place(conn, profile, generated=True)
            sync_vocabulary(conn, profile)
            load_small_place(conn)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        place = Place(settings, stores, port)
        place.start_app()
        try:
            yield place
        finally:
            place.kill_app()
    finally:
        servers.stop(settings)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("victim", ["Redis", "PostgreSQL", "app"])
def test_killed_and_back(place: Place, victim: str) -> None:
    screen, caller, dispatcher = Screen(place.url), Caller(place.url), Dispatcher(place.url)
    for thread in (screen, caller, dispatcher):
        thread.start()
    try:
        until(lambda: len(screen.seen) > 3 and screen.age_s < 4, 10)
        if victim == "app":
            place.kill_app()
        else:
            place.kill_store(victim)
        time.sleep(OUTAGE_S)
        assert screen.age_s > OUTAGE_S * 0.7  # it does not claim to be fresh
        before = len(caller.acknowledged)
        if victim == "app":
            place.start_app()
        else:
            place.start_stores()
        until(lambda: len(caller.acknowledged) > before + 3 and screen.age_s < 4, BACK_S)
    finally:
        for busy in (caller, dispatcher):
            busy.stopped.set()
            busy.join()
    assert not caller.refused and not dispatcher.refused
    with psycopg.connect(place.stores.database_url) as conn:
        kept = dict(
            conn.execute("SELECT source_id, id FROM ticket WHERE source_id LIKE %s", (f"{caller.name}-%",))
        )
    assert caller.acknowledged.items() <= kept.items()
    assert len(kept) <= len(caller.acknowledged) + 1  # at most the last one was written and not acknowledged
    with psycopg.connect(place.stores.database_url) as conn:
        events = conn.execute(
            "SELECT key, version FROM ticket_event WHERE key LIKE %s", (f"{dispatcher.name}-%",)
        ).fetchall()
        assert not list(faults(conn))
    assert len(dispatcher.acknowledged) > 3 and dispatcher.acknowledged.items() <= set(events)
    assert len(dict(events)) == len(events) <= len(dispatcher.acknowledged) + 1

    def is_complete() -> bool:
        fresh = Screen(place.url)
        fresh.fetch()
        return screen.grids == fresh.grids

    until(is_complete, 5)
    screen.stopped.set()
