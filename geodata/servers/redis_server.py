"""The private Redis: on a unix socket only, with its append-only file on."""

import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from geodata.servers import processes
from geodata.servers.home import Home, ServersRefused, check_space, private

log = structlog.get_logger("wangge.servers")
INSTALL = "On Debian and Ubuntu: apt-get install redis-server"
START_S = 60
OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",  # a crash of the machine costs a second at most; PostgreSQL holds what must not be lost
    "save": "",
    "maxmemory": "512mb",
    "maxmemory-policy": "volatile-lru",  # caches carry a lifetime and may go; the live stream and positions may not
    "daemonize": "yes",
}


def socket(home: Home) -> Path:
    """Its unix socket."""
    return home.run / "redis.sock"


def url(home: Home) -> str:
    """Its address."""
    return f"unix://{quote(str(socket(home)))}"


def answers(home: Home) -> bool:
    """Whether the server takes commands."""
    client = redis.Redis(unix_socket_path=str(socket(home)), socket_timeout=5, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def pid(home: Home) -> int | None:
    """The server's process, if it runs. Debian's redis-server is a name of redis-check-rdb."""
    number = processes.first_number(home.run / "redis.pid")
    if number and processes.is_ours(number, "redis-", home.redis):
        return number
    return next(processes.in_folder("redis-", home.redis), None)


def start(home: Home) -> None:
    """Start the server, or wait for the one that is still loading; the caller holds the lock."""
    check_space(home)
    private(home.redis, home.owner)
    if pid(home) is None:  # never two on one append-only file
        _launch(home)
    until = time.monotonic() + START_S
    while not answers(home):
        if pid(home) is None and time.monotonic() > until - START_S + 2:
            raise ServersRefused(f"Redis did not start. {_last_words(home)}")
        if time.monotonic() > until:
            raise ServersRefused(f"Redis does not answer after {START_S} s. {_last_words(home)}")
        time.sleep(0.02)


def stop(home: Home) -> None:
    """Stop the server; the append-only file is written out first."""
    number = pid(home)
    if number is not None and not processes.end(number, signal.SIGTERM, 20):
        processes.end(number, signal.SIGKILL, 5)
    with suppress(OSError):
        socket(home).unlink()


def _launch(home: Home) -> None:
    binary = shutil.which("redis-server", path="/usr/bin:/usr/local/bin:/usr/sbin")
    if binary is None:
        raise ServersRefused(f"There is no Redis on this machine. {INSTALL}")
    options = {
        **OPTIONS, "dir": home.redis, "unixsocket": socket(home), "pidfile": home.run / "redis.pid",
        "logfile": home.redis / "log",
    }  # fmt: skip
    (home.run / "redis.pid").unlink(missing_ok=True)
    started = subprocess.run(  # noqa: PLW1510
        [binary, *(part for name, value in options.items() for part in (f"--{name}", str(value)))],
        capture_output=True, text=True, cwd="/", umask=0o077, **home.owner.switch(),
    )  # fmt: skip
    if started.returncode:
        raise ServersRefused(
            f"Redis did not start: {(started.stderr or started.stdout).strip()} {_last_words(home)}"
        )


def _last_words(home: Home) -> str:
    path = home.redis / "log"
    try:
        lines = path.read_text(errors="replace").strip().splitlines()[-6:]
    except OSError:
        return ""
    return f"The end of {path}:\n  " + "\n  ".join(lines)
