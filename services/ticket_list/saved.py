"""Filters that an account keeps, for itself or for everybody in an area."""

from geodata.queries import ticket_filters as queries
from geodata.queries.ticket_filters import KeptFilter
from geodata.scope import Pool
from services.access import Viewer, opened, scope_for
from services.ticket_list.asked import Asked, BadFilter

MOST = 50  # of one account


class UnknownKept(LookupError):
    """The account keeps no filter of that id."""


class NoAccount(Exception):
    """Only somebody with an account keeps filters."""


def kept(pool: Pool, viewer: Viewer) -> list[KeptFilter]:
    """Their own filters, and those that others share with an area that holds all of theirs. Raises NoAccount."""
    with opened(pool, _person(viewer), hat="access") as (conn, _):
        return queries.filters_of(conn, viewer.id, viewer.scope)


def keep(pool: Pool, viewer: Viewer, name: str, asked: Asked, share: str | None) -> int:
    """Keep a filter under a name (in the place of their own one of that name), shared with the area of a code or not.

    The area must be theirs. Its id. Raises NoAccount, UnknownArea, BadFilter.
    """
    scope_for(pool, _person(viewer), share)
    with opened(pool, viewer, hat="access") as (conn, _):
        number = queries.keep(conn, viewer.id, name, asked.kept(), share, MOST)
    if number is None:
        raise BadFilter("name", name, f"at most {MOST} filters of an account: delete one first")
    return number


def forget(pool: Pool, viewer: Viewer, filter_id: int) -> None:
    """Delete one of their own. Raises NoAccount, UnknownKept."""
    with opened(pool, _person(viewer), hat="access") as (conn, _):
        if not queries.forget(conn, viewer.id, filter_id):
            raise UnknownKept(f"You keep no filter with the id {filter_id}.")


def _person(viewer: Viewer) -> Viewer:
    if viewer.kind != "account":
        raise NoAccount("Only somebody with an account keeps filters.")
    return viewer
