"""Row 13: the import of 1.14 million tickets, complete, against a bare COPY of the same rows into the same tables."""

import time
from datetime import UTC, datetime
from io import BytesIO

import psycopg
from psycopg import sql

from bench.context import Context
from bench.reference_data import fresh_database, reference_profile
from bench.result import Result
from geodata.generate.files import Files
from geodata.importing import people
from geodata.importing.areas import AreaOptions, import_areas
from geodata.importing.tickets import TicketOptions, import_tickets
from geodata.vocabulary import sync_place, sync_vocabulary
from services import places

SCRATCH = "wangge_bench_import"
BAR_S = 180.0


def measure(context: Context) -> list[Result]:
    """Seconds from files to committed tickets with grid, deadline and events; once, in a scratch database."""
    profile = reference_profile()
    files = places.generate_files(context.settings, profile, datetime.now(UTC).replace(microsecond=0))
    if context.quick:
        files.tickets[:] = files.tickets[-2:]
    stores = fresh_database(context, SCRATCH)
    try:
        with psycopg.connect(stores.database_url) as conn:
            _ground(conn, profile, files)
        with psycopg.connect(stores.database_url) as conn:
            start = time.perf_counter()
            import_tickets(conn, files.tickets, TicketOptions(generated=True, time_zone=profile.time_zone))
            conn.commit()
            ours_s = time.perf_counter() - start
            rows = conn.execute("SELECT count(*) FROM ticket").fetchone()
            events = conn.execute("SELECT count(*) FROM ticket_event").fetchone()
        assert rows is not None
        assert events is not None
        copy_s = _copied(stores.database_url)
    finally:
        with psycopg.connect(context.running.database_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(SCRATCH)))
    return [
        Result(
            "13 import of 1.14 million tickets", ours_s, copy_s, "s", f"≤ {BAR_S / 60:.0f} min", ours_s <= BAR_S,
            "bare COPY of the placed rows", n=1,
            note=f"{rows[0]:,} tickets, {events[0]:,} events, {rows[0] / ours_s:,.0f} tickets/s; "
            "the peer reads no file, checks nothing, places nothing and writes no events",
        )
    ]  # fmt: skip


def _ground(conn: psycopg.Connection, profile: object, files: Files) -> None:
    sync_place(conn, profile, generated=True, seed=1)
    sync_vocabulary(conn, profile)
    for level, path in files.areas.items():
        import_areas(conn, path, AreaOptions(level, generated=True))
    people.import_org(conn, files.org, generated=True)
    people.import_workers(conn, files.workers, generated=True)


def _copied(database_url: str) -> float:
    """Seconds of COPY of the same rows, placed already, into the same partitions with their indexes."""
    rows = BytesIO()
    with psycopg.connect(database_url) as conn:
        with conn.cursor().copy("COPY (SELECT * FROM ticket) TO STDOUT (FORMAT BINARY)") as out:
            for piece in out:
                rows.write(piece)
        conn.execute("TRUNCATE ticket")
        conn.commit()
        start = time.perf_counter()
        with conn.cursor().copy("COPY ticket FROM STDIN (FORMAT BINARY)") as into:
            view = rows.getbuffer()
            for at in range(0, len(view), 1 << 20):
                into.write(view[at : at + (1 << 20)])
        conn.commit()
        return time.perf_counter() - start
