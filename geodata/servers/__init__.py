"""The stores of the product: private PostgreSQL and Redis under the data folder, or those named by URL."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import errors, sql

from geodata.servers import postgres, redis_server
from geodata.servers.home import Home, ServersRefused, Use, home_of, prepare, starting
from settings import Settings

__all__ = [
    "Server",
    "ServersRefused",
    "Stores",
    "addresses",
    "ensure",
    "folders",
    "release",
    "servers",
    "stop",
]


@dataclass(frozen=True)
class Stores:
    """Where the data is: addresses that psycopg and redis-py understand."""

    database_url: str
    redis_url: str
    key_prefix: str

    @property
    def app_url(self) -> str:
        """The database as the web process enters it: on a private server as wangge_app, which owns nothing."""
        parts = urlsplit(self.database_url)
        if parts.netloc or "user=" not in parts.query:
            return self.database_url  # the operator names the user; the pool gives up its rights all the same
        query = "&".join(
            "user=wangge_app" if part.startswith("user=") else part for part in parts.query.split("&")
        )
        return f"{parts.scheme}:///{parts.path.lstrip('/')}?{query}"

    def with_database(self, name: str) -> "Stores":
        """The same servers, another database and the Redis keys that go with it."""
        parts = urlsplit(self.database_url)
        query = f"?{parts.query}" if parts.query else ""  # urlunsplit would drop the // of an empty host
        return Stores(f"{parts.scheme}://{parts.netloc}/{name}{query}", self.redis_url, f"wangge:{name}:")


@dataclass(frozen=True)
class Server:
    """One private server as it is now."""

    name: str
    pid: int | None
    folder: Path
    socket: Path


def ensure(settings: Settings, database: str | None = None) -> Stores:
    """Start or adopt what is needed and return its addresses; the database is made if it is missing (not migrated).

    A server named by URL is taken as it is. A private one outlives this process, so that a killed command harms
    nobody; the next adopts it, and `release` stops it when the last command that uses it ends well.
    Raises ServersRefused with a sentence that says what to do.
    """
    needed = [module for module, given in _given(settings) if not given]
    if needed:
        _run(home_of(settings.data), needed)
    stores = addresses(settings, database)
    if settings.database_url is None:
        _make_database(stores.with_database("postgres").database_url, _name(stores))
    elif database:
        _make_database(settings.database_url, database)
    return stores


def addresses(settings: Settings, database: str | None = None) -> Stores:
    """Where the stores are or would be; starts and asks nothing."""
    redis_url = settings.redis_url or redis_server.url(home_of(settings.data))
    if settings.database_url is None:
        name = database or f"wangge_{settings.place}"
        return Stores(postgres.url(home_of(settings.data), name), redis_url, f"wangge:{name}:")
    given = Stores(settings.database_url, redis_url, "")
    return given.with_database(database or _name(given))


def folders(settings: Settings) -> list[Path]:
    """All folders of the product's data: those of the private servers, and those that can be made again."""
    home = home_of(settings.data)
    made = [settings.data / name for name in ("generated", "logs", "cache")]
    return [home.postgres, home.redis, home.run, *made]


def release(settings: Settings) -> None:
    """This command ends: stop the private servers if a command started them and no other process uses them."""
    if all(given for _, given in _given(settings)):
        return
    home = home_of(settings.data)
    if not (home.data.exists() and _mark(home).exists()):
        return
    with starting(home):
        use = _use(home)
        use.begin()
        if use.nobody_else():
            _stop(home)
        use.end()


def stop(settings: Settings) -> None:
    """Stop the private servers, whoever uses them."""
    home = home_of(settings.data)
    if home.data.exists():
        with starting(home):
            _stop(home)
            _use(home).end()


def servers(settings: Settings) -> list[Server]:
    """The private servers that the settings ask for, running or not."""
    needed = [module for module, given in _given(settings) if not given]
    if not needed:
        return []
    home = home_of(settings.data)
    known = {
        postgres: Server("PostgreSQL", postgres.pid(home), home.postgres, home.run / ".s.PGSQL.5432"),
        redis_server: Server("Redis", redis_server.pid(home), home.redis, redis_server.socket(home)),
    }
    return [known[module] for module in needed]


def _given(settings: Settings) -> list[tuple[ModuleType, str | None]]:
    return [(postgres, settings.database_url), (redis_server, settings.redis_url)]


def _run(home: Home, wanted: list[ModuleType]) -> None:
    if _use(home).begin() and all(module.answers(home) for module in wanted):
        return
    prepare(home)
    with starting(home):
        _use(home).begin()
        for module in wanted:
            if not module.answers(home):
                module.start(home)
                _mark(home).touch()


def _stop(home: Home) -> None:
    redis_server.stop(home)
    postgres.stop(home)
    _mark(home).unlink(missing_ok=True)


def _mark(home: Home) -> Path:
    """There when a command of ours started a server: such a one may be stopped by a command, too."""
    return home.run / "started-by-command"


@cache
def _use(home: Home) -> Use:
    return Use(home)


def _make_database(admin_url: str, name: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):  # another was quicker
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _name(stores: Stores) -> str:
    """The name of the database in the address."""
    return unquote(urlsplit(stores.database_url).path.strip("/"))
