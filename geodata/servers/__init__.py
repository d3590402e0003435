"""The stores of the product: private PostgreSQL and Redis under the data folder, or those named by URL."""

import os
import pwd
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from settings import Settings

POSTGRES_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@dataclass(frozen=True)
class Stores:
    """Where the data is: addresses that psycopg and redis-py understand."""

    database_url: str
    redis_url: str
    key_prefix: str

    def with_database(self, name: str) -> "Stores":
        """The same servers, another database and the Redis keys that go with it."""
        parts = urlsplit(self.database_url)
        query = f"?{parts.query}" if parts.query else ""  # urlunsplit would drop the // of an empty host
        return Stores(f"{parts.scheme}://{parts.netloc}/{name}{query}", self.redis_url, f"wangge:{name}:")


def ensure(settings: Settings, database: str | None = None) -> Stores:
    """Start or adopt what is needed and return its addresses; the database is made if it is missing (not migrated)."""
    name = database or f"wangge_{settings.place}"
    prefix = f"wangge:{name}:"
    database_url = settings.database_url or _postgres(settings.data, name)
    redis_url = settings.redis_url or _redis(settings.data)
    return Stores(database_url, redis_url, prefix)


def _user() -> dict[str, object]:
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


def _folder(data: Path, name: str) -> Path:
    folder = data / name
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o700)
    return folder


def _postgres(data: Path, database: str) -> str:
    folder, run = _folder(data, "postgres"), _folder(data, "run")
    binaries = POSTGRES_BIN[-1]
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    admin = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if not (folder / "PG_VERSION").exists():
        subprocess.run(
            [binaries / "initdb", "-D", folder, "-U", admin, "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, env=env, cwd="/", **_user(),
        )  # fmt: skip
    base = f"postgresql:///%s?host={run}&user={admin}"
    try:
        psycopg.connect(base % "postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        subprocess.run(
            [
                binaries / "pg_ctl", "-D", folder, "-w", "-l", folder / "log", "-o",
                f"-c listen_addresses='' -c unix_socket_directories='{run}' -c shared_buffers=256MB"
                " -c work_mem=32MB -c maintenance_work_mem=256MB -c max_wal_size=2GB -c max_connections=200",
                "start",
            ],
            check=True, capture_output=True, env=env, cwd="/", **_user(),
        )  # fmt: skip
    with psycopg.connect(base % "postgres", autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    return base % database


def _redis(data: Path) -> str:
    folder, run = _folder(data, "redis"), _folder(data, "run")
    socket = run / "redis.sock"
    client = redis.Redis(unix_socket_path=str(socket))
    with suppress(redis.RedisError):
        client.ping()
        return f"unix://{socket}"
    subprocess.run(
        [
            "redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder, "--appendonly", "yes",
            "--daemonize", "yes", "--logfile", folder / "log", "--save", "",
        ],
        check=True, capture_output=True, cwd="/", **_user(),
    )  # fmt: skip
    for _ in range(100):
        with suppress(redis.RedisError):
            client.ping()
            return f"unix://{socket}"
        time.sleep(0.05)
    raise RuntimeError(f"Redis did not start; see {folder / 'log'}")
