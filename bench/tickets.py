"""New tickets for the live measures: reports with a place, and the POST that files one."""

import random
from typing import Any

import orjson
import psycopg

from bench.context import Context
from bench.load import post


def reports(context: Context, count: int = 1000) -> list[dict[str, Any]]:
    """Reports at points inside random grids, of the place's channels and subclasses; the same ones every time."""
    chance = random.Random(3)
    with psycopg.connect(context.stores.database_url) as conn:
        places = conn.execute(
            "SELECT ST_X(label_at), ST_Y(label_at) FROM area_now WHERE level = 'grid' ORDER BY no"
        ).fetchall()
        kinds = [
            row[0]
            for row in conn.execute("SELECT code FROM category WHERE parent_id IS NOT NULL ORDER BY id")
        ]
        channels = [row[0] for row in conn.execute("SELECT code FROM channel ORDER BY id")]
    found = []
    for number in range(count):
        lon, lat = chance.choice(places)
        found.append(
            {
                "channel": chance.choice(channels), "category": chance.choice(kinds), "title": f"bench {number}",
                "lon": round(lon, 6), "lat": round(lat, 6),
            }
        )  # fmt: skip
    return found


async def post_ticket(port: int, report: dict[str, Any]) -> dict[str, Any]:
    """File it; the answer's fields. Raises ConnectionError when it is not taken."""
    return await command(port, "/api/tickets", report)


async def command(port: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One POST; the answer's fields. Raises ConnectionError when it is refused."""
    answer = await post(port, path, orjson.dumps(body))
    head, _, told = answer.partition(b"\r\n\r\n")
    if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
        raise ConnectionError(f"{path} was refused: {told[:300]!r}")
    if b"transfer-encoding: chunked" in head.lower():
        told = told.split(b"\r\n", 1)[1].rsplit(b"\r\n0\r\n", 1)[0]
    fields: dict[str, Any] = orjson.loads(told)
    return fields
