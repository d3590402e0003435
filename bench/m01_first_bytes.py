"""Row 1: the bytes of all grids for a first map, and how fast they are served, against tipg on the same polygons."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg

from bench import signed_in
from bench.context import Context
from bench.load import Load, hammer, request
from bench.peers import python_with
from bench.processes import Server, free_port, serving
from bench.result import Missing, Result

BAR_BYTES, BAR_TIMES = 300_000, 50


def measure(context: Context) -> list[Result]:
    """Bytes over the wire with brotli, and answers a second on 4 connections."""
    path = grids_path(context.server.port)
    ours = _served(context, context.server.port, path, "br")
    zipped = _served(context, context.server.port, path, "gzip", most=2)
    try:
        with tipg(context) as peer:
            theirs = _served(context, peer.port, "/collections/bench.grid/items?limit=5000&f=geojson", "gzip")
            missing = ""
    except Missing as error:
        theirs, missing = None, f"peer missing: {error}"
    note = f"ours brotli; gzip {zipped.body_bytes / 1000:.0f} KB (plain HTTP); the peer's geometry is not simplified"
    speed = f"median answer {ours.ms():.2f} ms" + (f" against {theirs.ms():.0f} ms" if theirs else "")
    times = ours.rate / theirs.rate if theirs else None
    return [
        Result(
            "1 first map: bytes of all grids", ours.body_bytes / 1000, theirs and theirs.body_bytes / 1000, "KB",
            f"≤ {BAR_BYTES / 1000:.0f} KB", ours.body_bytes <= BAR_BYTES, "tipg GeoJSON, gzip",
            n=len(ours.latencies_s), note="; ".join(filter(None, (note, missing))),
        ),
        Result(
            "1 first map: answers a second", ours.rate, theirs and theirs.rate, "1/s",
            f"≥ {BAR_TIMES} × tipg", None if times is None else times >= BAR_TIMES, "tipg GeoJSON, gzip",
            less_is_better=False, n=len(ours.latencies_s), note="; ".join(filter(None, (speed, missing))),
        ),
    ]  # fmt: skip


def _served(context: Context, port: int, path: str, encoding: str, most: int = 10**9) -> Load:
    asked = [request("GET", path, headers=f"Accept-Encoding: {encoding}\r\n")]
    hammer(port, asked, connections=2, seconds=5, most=4)  # warm
    load = hammer(port, asked, connections=4, seconds=context.times(10, 2), most=most)
    if set(load.statuses) != {200}:
        raise Missing(f"an answer of 200 on {path}: got {dict(load.statuses)}")
    return load


def grids_path(port: int) -> str:
    """The address of the first map's polygons, as the wall's own page asks for it (its preload)."""
    import re
    import urllib.request

    page_of = urllib.request.Request(f"http://127.0.0.1:{port}/wall/", headers=signed_in.headers())
    with urllib.request.urlopen(page_of, timeout=30) as answer:
        page = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            page = gzip.decompress(page)
    found = re.search(r"/api/map/areas/grid\?[^\"'\\ ]+", page.decode())
    return found.group(0).replace("&amp;", "&") if found else "/api/map/areas/grid?detail=low"


@contextmanager
def tipg(context: Context) -> Iterator[Server]:
    """tipg on a plain table of the same grids."""
    python = python_with(context.folder, "tipg")
    with psycopg.connect(context.stores.database_url, autocommit=True) as conn:
        grid_table(conn)
        info = conn.info
        # asyncpg and pydantic take a socket folder as an escaped host
        address = f"postgresql://{info.user}@{quote(info.host, safe='')}:{info.port}/{info.dbname}"
    port = free_port()
    command = [python, "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--no-access-log"]
    env = {"DATABASE_URL": address, "TIPG_DB_SCHEMAS": '["bench"]'}
    with serving(command, port=port, log=context.log("tipg"), env=env, ready="/healthz") as server:
        yield server


def grid_table(conn: psycopg.Connection) -> None:
    """A plain table `bench.grid` with a spatial index, for the peers: code, name, kind, geom."""
    conn.execute("CREATE SCHEMA IF NOT EXISTS bench")
    if conn.execute("SELECT to_regclass('bench.grid')").fetchone() == (None,):
        conn.execute(
            "CREATE TABLE bench.grid AS"
            " SELECT no AS id, code, name, kind::text, geom FROM area_now WHERE level = 'grid'"
        )
        conn.execute("ALTER TABLE bench.grid ADD PRIMARY KEY (id)")
        conn.execute("CREATE INDEX ON bench.grid USING gist (geom)")
        conn.execute("ANALYZE bench.grid")
