"""From a viewer and the area it asks for to the scope that the database enforces."""

from collections.abc import Iterator
from contextlib import contextmanager

from geodata.scope import Db, Hat, Pool, Scope, scoped
from services.access.viewer import Viewer


class UnknownArea(LookupError):
    """There is no area of that code, or it lies outside of what the asker may see: the same answer for both."""


def scope_of(conn: Db, viewer: Viewer, code: str | None) -> Scope:
    """The scope of the area with that code inside of the viewer's own; None asks for all that it may see.

    `conn` is in a transaction of the viewer's scope or a wider one. Raises UnknownArea.
    """
    if code is None:
        return viewer.scope
    if not code.isprintable():  # PostgreSQL refuses a NUL in a text
        raise UnknownArea("no area with that code")
    row = conn.execute(
        "SELECT no, hi, parent_no IS NULL FROM area WHERE code = %s AND valid_to IS NULL ORDER BY level LIMIT 1",
        (code,),
    ).fetchone()
    asked = None if row is None else Scope(row[0], row[1], county=row[2])
    if asked is None or not viewer.scope.covers(asked):
        raise UnknownArea(f"no area with the code {code}")
    return asked


def scope_for(pool: Pool, viewer: Viewer, within: str | None) -> Scope:
    """The scope of an area for a viewer, asked of the database only when an area is named. Raises UnknownArea."""
    if within is None:
        return viewer.scope
    with scoped(pool, viewer.scope, "wall" if viewer.kind == "wall" else "facts") as conn:
        return scope_of(conn, viewer, within)


@contextmanager
def opened(
    pool: Pool, viewer: Viewer, within: str | None = None, hat: Hat | None = None
) -> Iterator[tuple[Db, Scope]]:
    """A transaction in the viewer's scope, narrowed to the area of that code; a wall always wears its own hat.

    Raises UnknownArea when the area is outside of the viewer's scope.
    """
    scope = scope_for(pool, viewer, within)
    with scoped(pool, scope, hat or ("wall" if viewer.kind == "wall" else "facts")) as conn:
        yield conn, scope
