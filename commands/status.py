"""./wangge status: what runs where, and how full it is."""

import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from geodata.scope import Db
    from geodata.servers import Stores
    from settings import Settings

screen = Console(highlight=False)
COUNTED = (
    "area",
    "worker",
    "key_person",
    "care_record",
    "video_station",
    "org_unit",
    "ticket",
    "ticket_event",
    "position",
    "patrol",
    "outbox",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status() -> None:
    """Say what runs where, which versions, how many rows, and how full the disk is. Starts nothing."""
    from geodata.servers import addresses
    from settings import VERSION, Settings

    settings = Settings()
    table = Table.grid(padding=(0, 2))
    table.add_row(
        "Wangge", f"{VERSION}, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )
    table.add_row("Place", settings.place)
    asleep = _servers(table, settings)
    stores = addresses(settings)
    if "PostgreSQL" not in asleep:
        _postgres(table, stores)
    if "Redis" not in asleep:
        _redis(table, stores)
    _disk(table, settings)
    screen.print(table)


def _servers(table: Table, settings: "Settings") -> set[str]:
    """Add rows for both; returns the names of those that do not run."""
    from geodata.servers import servers

    for server in servers(settings):
        where = (
            f"runs as process {server.pid}, socket {server.socket}"
            if server.pid
            else "does not run now; the next command starts it"
        )
        table.add_row(server.name, f"private, {where}")
        if server.folder.exists():
            table.add_row("", f"{server.folder}: {_mb(_size(server.folder))}")
    if settings.database_url:
        table.add_row("PostgreSQL", "given by DATABASE_URL")
    if settings.redis_url:
        table.add_row("Redis", "given by REDIS_URL")
    return {server.name for server in servers(settings) if server.pid is None}


def _postgres(table: Table, stores: "Stores") -> None:
    import psycopg
    from psycopg import sql

    from geodata.migrate import waiting

    try:
        with psycopg.connect(stores.database_url, connect_timeout=3) as conn:
            row = conn.execute(
                "SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(current_database())),"
                " current_database(), (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
            ).fetchone()
            assert row is not None
            table.add_row("Database", f"{row[2]}, {row[1]}, {row[3]} connections, PostgreSQL {row[0]}")
            missing = waiting(conn)
            table.add_row("Schema", f"lacks {', '.join(missing)}: ./wangge migrate" if missing else "current")
            if missing:
                return
            for name in COUNTED:
                counted = conn.execute(
                    sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
                ).fetchone()
                assert counted is not None
                table.add_row(f"  {name}", f"{counted[0]:,}")
            table.add_row("Jobs", _jobs(conn))
    except psycopg.OperationalError as error:
        table.add_row("Database", f"not reached: {str(error).strip().splitlines()[-1].strip()}")


def _jobs(conn: "Db") -> str:
    from geodata.jobs import figures

    found = figures(conn)
    late = f", the oldest {found.late_s:,.0f} s late" if found.waiting else ""
    return f"{found.waiting:,} due{late}; {found.planned:,} due later, {found.running} running, {found.failed} failed"


def _redis(table: Table, stores: "Stores") -> None:
    import redis

    try:
        with redis.Redis.from_url(stores.redis_url, socket_connect_timeout=3) as client:
            about = client.info()
            table.add_row(
                "Redis",
                f"{about['redis_version']}, {about['used_memory_human']} used, {client.dbsize()} keys",
            )
    except redis.RedisError as error:
        table.add_row("Redis", f"not reached: {error}")


def _disk(table: Table, settings: "Settings") -> None:
    existing = next(
        folder for folder in (settings.data, *settings.data.absolute().parents) if folder.exists()
    )
    usage = shutil.disk_usage(existing)
    table.add_row("Disk", f"{_mb(usage.free)} free of {_mb(usage.total)} at {existing}")


def _size(folder: Path) -> int:
    total = 0
    try:
        for entry in folder.rglob("*"):
            total += entry.lstat().st_blocks * 512
    except OSError:  # a file that went meanwhile, or not ours to read
        pass
    return total


def _mb(size: int) -> str:
    return f"{size / 1_000_000_000:,.1f} GB" if size >= 10_000_000_000 else f"{size / 1_000_000:,.0f} MB"
