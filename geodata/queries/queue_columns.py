"""The tickets of a tab of the dispatcher's queue as columns: thousands are put into order without a row of each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from geodata.clock.worktime import EPOCH, Micros
from geodata.queries.dispatch_queue import MOST, TABS, Asker, Narrowed, Tab, Waiting, narrow
from geodata.scope import Db

NEVER = np.iinfo(np.int64).max  # in a column of moments: there is none
_OF_POSTGRES = 946_684_800_000_000  # microseconds from 1970 to 2000, when the database's own time begins
_NUMBERS = ("id", "version", "escalation")
_MOMENTS = ("reported_at", "dispatched_at", "due_at", "sign_due", "respond_due", "suspended_until")
_DEGREES = {"lon": "ST_X(t.geom)", "lat": "ST_Y(t.geom)"}
_WORDS = {
    "status": "t.status::text", "channel": "c.code", "category": "k.code", "severity": "t.severity",
    "nature": "t.nature", "town": "town.code",
}  # fmt: skip
_BETWEEN = "\x1f"  # no code has it
# States whose time begins when it came back, or was handed on.
_MOVES = frozenset({"reported", "accepted", "returned", "reopened", "dispatched", "transferred"})
_HANDED = frozenset({"dispatched", "transferred"})

Numbers = NDArray[np.int64]
Words = NDArray[np.object_]  # of str


class Columns(NamedTuple):
    """What Waiting tells of each ticket; moments in microseconds since 1970 UTC or NEVER, words "" for None."""

    id: Numbers
    version: Numbers
    escalation: Numbers
    reported_at: Micros
    dispatched_at: Micros
    due_at: Micros
    sign_due: Micros
    respond_due: Micros
    suspended_until: Micros
    lon: NDArray[np.float64]  # degrees (EPSG:4326) or NaN
    lat: NDArray[np.float64]
    status: Words
    channel: Words
    category: Words
    severity: Words
    nature: Words
    town: Words
    handed_at: Micros
    refused: Numbers

    def take(self, which: NDArray[Any]) -> "Columns":
        """Some of them, by number or by a mask."""
        return Columns(*(column[which] for column in self))

    def ticket(self, at: int) -> Waiting:
        """One of them as a row."""
        row: dict[str, Any] = {name: int(getattr(self, name)[at]) for name in (*_NUMBERS, "refused")}
        row |= {name: moment(getattr(self, name)[at]) for name in (*_MOMENTS, "handed_at")}
        row |= {name: None if isnan(of := getattr(self, name)[at]) else float(of) for name in _DEGREES}
        row |= {name: getattr(self, name)[at] or None for name in _WORDS}
        return Waiting(**row)


def moment(micros: int) -> datetime | None:
    """A moment of a column (UTC)."""
    return None if micros == NEVER else EPOCH + timedelta(microseconds=int(micros))


def columns(conn: Db, tab: Tab, asker: Asker, narrowed: Narrowed, now: datetime) -> Columns:
    """Up to MOST tickets of a tab, in no order; of more, those with the next deadline."""
    values: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in narrowed._asdict().items()
    }
    values |= {"now": now, "actor": asker.name, "actor_kind": asker.kind, "most": MOST}
    query = _ALL.format(tab=sql.SQL(TABS[tab]), narrowed=narrow(narrowed))
    row = conn.execute(query, values, binary=True).fetchone()
    assert row is not None
    packed = iter(row)
    read: dict[str, Any] = {
        name: np.frombuffer(next(packed) or b"", ">i8").astype(np.int64) for name in _NUMBERS
    }
    read |= {name: _moments(next(packed)) for name in _MOMENTS}
    read |= {name: np.frombuffer(next(packed) or b"", ">f8").astype(np.float64) for name in _DEGREES}
    count = len(read["id"])
    read |= {name: _words(next(packed), count) for name in _WORDS}
    found = Columns(**read, handed_at=np.full(count, NEVER), refused=np.zeros(count, dtype=np.int64))
    _add_past(conn, found)
    return found


def _moments(packed: bytes | None) -> Micros:
    raw = np.frombuffer(packed or b"", dtype=">i8").astype(np.int64)
    return np.where(raw == NEVER, NEVER, raw + _OF_POSTGRES)


def _words(text: str | None, count: int) -> Words:
    found = np.empty(count, dtype=object)
    if text is not None:
        found[:] = text.split(_BETWEEN)
    return found


def _add_past(conn: Db, found: Columns) -> None:
    """When the time of its state began, and how often each was refused."""
    moved = [
        at
        for at, (status, version) in enumerate(zip(found.status, found.version.tolist(), strict=True))
        if version > 1 and status in _MOVES
    ]
    if not moved:
        return
    at_of = dict(zip(found.id[moved].tolist(), moved, strict=True))
    for ticket_id, back_at, on_at, refused in _past(conn, list(at_of)):
        at = at_of[ticket_id]
        handed = on_at if found.status[at] in _HANDED else back_at
        if handed is not None:
            found.handed_at[at] = (handed - EPOCH) // timedelta(microseconds=1)
        found.refused[at] = refused


def _past(conn: Db, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Ticket id, when it came back last, when it was handed on last, how often it was refused."""
    return conn.execute(
        """
        SELECT e.ticket_id, max(e.at) FILTER (WHERE e.kind IN ('refuse', 'send_back', 'recall', 'reopen')),
               max(e.at) FILTER (WHERE e.kind IN ('dispatch', 'whistle', 'transfer')),
               (count(*) FILTER (WHERE e.kind IN ('refuse', 'send_back')))::int
        FROM ticket_event e
        WHERE e.ticket_id = ANY(%s)
          AND e.kind IN ('dispatch', 'whistle', 'transfer', 'refuse', 'send_back', 'recall', 'reopen')
        GROUP BY 1
        """,
        (list(ids),),
        binary=True,
    ).fetchall()


_PACKED = ", ".join(
    [f"string_agg(int8send(t.{name}), '')" for name in _NUMBERS]
    + [f"string_agg(timestamptz_send(coalesce(t.{name}, 'infinity')), '')" for name in _MOMENTS]
    + [f"string_agg(float8send(coalesce({of}, 'NaN')), '')" for of in _DEGREES.values()]
    + [f"string_agg(coalesce({of}, ''), '{_BETWEEN}')" for of in _WORDS.values()]
)
# Each column is one value: a row of each would cost more than all that is done with them.
_ALL = sql.SQL(
    f"""
    SELECT {_PACKED}
    FROM (SELECT t.* FROM ticket t WHERE t.closed_at IS NULL AND {{tab}} AND {{narrowed}}
          -- not in the order of an index: that reads the tickets one by one from all over the disk
          ORDER BY t.due_at + interval '0' LIMIT %(most)s) t
    JOIN channel c ON c.id = t.channel_id
    JOIN category k ON k.id = t.category_id
    LEFT JOIN area town ON town.level = 'town' AND town.no = t.area_no - t.area_no %% 1000000
    """  # nosec B608 # joined from constants
)
