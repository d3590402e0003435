"""Query for the heat store: all placed tickets as binary columns, by COPY."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geodata.scope import Db

# One row of COPY … BINARY: a field count, then a length before each value; all columns are NOT NULL here.
ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l1", ">i4"), ("id", ">i8"),
        ("l2", ">i4"), ("t", ">f8"),
        ("l3", ">i4"), ("x", ">f8"),
        ("l4", ">i4"), ("y", ">f8"),
        ("l5", ">i4"), ("category", ">i2"),
        ("l6", ">i4"), ("channel", ">i2"),
        ("l7", ">i4"), ("area_no", ">i8"),
    ]
)  # fmt: skip
HEADER_BYTES = 19
TRAILER_BYTES = 2


class Vocabulary(NamedTuple):
    """Ids by code; a category code stands for itself and, when it is a class, for its subclasses."""

    categories: dict[str, frozenset[int]]
    channels: dict[str, int]
    category_ids: dict[str, int]


def placed_tickets(conn: Db) -> npt.NDArray[np.void]:
    """Every ticket in scope with a place of its own, by time of report: id, t (s since 1970), x, y (degrees),
    category, channel (ids), area_no. A default point that many tickets share is no place and is left out.
    """
    copied = bytearray()
    with (
        conn.cursor() as cursor,
        cursor.copy(
            """
            COPY (
                SELECT id, extract(epoch FROM reported_at)::float8, ST_X(geom), ST_Y(geom),
                       category_id, channel_id, area_no
                FROM ticket WHERE location = 'exact' ORDER BY reported_at
            ) TO STDOUT (FORMAT BINARY)
            """
        ) as copy,
    ):
        for piece in copy:
            copied += piece
    body = memoryview(copied)[HEADER_BYTES : len(copied) - TRAILER_BYTES]
    return np.frombuffer(body, dtype=ROW)


def vocabulary(conn: Db) -> Vocabulary:
    """Category and channel ids by code."""
    rows = conn.execute("SELECT id, code, parent_id FROM category").fetchall()
    children: dict[int, set[int]] = {row[0]: {row[0]} for row in rows}
    for own, _, parent in rows:
        if parent is not None:
            children[parent].add(own)
    channels = conn.execute("SELECT code, id FROM channel").fetchall()
    return Vocabulary(
        {code: frozenset(children[own]) for own, code, _ in rows},
        dict(channels),
        {code: own for own, code, _ in rows},
    )


def extent(conn: Db) -> tuple[float, float, float, float] | None:
    """West, south, east, north of all areas (degrees), or None without any."""
    row = conn.execute(
        """
        SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
        FROM (SELECT ST_Extent(geom) AS e FROM area_now) AS _
        """
    ).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1], row[2], row[3])


def live_version(conn: Db) -> int:
    """The last version that the relay gave to a live event."""
    row = conn.execute("SELECT coalesce(max(version), 0) FROM outbox").fetchone()
    assert row is not None
    return int(row[0])
