"""What an account's own windows follow: its chosen ticket, the candidate it means, the ring it has drawn."""

from typing import TYPE_CHECKING, Any, cast

import orjson

from geodata.outbox import add_event
from geodata.scope import Db, Scope
from services import tickets
from services.access.viewer import Viewer

if TYPE_CHECKING:
    from redis import Redis

KEPT_S = 12 * 3600  # a long shift
State = dict[str, Any]


def follow(conn: Db, redis: "Redis", prefix: str, viewer: Viewer, scope: Scope, state: State) -> State:
    """Keep what the viewer's windows show and tell them; only that there is news travels, each fetches it itself.

    `state` has ticket, candidate, lasso, picked, window, and `asked` from a window with a queue; without it what was
    kept of that stays. Raises UnknownTicket for a ticket outside of the scope.
    """
    if state.get("asked") is None:
        state = {**state, "asked": followed(redis, prefix, viewer).get("asked")}
    ticket_id = state.get("ticket")
    area_no = scope.lo if ticket_id is None else tickets.read(conn, ticket_id).area.no
    redis.set(_key(prefix, viewer), orjson.dumps(state), ex=KEPT_S)
    add_event(conn, "desk", area_no, {"desk": "follow", "id": viewer.id, "version": 0})
    return state


def require(conn: Db, ticket_id: int) -> None:
    """Raises UnknownTicket when the ticket lies outside of the scope."""
    tickets.read(conn, ticket_id)


def followed(redis: "Redis", prefix: str, viewer: Viewer) -> State:
    """What the viewer's windows show; empty when none has said so yet."""
    kept = cast("bytes | None", redis.get(_key(prefix, viewer)))
    return {} if kept is None else cast(State, orjson.loads(kept))


def _key(prefix: str, viewer: Viewer) -> str:
    return f"{prefix}follow:{viewer.kind}:{viewer.id}"
