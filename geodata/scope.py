"""The scope that every query runs in: ranges of area numbers and a database role, set for one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

Db = Connection[TupleRow]
Pool = ConnectionPool[Db]
Hat = Literal["facts", "wall", "care", "access", "audit", "jobs"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Area numbers lo..hi, both included; `county` scopes use the role without a range test.

    `parts` are the single ranges of a scope that has several; lo..hi is then their hull.
    """

    lo: int
    hi: int
    county: bool = False
    parts: tuple[tuple[int, int], ...] = ()

    def holds(self, area_no: int) -> bool:
        """Whether an area of that number lies inside."""
        return self.county or any(lo <= area_no <= hi for lo, hi in self.ranges)

    def covers(self, other: "Scope") -> bool:
        """Whether all of the other scope lies inside."""
        return self.county or (
            not other.county
            and all(any(lo <= a and b <= hi for lo, hi in self.ranges) for a, b in other.ranges)
        )

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The ranges of area numbers, one or more."""
        return self.parts or ((self.lo, self.hi),)

    @property
    def key(self) -> str:
        """A name for caches: two scopes that see the same have the same."""
        return "all" if self.county else "_".join(f"{lo}-{hi}" for lo, hi in self.ranges)

    @classmethod
    def of(cls, ranges: list[tuple[int, int]]) -> "Scope":
        """The scope of one or several ranges; one inside another counts once. Without any it sees nothing."""
        kept: list[tuple[int, int]] = []
        for lo, hi in sorted(ranges, key=lambda part: (part[0], -part[1])):
            if not kept or lo > kept[-1][1]:
                kept.append((lo, hi))
        if not kept:
            return NOTHING
        return cls(kept[0][0], kept[-1][1], parts=tuple(kept) if len(kept) > 1 else ())


EVERYTHING = Scope(0, 10**13 - 1, county=True)
NOTHING = Scope(-1, -1)


@contextmanager
def scoped(pool: Pool, scope: Scope, hat: Hat = "facts") -> Iterator[Db]:
    """A connection in one transaction that sees this scope only; commits at the end, rolls back on an error.

    The hat says what of it: the facts, what a wall may show, the care register, accounts, the audit.
    """
    with pool.connection() as conn, conn.transaction():
        enter(conn, scope, hat)
        yield conn


def enter(conn: Db, scope: Scope, hat: Hat = "facts") -> None:
    """Narrow the current transaction to a scope; it ends with the transaction, so a pool leaks nothing."""
    ranges = ",".join(f"[{lo},{hi}]" for lo, hi in scope.parts)
    parts = f"{{{ranges}}}" if ranges else ""
    values: tuple[Any, ...] = (role_of(scope, hat), str(scope.lo), str(scope.hi), parts)
    conn.execute(
        "SELECT set_config('role', %s, true), set_config('wangge.lo', %s, true),"
        " set_config('wangge.hi', %s, true), set_config('wangge.parts', %s, true)",
        values,
    )


@contextmanager
def widened(conn: Db) -> Iterator[None]:
    """See the whole place for a part of the current transaction: what the product itself does in answer to somebody.

    Afterwards the role and the scope are again as they were; after an error the transaction is over anyway.
    """
    row = conn.execute(
        "SELECT current_setting('role'), coalesce(current_setting('wangge.lo', true), ''),"
        " coalesce(current_setting('wangge.hi', true), ''), coalesce(current_setting('wangge.parts', true), '')"
    ).fetchone()
    enter(conn, EVERYTHING)
    yield
    conn.execute(
        "SELECT set_config('role', %s, true), set_config('wangge.lo', %s, true),"
        " set_config('wangge.hi', %s, true), set_config('wangge.parts', %s, true)",
        row,
    )


def role_of(scope: Scope, hat: Hat) -> str:
    """The database role that a transaction runs as."""
    if hat == "facts":
        return "wangge_county" if scope.county else "wangge_parts" if scope.parts else "wangge_scoped"
    return {"wall": "wangge_wall", "care": "wangge_care", "access": "wangge_access", "audit": "wangge_auditor",
            "jobs": "wangge_jobs"}[hat]  # fmt: skip
