"""Starts the browser peers' pages with the very polygons that the product serves."""

import gzip
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bench import signed_in
from bench.context import Context
from bench.m01_first_bytes import grids_path
from bench.peers import npm_package
from bench.processes import Server, free_port, serving
from settings import ROOT


@contextmanager
def peer_pages(context: Context) -> Iterator[Server]:
    """/bare (Leaflet) and /dash/?layers=… (dash-leaflet), fed the product's own file of grids, gzipped alike."""
    import sys

    leaflet = npm_package(context.folder, "leaflet") / "dist"
    file = context.folder / "grids.json.gz"
    file.write_bytes(gzip.compress(grids_file(context), 6))
    port = free_port()
    command = [sys.executable, "-m", "bench.peer_apps.pages.server", str(port), file, leaflet]
    log = context.log("peer-pages")
    with serving(
        command, port=port, log=log, env={"PYTHONPATH": str(ROOT)}, cwd=ROOT, ready="/bare"
    ) as server:
        yield server


def grids_file(context: Context) -> bytes:
    """The product's GeoJSON of all grids, as its wall loads it first."""
    asked = urllib.request.Request(
        context.server.url + grids_path(context.server.port), headers=signed_in.headers()
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        body: bytes = answer.read()
        return gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body


def count_features(grids: bytes) -> int:
    """How many polygons the file has."""
    return len(json.loads(grids)["features"])
