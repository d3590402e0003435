"""Codes and names that filters and rows of the list of tickets are told by."""

from collections.abc import Iterable
from typing import NamedTuple

from geodata.scope import Db


class Vocabulary(NamedTuple):
    """Ids of the place's codes; a class of categories stands for its subclasses."""

    channels: dict[str, int]
    departments: dict[str, int]
    categories: dict[str, tuple[int, ...]]


def vocabulary(conn: Db) -> Vocabulary:
    """The codes that filters may name."""
    categories: dict[str, list[int]] = {}
    for code, parent, number in conn.execute(
        "SELECT k.code, p.code, k.id FROM category k LEFT JOIN category p ON p.id = k.parent_id ORDER BY k.id"
    ):
        categories.setdefault(code, []).append(number)
        if parent is not None:
            categories.setdefault(parent, []).append(number)
    return Vocabulary(
        dict(conn.execute("SELECT code, id FROM channel").fetchall()),
        dict(conn.execute("SELECT code, id FROM department").fetchall()),
        {code: tuple(numbers) for code, numbers in categories.items()},
    )


def worker_of(conn: Db, code: str) -> int | None:
    """Id of the worker in scope with that code, also one that has left."""
    row = conn.execute(
        "SELECT id FROM worker WHERE code = %s ORDER BY active DESC LIMIT 1", (code,)
    ).fetchone()
    return None if row is None else int(row[0])


def area_names(conn: Db, numbers: Iterable[int]) -> dict[int, str]:
    """Names of the areas in scope with these numbers."""
    return dict(conn.execute("SELECT no, name FROM area WHERE no = ANY(%s)", (list(numbers),)).fetchall())
