"""The private servers and every fault that they must survive."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from geodata import servers
from geodata.servers import ServersRefused, Stores, ensure, home, postgres, processes, redis_server, release
from geodata.servers.home import Home, home_of
from settings import ROOT, Settings

ENSURE = """
import sys, time
from geodata.servers import ensure, release
from settings import Settings
settings = Settings(data=sys.argv[1])
ensure(settings, "probe")
print("up", flush=True)
if sys.argv[2] == "stay":
    time.sleep(60)
release(settings)
"""


def folder() -> Path:
    """A folder that the servers' user reaches: pytest's own lie below a private one."""
    path = Path(tempfile.mkdtemp(prefix="wangge-test-"))
    path.chmod(0o755)
    return path


def here(data: Path) -> Settings:
    """Settings with private servers in that folder, whatever the environment says."""
    return Settings(data=data, database_url=None, redis_url=None)


def ask(stores: Stores, query: str) -> object:
    """One value from the database."""
    with psycopg.connect(stores.database_url) as conn:
        row = conn.execute(query).fetchone()
        return row[0] if row else None


def another(data: Path, stay: bool = False) -> subprocess.Popen[str]:
    """Another process that ensures the same servers."""
    return subprocess.Popen(
        [sys.executable, "-c", ENSURE, str(data), "stay" if stay else "end"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(autouse=True)
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """Private servers are meant here, also where the tests run on given ones."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture(scope="module")
def kept() -> Iterator[Path]:
    """A data folder whose cluster is built once for this module; tests stop and start it."""
    path = folder()
    ensure(here(path), "probe")
    yield path
    servers.stop(here(path))
    shutil.rmtree(path)


@pytest.fixture
def data(kept: Path) -> Iterator[Path]:
    """That folder, its servers running."""
    ensure(here(kept), "probe")
    yield kept


def at(data: Path) -> Home:
    """The home of that folder."""
    return home_of(data)


def test_they_answer_on_unix_sockets_only_and_not_as_root(data: Path) -> None:
    stores = ensure(here(data), "probe")
    assert ask(stores, "SHOW listen_addresses") == ""
    with redis.Redis.from_url(stores.redis_url) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    for server in servers.servers(here(data)):
        assert server.pid
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert server.folder.stat().st_mode & 0o777 == 0o700


def test_postgis_is_loaded_before_anybody_connects(data: Path) -> None:
    stores = ensure(here(data), "probe")
    libraries = Path(str(ask(stores, "SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'")))
    there = (libraries / f"{postgres.POSTGIS}.so").exists()
    assert ask(stores, "SHOW shared_preload_libraries") == (postgres.POSTGIS if there else "")


def test_a_second_command_adopts_them_at_once(data: Path) -> None:
    before = [server.pid for server in servers.servers(here(data))]
    ensure(here(data), "probe")
    started = time.perf_counter()
    ensure(here(data), "probe")
    assert time.perf_counter() - started < 0.5
    assert [server.pid for server in servers.servers(here(data))] == before


def test_after_kill_9_of_the_postmaster_data_is_there_again(data: Path) -> None:
    stores = ensure(here(data), "probe")
    with psycopg.connect(stores.database_url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS n")
    number = postgres.pid(at(data))
    assert number
    os.kill(number, signal.SIGKILL)
    assert ask(ensure(here(data), "probe"), "SELECT n FROM kept") == 7
    assert postgres.pid(at(data)) != number


def test_after_kill_9_of_redis_what_it_had_written_is_there_again(data: Path) -> None:
    stores = ensure(here(data), "probe")
    with redis.Redis.from_url(stores.redis_url) as client:
        client.set("kept", "7")
        client.execute_command("WAITAOF", 1, 0, 2000) if _has_waitaof(client) else time.sleep(1.2)
    number = redis_server.pid(at(data))
    assert number
    os.kill(number, signal.SIGKILL)
    with redis.Redis.from_url(ensure(here(data), "probe").redis_url) as client:
        assert client.get("kept") == b"7"


def _has_waitaof(client: "redis.Redis") -> bool:
    return int(str(client.info("server")["redis_version"]).split(".")[0] + "00") >= 702


def test_a_pid_file_whose_number_another_program_has_now(data: Path) -> None:
    owner = at(data).owner
    servers.stop(here(data))
    other = subprocess.Popen(["sleep", "60"], cwd="/", **owner.switch())
    try:
        for name, text in (
            (
                at(data).postgres / "postmaster.pid",
                f"{other.pid}\n{at(data).postgres}\n1\n5432\n{at(data).run}\n\n  1 1\n",
            ),
            (at(data).run / "redis.pid", f"{other.pid}\n"),
        ):
            name.write_text(text)
            os.chown(name, owner.uid, owner.gid)
        assert ask(ensure(here(data), "probe"), "SELECT 1") == 1
        assert other.poll() is None  # and nobody harmed it
    finally:
        other.kill()
        other.wait()


def test_an_empty_pid_file(data: Path) -> None:
    servers.stop(here(data))
    path = at(data).postgres / "postmaster.pid"
    path.touch()
    os.chown(path, at(data).owner.uid, at(data).owner.gid)
    assert ask(ensure(here(data), "probe"), "SELECT 1") == 1


def test_two_starters_at_once_and_one_server(data: Path) -> None:
    servers.stop(here(data))
    starters = [another(data, stay=True) for _ in range(2)]
    try:
        assert [starter.stdout.readline() for starter in starters if starter.stdout] == ["up\n", "up\n"]
        assert len([p for p in processes.in_folder("redis-", at(data).redis)]) == 1
        assert postgres.pid(at(data))
    finally:
        for starter in starters:
            starter.kill()
            starter.communicate()


def test_the_last_command_that_uses_them_stops_them(data: Path) -> None:
    servers.stop(here(data))
    first = another(data, stay=True)
    assert first.stdout and first.stdout.readline() == "up\n"
    assert another(data).wait(20) == 0
    assert postgres.pid(at(data)), "a second command ended while the first was still there"
    first.kill()  # -9: it stops nothing
    first.communicate()
    assert postgres.pid(at(data))
    ensure(here(data), "probe")
    release(here(data))
    assert [server.pid for server in servers.servers(here(data))] == [None, None]


def test_servers_that_no_command_started_stay(data: Path) -> None:
    ensure(here(data), "probe")
    (at(data).run / "started-by-command").unlink(missing_ok=True)
    release(here(data))
    assert postgres.pid(at(data))


def test_an_interrupted_build_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder()
    try:
        half = path / "postgres.new"
        half.mkdir()
        (half / "PG_VERSION").write_text("15\n")
        (path / "postgres").mkdir()  # made by nobody knows whom, but empty
        assert ask(ensure(here(path), "probe"), "SELECT 1") == 1
        assert not half.exists()
    finally:
        servers.stop(here(path))
        shutil.rmtree(path)


def test_a_folder_of_another_postgresql_is_refused_in_words(data: Path) -> None:
    servers.stop(here(data))
    path = at(data).postgres / "PG_VERSION"
    true = path.read_text()
    path.write_text("11\n")
    try:
        with pytest.raises(ServersRefused, match=r"made by PostgreSQL 11.*wangge reset"):
            ensure(here(data), "probe")
    finally:
        path.write_text(true)


def test_a_foreign_folder_is_left_alone() -> None:
    path = folder()
    (path / "postgres").mkdir()
    (path / "postgres" / "thesis.odt").touch()
    try:
        with pytest.raises(ServersRefused, match="not empty and not a database"):
            ensure(here(path), "probe")
        assert (path / "postgres" / "thesis.odt").exists()
    finally:
        shutil.rmtree(path)


def test_a_full_disk_is_refused_in_words(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.stop(here(data))
    monkeypatch.setattr(home, "LEAST_FREE_BYTES", 10**18)
    with pytest.raises(ServersRefused, match=r"Only \d+ MB are free"):
        ensure(here(data), "probe")
    assert postgres.pid(at(data)) is None


def test_a_comma_moves_the_sockets_too() -> None:
    assert home_of(Path("/srv/a,b")).run.parent == Path("/tmp")
    assert home_of(Path("/srv/a;b")).run == Path("/srv/a;b/run")


def test_a_long_and_odd_path_moves_the_sockets(data: Path) -> None:
    """Moves the built cluster instead of building one more."""
    servers.stop(here(data))
    path = folder()
    deep = path / "a b%'网格" / ("x" * 100)
    deep.mkdir(parents=True)
    (data / "postgres").rename(deep / "postgres")
    try:
        assert ask(ensure(here(deep), "probe"), "SELECT 1") == 1
        where = at(deep).run
        assert not where.is_relative_to(deep)
        assert len(os.fsencode(where / ".s.PGSQL.5432")) <= 107
        assert where.stat().st_mode & 0o777 == 0o700
        servers.stop(here(deep))
        short = path / "a b%'网格"
        (deep / "postgres").rename(short / "postgres")
        stores = ensure(here(short), "probe")
        assert at(short).run.is_relative_to(short)
        assert ask(stores.with_database("postgres"), "SELECT 1") == 1
        servers.stop(here(short))
        (short / "postgres").rename(data / "postgres")
        shutil.rmtree(where)
    finally:
        shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
def test_below_a_private_home_they_live_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    path, elsewhere = folder(), folder()
    path.chmod(0o700)
    monkeypatch.setattr(home, "FALLBACK", elsewhere / "wangge")
    try:
        checkout = path / "checkout" / ".data"
        found = home_of(checkout)
        assert found.data.is_relative_to(elsewhere)
        assert home_of(checkout) == found  # the next command finds the same
        assert home_of(path / "other" / ".data") != found
        path.chmod(0o755)
        assert home_of(checkout).data == checkout
    finally:
        shutil.rmtree(path)
        shutil.rmtree(elsewhere)


def test_given_addresses_are_used_as_they_are(data: Path) -> None:
    there = ensure(here(data), "probe")
    given = Settings(data=Path("/nowhere"), database_url=there.database_url, redis_url=there.redis_url)
    stores = ensure(given)
    assert (stores.database_url, stores.redis_url) == (there.database_url, there.redis_url)
    assert stores.key_prefix == "wangge:probe:"
    other = ensure(given, "probe_two")
    assert ask(other, "SELECT current_database()") == "probe_two"
    assert servers.servers(given) == []
    release(given)
    assert not Path("/nowhere").exists()
