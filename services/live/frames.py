"""The frames that go to screens: JSON texts, and worker positions as compact binary."""

import struct
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from geodata.queries.measures import GridMeasure
from services.live.events import Event

MOVED, ALL = 1, 2  # kinds of a position frame: these moved / these are all there are
_HEAD = struct.Struct("<B3xI")
_MOVE = struct.Struct("<IffI")


class Move(NamedTuple):
    """Where a worker was last seen (degrees) and how long ago (seconds); lon NaN = not shown any more."""

    worker_id: int
    lon: float
    lat: float
    age_s: int


def text(kind: str, **fields: Any) -> str:
    """A JSON frame {"t": kind, …}; fields that are None are left out."""
    return orjson.dumps(
        {"t": kind} | {key: value for key, value in fields.items() if value is not None}
    ).decode()


def positions(moves: list[Move], kind: int = MOVED) -> bytes:
    """u8 kind, 3 pad, u32 count, then count × (u32 worker id, f32 lon, f32 lat, u32 age in s), little-endian."""
    return _HEAD.pack(kind, len(moves)) + b"".join(_MOVE.pack(*move) for move in moves)


def grid_rows(measures: Iterable[GridMeasure]) -> list[list[Any]]:
    """[no, open, overdue, per_1000, patrol_days] a grid."""
    return [list(measure) for measure in measures]


def news(events: Sequence[Event]) -> dict[str, list[Any]]:
    """What the events are to a screen, by what it draws them on; only what there is."""
    tickets = [event for event in events if event.kind == "ticket"]
    parts: dict[str, list[Any]] = {
        "tickets": [ticker_of_event(event) for event in tickets],
        "heat": [heat for heat in map(heat_of_event, tickets) if heat is not None],
        "stations": [[e.body["id"], e.body["state"]] for e in events if e.kind == "station"],
        "desks": [[e.body["desk"], e.body["id"]] for e in events if e.kind == "desk"],
    }
    return {key: rows for key, rows in parts.items() if rows}


def ticker_of_event(event: Event) -> dict[str, Any]:
    """A ticket event as a ticker item: what, where, when (ms since 1970); no text that could name a person."""
    body = event.body
    keys = (
        "id",
        "number",
        "version",
        "kind",
        "status",
        "was",
        "area_no",
        "category",
        "channel",
        "lon",
        "lat",
    )
    return {key: body[key] for key in keys} | {"at": _ms(body["at"]), "due_at": _ms(body["due_at"])}


def heat_of_event(event: Event) -> list[Any] | None:
    """[reported ms, lon, lat, category, channel, +1, version] of a new ticket with a point, else None."""
    body = event.body
    if body["was"] is not None or body["lon"] is None:
        return None
    return [
        _ms(body["reported_at"]),
        body["lon"],
        body["lat"],
        body["category"],
        body["channel"],
        1,
        event.version,
    ]


def _ms(moment: str | None) -> int | None:
    return None if moment is None else int(datetime.fromisoformat(moment).timestamp() * 1000)
