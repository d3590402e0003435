"""Roads of tests: lines in metres about the middle of the small place, as GeoJSON and as an OpenStreetMap extract."""

import json
import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.small_place import centre

ORIGIN = centre(1, 1, 5)
M_A_DEGREE = 111_195.0
Line = Sequence[tuple[float, float]]  # metres east and north of the origin


def degrees(east_m: float, north_m: float) -> tuple[float, float]:
    """Longitude and latitude, to 7 digits as OpenStreetMap has them."""
    lon = ORIGIN[0] + east_m / (M_A_DEGREE * math.cos(math.radians(ORIGIN[1])))
    return round(lon, 7), round(ORIGIN[1] + north_m / M_A_DEGREE, 7)


def road(line: Line, highway: str | None = "residential", **more: Any) -> dict[str, Any]:
    """One line as a GeoJSON feature, with the columns of OpenStreetMap."""
    shape = {"type": "LineString", "coordinates": [degrees(*at) for at in line]}
    return {"type": "Feature", "properties": {"highway": highway, "oneway": None} | more, "geometry": shape}


def write(path: Path, features: Iterable[dict[str, Any]]) -> Path:
    """As a GeoJSON file."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False))
    return path


def write_osm(path: Path, roads: Sequence[tuple[Line, dict[str, str]]]) -> Path:
    """As .osm.pbf: a node for each place, a way with its tags for each line."""
    ids: dict[tuple[float, float], int] = {}
    ways = []
    for line, tags in roads:
        refs = [ids.setdefault(degrees(*at), len(ids) + 1) for at in line]
        ways.append((refs, tags))
    words = [b"", *sorted({word.encode() for _, tags in ways for pair in tags.items() for word in pair})]
    table = b"".join(_bytes(1, word) for word in words)
    nodes = b"".join(
        _bytes(
            1, _number(1, _zigzag(key)) + _number(8, _zigzag(_nano(lat))) + _number(9, _zigzag(_nano(lon)))
        )
        for (lon, lat), key in ids.items()
    )
    drawn = b"".join(
        _bytes(3, _way(key, refs, tags, words)) for key, (refs, tags) in enumerate(ways, start=1)
    )
    header = _bytes(4, b"OsmSchema-V0.6") + _bytes(4, b"DenseNodes")
    block = _bytes(1, table) + _bytes(2, nodes) + _bytes(2, drawn)
    path.write_bytes(_blob(b"OSMHeader", header) + _blob(b"OSMData", block))
    return path


def _way(key: int, refs: list[int], tags: dict[str, str], words: list[bytes]) -> bytes:
    steps = [after - before for before, after in zip([0, *refs], refs, strict=False)]
    keys = b"".join(_varint(words.index(word.encode())) for word in tags)
    values = b"".join(_varint(words.index(word.encode())) for word in tags.values())
    return (
        _number(1, key)
        + _bytes(2, keys)
        + _bytes(3, values)
        + _bytes(8, b"".join(_varint(_zigzag(s)) for s in steps))
    )


def _blob(kind: bytes, content: bytes) -> bytes:
    body = _number(2, len(content)) + _bytes(3, zlib.compress(content))
    head = _bytes(1, kind) + _number(3, len(body))
    return struct.pack(">I", len(head)) + head + body


def _nano(angle: float) -> int:
    return round(angle * 1e7)


def _zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value
