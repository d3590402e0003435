"""Arrays in binary form: PostgreSQL reads what was put in, to the last microsecond and figure."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from geodata.queries.packed import Packed, bigints, floats, moments
from geodata.servers import Stores

BEIJING = timezone(timedelta(hours=8))
AT = datetime(2026, 3, 1, 7, 59, 59, 999_999, tzinfo=BEIJING)
BEFORE = datetime(1999, 12, 31, 23, 59, 59, 1, tzinfo=UTC)  # earlier than PostgreSQL counts from


@pytest.mark.parametrize(
    ("kind", "sent", "values"),
    [
        ("bigint", bigints([1, -2, 9_223_372_036_854_775_807]), [1, -2, 9_223_372_036_854_775_807]),
        ("float8", floats([123.456789, -0.1, 8.0, 1e300]), [123.456789, -0.1, 8.0, 1e300]),
        ("float8", floats([None, 1.5, None, 7.0]), [None, 1.5, None, 7.0]),
        ("float8", floats([None]), [None]),
        ("timestamptz", moments([AT, BEFORE]), [AT, BEFORE]),
    ],
    ids=["whole numbers", "figures", "some not known", "none known", "moments"],
)
def test_packed_values_come_back_as_they_were(
    stores: Stores, kind: str, sent: Packed, values: list[Any]
) -> None:
    with psycopg.connect(stores.database_url) as conn:
        assert conn.execute(f"SELECT %s::{kind}[]", (sent,)).fetchone() == (values,)
        assert conn.execute(f"SELECT %s::{kind}[] = %s", (sent, values)).fetchone() == (True,)


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("bigint", bigints([])), ("float8", floats([])), ("timestamptz", moments([]))],
    ids=["whole numbers", "figures", "moments"],
)
def test_an_empty_one_is_an_empty_array(stores: Stores, kind: str, sent: Packed) -> None:
    with psycopg.connect(stores.database_url) as conn:
        assert conn.execute(f"SELECT %s::{kind}[], cardinality(%s::{kind}[])", (sent, sent)).fetchone() == (
            [],
            0,
        )


def test_what_is_no_number_stays_so(stores: Stores) -> None:
    with psycopg.connect(stores.database_url) as conn:
        row = conn.execute("SELECT (%s::float8[])[2]", (floats([1.0, math.nan]),)).fetchone()
    assert row is not None and math.isnan(row[0])


def test_an_array_of_something_else_is_refused(stores: Stores) -> None:
    with psycopg.connect(stores.database_url) as conn, pytest.raises(psycopg.Error):
        conn.execute("SELECT %s::bigint[]", (floats([1.0]),))
