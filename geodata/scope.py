"""The scope that every query runs in: a range of area numbers, set for one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

Db = Connection[TupleRow]
Pool = ConnectionPool[Db]


@dataclass(frozen=True, slots=True)
class Scope:
    """Area numbers lo..hi, both included; `county` scopes use the role without a range test."""

    lo: int
    hi: int
    county: bool = False

    def holds(self, area_no: int) -> bool:
        """Whether an area of that number lies inside."""
        return self.county or self.lo <= area_no <= self.hi


EVERYTHING = Scope(0, 10**13 - 1, county=True)


@contextmanager
def scoped(pool: Pool, scope: Scope) -> Iterator[Db]:
    """A connection in one transaction that sees this scope only; commits at the end, rolls back on an error."""
    with pool.connection() as conn, conn.transaction():
        enter(conn, scope)
        yield conn


def enter(conn: Db, scope: Scope) -> None:
    """Narrow the current transaction to a scope; it ends with the transaction, so a pool leaks nothing."""
    role = "wangge_county" if scope.county else "wangge_scoped"
    values: tuple[Any, ...] = (role, str(scope.lo), str(scope.hi))
    conn.execute(
        "SELECT set_config('role', %s, true), set_config('wangge.lo', %s, true), set_config('wangge.hi', %s, true)",
        values,
    )
