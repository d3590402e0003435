"""Other systems with a bearer token of their own; only administrators of the whole place give and end them."""

import secrets

from geodata.queries import clients as queries
from geodata.queries.clients import ClientRow
from geodata.scope import Db
from services import audit
from services.access.tokens import digest_of
from services.access.viewer import Viewer

LONGEST_NAME = 80
LONGEST_DAYS = 3660


class BadClient(ValueError):
    """A client cannot be made so; `details` name the field, the problem and what is expected."""

    def __init__(self, field: str, problem: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.details = [{"field": field, "problem": problem, "expected": expected}]


class UnknownClient(LookupError):
    """There is no such client, or the asker may not see clients: the same answer for both."""


def list_clients(conn: Db, actor: Viewer) -> list[ClientRow]:
    """All clients; none for an administrator of a part, as a client sees the whole place."""
    return queries.clients(conn) if actor.scope.county else []


def add_client(conn: Db, actor: Viewer, name: str, days: int | None = None) -> str:
    """Make a client and return its token, which is shown once and kept nowhere; valid for `days`, None: until revoked.

    Raises BadClient, and UnknownClient for an administrator of a part.
    """
    _whole_place(actor)
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadClient("name", "missing", f"a name of 1 to {LONGEST_NAME} characters")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise BadClient("days", "range", f"1 to {LONGEST_DAYS} days")
    token = secrets.token_urlsafe(32)
    client_id = queries.insert_client(conn, name, digest_of(token), actor.name, days)
    if client_id is None:
        raise BadClient("name", "taken", "a name that no other client has or had")
    audit.record(
        conn, actor, audit.Action.client_added, object_kind="client", object_id=str(client_id),
        detail={"name": name, "days": days},
    )  # fmt: skip
    return token


def revoke_client(conn: Db, actor: Viewer, client_id: int) -> None:
    """End a client's token; it is refused within seconds. Raises UnknownClient."""
    _whole_place(actor)
    name = queries.revoke_client(conn, client_id)
    if name is None:
        raise UnknownClient(f"no client {client_id}")
    audit.record(
        conn, actor, audit.Action.client_revoked, object_kind="client", object_id=str(client_id),
        detail={"name": name},
    )  # fmt: skip


def _whole_place(actor: Viewer) -> None:
    if not actor.scope.county:
        raise UnknownClient("clients belong to the whole place")
