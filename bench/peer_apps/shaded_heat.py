"""datashader over the same tickets: `python shaded_heat.py DATABASE_URL FILTERS`; prints times as one JSON line."""

import io
import json
import sys
import time
from typing import Any

import datashader
import datashader.transfer_functions
import pandas as pd
import psycopg


def main(database_url: str, filters: list[dict[str, Any]], width: int, height: int) -> dict[str, Any]:
    """Median-ready milliseconds, one a filter: `count` alone, and `image` with shading and PNG on top."""
    with psycopg.connect(database_url) as conn:
        rows = conn.execute(
            "SELECT ST_X(geom), ST_Y(geom), extract(epoch FROM reported_at)::float8, category_id FROM ticket"
            " WHERE geom IS NOT NULL"
        ).fetchall()
    frame = pd.DataFrame(rows, columns=["x", "y", "at", "category"])
    canvas = datashader.Canvas(
        width, height, x_range=(frame.x.min(), frame.x.max()), y_range=(frame.y.min(), frame.y.max())
    )
    canvas.points(frame, "x", "y")  # compiles
    count_ms, image_ms = [], []
    for chosen in filters:
        start = time.perf_counter()
        wanted = (frame["at"] >= chosen["from"]) & (frame["at"] < chosen["to"])
        if chosen.get("categories"):
            wanted &= frame["category"].isin(chosen["categories"])
        counts = canvas.points(frame[wanted], "x", "y")
        count_ms.append((time.perf_counter() - start) * 1000)
        datashader.transfer_functions.shade(counts).to_pil().save(io.BytesIO(), "png")
        image_ms.append((time.perf_counter() - start) * 1000)
    return {"tickets": len(frame), "count_ms": count_ms, "image_ms": image_ms}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
