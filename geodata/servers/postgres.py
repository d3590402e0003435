"""The private PostgreSQL with PostGIS: on a unix socket only, as an unprivileged user, from Debian's binaries."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import structlog

from geodata.servers import processes
from geodata.servers.home import Home, ServersRefused, check_space, private

log = structlog.get_logger("wangge.servers")
INSTALL = "On Debian and Ubuntu: apt-get install postgresql-postgis"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
# Loaded once: a connection that loads it by itself pays 20 ms of a core on its first query.
POSTGIS = "postgis-3"
START_S = 120  # recovery after a kill may take a while
LONGEST_LOG_BYTES = 10_000_000
OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "200",
    "jit": "off",  # costs more than it saves on queries of milliseconds
    "log_checkpoints": "off",
}


def url(home: Home, database: str) -> str:
    """The address of a database on this server."""
    return (
        f"postgresql:///{quote(database, safe='')}?host={quote(str(home.run))}&user={quote(home.owner.name)}"
    )


def answers(home: Home) -> bool:
    """Whether the server takes connections (also when it has none left to give)."""
    try:
        psycopg.connect(url(home, "postgres"), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return "too many clients" in str(error) or "reserved for" in str(error)
    return True


def pid(home: Home) -> int | None:
    """The postmaster's process, if it runs."""
    number = processes.first_number(home.postgres / "postmaster.pid")
    return number if number and processes.is_ours(number, "postgres", home.postgres) else None


def start(home: Home) -> None:
    """Start the server, whatever state its folder was left in; the caller holds the lock."""
    check_space(home)
    if not (home.postgres / "PG_VERSION").exists():
        _build(home)
    binaries = _binaries((home.postgres / "PG_VERSION").read_text().strip())
    private(home.postgres, home.owner)
    if pid(home) is None:
        _clear_stale(home)
        _launch(home, binaries)
    until = time.monotonic() + START_S
    while not answers(home):
        if pid(home) is None or time.monotonic() > until:
            raise ServersRefused(f"PostgreSQL does not answer. {_last_words(home)}")
        time.sleep(0.05)


def stop(home: Home) -> None:
    """Stop the server: sessions are cut, committed work is kept."""
    number = pid(home)
    if number is not None and not processes.end(number, signal.SIGINT, 30):
        processes.end(number, signal.SIGQUIT, 10)  # recovers at the next start


def version(home: Home) -> str:
    """The cluster's major version; empty when there is no cluster."""
    path = home.postgres / "PG_VERSION"
    return path.read_text().strip() if path.exists() else ""


def _binaries(wanted: str | None = None) -> Path:
    """The folder of the binaries: the newest that has PostGIS, or exactly the wanted major version."""
    found = {
        folder.parent.name: folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if Path(f"/usr/share/postgresql/{folder.parent.name}/extension/postgis.control").exists()
    }
    elsewhere = shutil.which("initdb")  # other systems keep one version, on the path
    if not found and elsewhere:
        return Path(elsewhere).resolve().parent
    if wanted and wanted not in found:
        have = ", ".join(sorted(found)) or "none"
        raise ServersRefused(
            f"The database was made by PostgreSQL {wanted}, and installed with PostGIS is: {have}. Install"
            f" postgresql-{wanted}-postgis-3, or start over with ./wangge reset (all data of the place is lost)."
        )
    if not found:
        raise ServersRefused(f"There is no PostgreSQL with PostGIS on this machine. {INSTALL}")
    return found[wanted] if wanted else found[max(found, key=float)]


def _build(home: Home) -> None:
    """Make the cluster beside its place and rename it, so that an interrupted build leaves nothing half-made."""
    if home.postgres.exists():
        if any(home.postgres.iterdir()):
            raise ServersRefused(
                f"{home.postgres} is not empty and not a database: move it away and try again."
            )
        home.postgres.rmdir()
    beside = home.data / "postgres.new"
    shutil.rmtree(beside, ignore_errors=True)
    private(beside, home.owner)
    made = subprocess.run(  # noqa: PLW1510
        [
            _binaries() / "initdb", "--pgdata", beside, "--username", home.owner.name, "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions",
        ],
        capture_output=True, text=True, env=ENVIRONMENT, cwd="/", **home.owner.switch(),
    )  # fmt: skip
    if made.returncode:
        raise ServersRefused(f"The database could not be made: {(made.stderr or made.stdout).strip()}")
    beside.rename(home.postgres)


def _clear_stale(home: Home) -> None:
    """Remove pid files whose number now means another program or a dead child that nobody took note of.

    PostgreSQL itself goes by the number alone, and would say that it runs already.
    """
    for left in processes.in_folder("postgres", home.postgres):
        processes.wait_gone(left, 5)  # children notice on their own that their postmaster was killed
    if any(processes.in_folder("postgres", home.postgres)):
        return  # they hold its memory: its own checks know better
    for path in (home.postgres / "postmaster.pid", home.run / ".s.PGSQL.5432.lock"):
        if not path.exists():
            continue
        number = processes.first_number(path)
        empty = number is None and path.stat().st_size == 0  # the disk was full, or the power went
        if empty or (number is not None and Path(f"/proc/{number}").exists()):
            log.warning("stale pid file removed", file=str(path), pid=number)
            path.unlink()


def _launch(home: Home, binaries: Path) -> None:
    if set(str(home.postgres)) & set('"$`\\\n'):  # pg_ctl hands the path to a shell
        raise ServersRefused(f"PostgreSQL cannot live in {home.postgres}: set WANGGE_DATA to a plainer path.")
    options = {**OPTIONS, "unix_socket_directories": f'"{home.run}"', "unix_socket_permissions": "0700"}
    if (binaries.parent / "lib" / f"{POSTGIS}.so").exists():
        options["shared_preload_libraries"] = POSTGIS
    if _shared_memory_bytes() < 512_000_000:  # a container's /dev/shm has 64 MB
        options["dynamic_shared_memory_type"] = "mmap"
    server_log = home.postgres / "log"
    if server_log.exists() and server_log.stat().st_size > LONGEST_LOG_BYTES:
        server_log.rename(server_log.with_name("log.1"))
    until = time.monotonic() + 15
    while True:
        started = subprocess.run(  # noqa: PLW1510
            [
                binaries / "pg_ctl", "--pgdata", home.postgres, "--wait", "--timeout", str(START_S),
                "--log", server_log, "--options",
                " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items()), "start",
            ],
            capture_output=True, text=True, env=ENVIRONMENT, cwd="/", **home.owner.switch(),
        )  # fmt: skip
        if started.returncode == 0 or pid(home) is not None:
            return
        words = _last_words(home)
        in_use = "is still in use" in words  # the memory of a killed postmaster's children
        if not in_use or time.monotonic() > until:
            raise ServersRefused(f"PostgreSQL did not start. {words or started.stderr.strip()}")
        time.sleep(0.2)


def _shared_memory_bytes() -> int:
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108  # nosec B108
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def _last_words(home: Home) -> str:
    """The end of the server's log, with its place."""
    path = home.postgres / "log"
    try:
        lines = path.read_text(errors="replace").strip().splitlines()[-6:]
    except OSError:
        return ""
    return f"The end of {path}:\n  " + "\n  ".join(lines)
