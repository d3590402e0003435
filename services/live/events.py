"""Live events as they travel in the Redis stream."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from geodata.outbox import OutboxRow

EVERYBODYS = frozenset({"weights"})  # desks


class Event(NamedTuple):
    """One numbered event: what happened (ticket, station, patrol, areas, reload) in which area."""

    version: int
    kind: str
    area_no: int
    at_ms: int
    body: dict[str, Any]

    @property
    def is_everybodys(self) -> bool:
        """Whether it concerns the whole place, whoever sees which part of it."""
        return self.kind == "desk" and self.body["desk"] in EVERYBODYS


def stream_key(prefix: str) -> str:
    """The Redis stream of a place's events."""
    return f"{prefix}live"


def relay_key(prefix: str) -> str:
    """The Redis key in which the relay says "all up to version V was handed over at T ms"."""
    return f"{prefix}relay"


def encode(row: OutboxRow) -> dict[str | bytes, str | int | bytes]:
    """The fields of a stream entry; its id is the version."""
    return {"k": row.kind, "a": row.area_no, "t": int(row.at.timestamp() * 1000), "b": orjson.dumps(row.body)}


def decode(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Event:
    """The event of a stream entry."""
    return Event(
        version=version_of(entry_id),
        kind=fields[b"k"].decode(),
        area_no=int(fields[b"a"]),
        at_ms=int(fields[b"t"]),
        body=orjson.loads(fields[b"b"]),
    )


def version_of(entry_id: bytes) -> int:
    """The version that an entry's id carries."""
    return int(entry_id.partition(b"-")[0])
