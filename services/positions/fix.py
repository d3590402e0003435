"""One fix of a worker's phone, and its packed form in Redis."""

import math
import struct
from typing import NamedTuple

_FORM = struct.Struct("<Iqqqdd4f")
SIZE = _FORM.size


class Reading(NamedTuple):
    """What a phone says: degrees (WGS 84), milliseconds since 1970, metres, metres a second, degrees, per cent."""

    at_ms: int
    lon: float
    lat: float
    accuracy_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    battery_pct: float | None = None


class Fix(NamedTuple):
    """An accepted reading of a known worker; area_no is the area of duty."""

    worker_id: int
    area_no: int
    received_ms: int
    reading: Reading


def pack(fix: Fix) -> bytes:
    """SIZE bytes, little-endian; a missing value is NaN."""
    reading = fix.reading
    return _FORM.pack(
        fix.worker_id, fix.area_no, reading.at_ms, fix.received_ms, reading.lon, reading.lat,
        *(math.nan if value is None else value for value in reading[3:]),
    )  # fmt: skip


def unpack(packed: bytes) -> list[Fix]:
    """All fixes of one or many packed ones."""
    return [
        Fix(
            worker,
            area,
            received_ms,
            Reading(at_ms, lon, lat, *[None if math.isnan(value) else value for value in rest]),
        )
        for worker, area, at_ms, received_ms, lon, lat, *rest in _FORM.iter_unpack(packed)
    ]


def stream_key(prefix: str) -> str:
    """The Redis stream of all accepted fixes; an entry holds what was written at once."""
    return f"{prefix}fixes"


def latest_key(prefix: str) -> str:
    """The Redis hash worker id → last fix."""
    return f"{prefix}latest"
