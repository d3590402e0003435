"""The tickets of a tab of the dispatcher's queue as columns: thousands are put into order without a row of each."""

from collections.abc import Callable, Sequence
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
_NUMBERS = ("id", "version", "escalation", "refused")
_MOMENTS = ("reported_at", "dispatched_at", "due_at", "sign_due", "respond_due", "suspended_until", "back_at",
            "on_at")  # fmt: skip
_DEGREES = {"lon": "ST_X(t.geom)", "lat": "ST_Y(t.geom)"}
_TEXTS = {"status": "t.status::text", "severity": "t.severity", "nature": "t.nature"}
# What a ticket has by number, and where the codes of the numbers are.
_CODES = {
    "channel": ("t.channel_id", "SELECT id AS number, code FROM channel"),
    "category": ("t.category_id", "SELECT id AS number, code FROM category"),
    "town": ("t.area_no - t.area_no %% 1000000", "SELECT no AS number, code FROM area WHERE level = 'town'"),
}
_WORDS = ("status", "channel", "category", "severity", "nature", "town")
_BETWEEN = "\x1f"  # no code has it
# States whose time begins when it came back, or was handed on.
_MOVES = frozenset({"reported", "accepted", "returned", "reopened", "dispatched", "transferred"})
_HANDED = frozenset({"dispatched", "transferred"})

Numbers = NDArray[np.int64]


class Words:
    """A column of words, few of them different: those, and which of them stands in each row."""

    __slots__ = ("at", "known")

    def __init__(self, known: Sequence[str], at: NDArray[np.intp]) -> None:
        self.known, self.at = known, at

    @classmethod
    def of(cls, words: Sequence[str]) -> "Words":
        """The column of these words."""
        number_of = {word: number for number, word in enumerate(dict.fromkeys(words))}
        at = np.fromiter(map(number_of.__getitem__, words), dtype=np.intp, count=len(words))
        return cls(list(number_of), at)

    def __getitem__(self, which: NDArray[Any]) -> "Words":
        return Words(self.known, self.at[which])

    def word(self, row: int) -> str:
        """The word in a row."""
        return self.known[int(self.at[row])]

    def words(self) -> list[str]:
        """The word of every row."""
        return [self.known[number] for number in self.at.tolist()]

    def each(self, of: Callable[[str], Any], kind: type) -> NDArray[Any]:
        """What `of` says of the word in each row; it is asked once a word."""
        return np.array([of(word) for word in self.known], dtype=kind)[self.at]

    def renamed(self, to: Callable[[str], str]) -> "Words":
        """The same rows with other words for these."""
        to_words = Words.of([to(word) for word in self.known])
        return Words(to_words.known, to_words.at[self.at])

    def counted(self, rows: NDArray[np.bool_] | None = None) -> dict[str, int]:
        """How often each word stands in those rows, or in all; those that do not are left out."""
        at = self.at if rows is None else self.at[rows]
        counts = np.bincount(at, minlength=len(self.known)).tolist()
        return {word: count for word, count in zip(self.known, counts, strict=True) if count}


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
        taken: list[Any] = [column[which] for column in self]
        return Columns(*taken)

    def ticket(self, at: int) -> Waiting:
        """One of them as a row."""
        row: dict[str, Any] = {name: int(getattr(self, name)[at]) for name in _NUMBERS}
        row |= {name: moment(getattr(self, name)[at]) for name in (*_MOMENTS[:-2], "handed_at")}
        row |= {name: None if isnan(of := getattr(self, name)[at]) else float(of) for name in _DEGREES}
        row |= {name: getattr(self, name).word(at) or None for name in _WORDS}
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
    query = _ALL.format(tab=sql.SQL(TABS[tab]), narrowed=narrow(narrowed, tab))
    row = conn.execute(query, values, binary=True).fetchone()
    assert row is not None
    packed = iter(row)
    read: dict[str, Any] = {
        name: np.frombuffer(next(packed) or b"", ">i8").astype(np.int64) for name in _NUMBERS
    }
    read |= {name: _moments(next(packed)) for name in _MOMENTS}
    read |= {name: np.frombuffer(next(packed) or b"", ">f8").astype(np.float64) for name in _DEGREES}
    read |= {name: _words(next(packed)) for name in _TEXTS}
    read |= {name: _codes(next(packed), next(packed)) for name in _CODES}
    back_at, on_at, refused = read.pop("back_at"), read.pop("on_at"), read.pop("refused")
    status = read["status"]
    moved = (read["version"] > 1) & status.each(_MOVES.__contains__, bool)
    handed = np.where(status.each(_HANDED.__contains__, bool), on_at, back_at)
    return Columns(**read, handed_at=np.where(moved, handed, NEVER), refused=np.where(moved, refused, 0))


def _moments(packed: bytes | None) -> Micros:
    raw = np.frombuffer(packed or b"", dtype=">i8").astype(np.int64)
    return np.where(raw == NEVER, NEVER, raw + _OF_POSTGRES)


def _words(text: str | None) -> Words:
    return Words.of([] if text is None else text.split(_BETWEEN))


def _codes(packed: bytes | None, code_of: dict[str, str] | None) -> Words:
    numbers, at = np.unique(np.frombuffer(packed or b"", dtype=">i8").astype(np.int64), return_inverse=True)
    return Words([(code_of or {}).get(str(number), "") for number in numbers.tolist()], at)


_PACKED = ", ".join(
    [f"string_agg(int8send(t.{name}), '')" for name in _NUMBERS]
    + [f"string_agg(timestamptz_send(coalesce(t.{name}, 'infinity')), '')" for name in _MOMENTS]
    + [f"string_agg(float8send(coalesce({of}, 'NaN')), '')" for of in _DEGREES.values()]
    + [f"string_agg(coalesce({of}, ''), '{_BETWEEN}')" for of in _TEXTS.values()]
    + [
        f"string_agg(int8send({of}), ''), (SELECT jsonb_object_agg(number, code) FROM ({codes}) c)"  # nosec B608
        for of, codes in _CODES.values()
    ]
)
# Each column is one value: a row of each would cost more than all that is done with them.
_ALL = sql.SQL(
    f"""
    SELECT {_PACKED}
    FROM (SELECT t.* FROM open_ticket t WHERE {{tab}} AND {{narrowed}} ORDER BY t.due_at, t.id LIMIT %(most)s) t
    """  # nosec B608 # joined from constants
)
