"""/api/dispatch/tickets/…: who is deciding a ticket, giving it to somebody, taking it back."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import Field

from api.care import PRINTED, REFUSALS, Body, _not_kept
from api.errors import Error
from api.gate import Seer
from api.router import Router
from api.tickets import Key, _out
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from services.access import Viewer, opened
from services.dispatch import claims
from services.dispatch.assign import Assign, assign, preview
from services.dispatch.telling import Told, claim_told, holder_of, ms, word_told
from services.dispatch.undo import recall, undo
from services.runtime import Runtime

TicketId = Annotated[int, Path(ge=1, lt=2**63, description="Id of a ticket.")]
Version = Annotated[int, Field(ge=1, lt=2**31, description="The version that the sender has seen.")]
TAKEN: dict[int | str, dict[str, Any]] = {
    409: {
        "model": Error,
        "description": "Somebody else decides it (`claimed`), or was quicker; details say who and when.",
    }
}


class ClaimIn(Body):
    """How a claim is taken."""

    take_over: bool = Field(False, description="Also from somebody else, who gets the word.")
    word: str | None = Field(None, max_length=300, pattern=PRINTED, description="To whom it is taken from.")


class UndoIn(Body):
    """Which assignment is taken back."""

    version: Version


class RecallIn(Body):
    """Why a ticket is taken back from its holder."""

    version: Version
    reason: str = Field(min_length=1, max_length=1000, pattern=PRINTED)


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(
        prefix="/api/dispatch", tags=["Dispatch"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool = runtime.profile, runtime.pool
    lease = timedelta(seconds=runtime.settings.claim_seconds)

    def told(conn: Db, viewer: Viewer, ticket: Ticket) -> Told:
        return ticket_told(runtime, conn, viewer, ticket)

    @routes.post("/tickets/{ticket_id}/claim", responses=TAKEN)
    def claim(ticket_id: TicketId, viewer: Seer, body: ClaimIn = ClaimIn()) -> Told:  # noqa: B008
        """Say that one decides a ticket; said again it lasts longer. Somebody else's is taken over with a word."""
        with opened(pool, viewer) as (conn, _):
            taken = claims.take(conn, viewer, ticket_id, lease, over=body.take_over, word=body.word)
        lost = None if taken.lost is None else claim_told(taken.lost, viewer)
        return {
            **_now(),
            **claim_told(taken.claim, viewer),
            "word": body.word if lost else None,
            "lost": lost,
        }

    @routes.delete("/tickets/{ticket_id}/claim")
    def give_up(ticket_id: TicketId, viewer: Seer) -> Told:
        """Give one's own claim up; `given_up` is false when there was none."""
        with opened(pool, viewer) as (conn, _):
            return {**_now(), "ticket_id": ticket_id, "given_up": claims.give_up(conn, viewer, ticket_id)}

    @routes.get("/claims")
    def listed(
        viewer: Seer,
        words: Annotated[Literal["mine"] | None, Query(description="Also what one was told.")] = None,
    ) -> Told:
        """Who decides which ticket now; with `words=mine` what those said in the last day who took one's own over."""
        with opened(pool, viewer) as (conn, _):
            rows = [claim_told(one, viewer) for one in claims.listed(conn)]
            heard = [word_told(one, viewer) for one in claims.words(conn, viewer)] if words else None
        return {**_now(), "lease_s": lease.total_seconds(), "rows": rows, "words": heard}

    @routes.post("/tickets/{ticket_id}/assign", responses=TAKEN)
    def assigned(ticket_id: TicketId, body: Assign, viewer: Seer, key: Key = None) -> Told:
        """Give a ticket to a worker, a department, the holder of a post, or onward; answered after the commit.

        A new one is taken up first. It may be taken back until `undo_until`, while nobody has signed for it.
        """
        with opened(pool, viewer) as (conn, _):
            done = assign(conn, profile, viewer, ticket_id, body, key=key)
            ticket = told(conn, viewer, done.ticket)
        return {**_now(), "ticket": ticket, "undo_until": ms(done.undo_until), "replayed": done.replayed}

    @routes.post("/tickets/{ticket_id}/assign/preview", responses=TAKEN)
    def previewed(ticket_id: TicketId, body: Assign, viewer: Seer) -> Told:
        """The ticket as this assignment would leave it: who has it, when it is due. Nothing is changed."""
        with opened(pool, viewer) as (conn, _):
            ticket = preview(conn, profile, viewer, ticket_id, body)
            return {**_now(), "ticket": told(conn, viewer, ticket)}

    @routes.post("/tickets/{ticket_id}/undo", responses=TAKEN)
    def undone(ticket_id: TicketId, body: UndoIn, viewer: Seer, key: Key = None) -> Told:
        """Take one's own assignment or recall back, within a minute, while nobody has signed for it."""
        with opened(pool, viewer) as (conn, _):
            ticket = undo(conn, profile, viewer, ticket_id, body.version, key=key)
            return {**_now(), "ticket": told(conn, viewer, ticket)}

    @routes.post("/tickets/{ticket_id}/recall", responses=TAKEN)
    def recalled(ticket_id: TicketId, body: RecallIn, viewer: Seer, key: Key = None) -> Told:
        """Take a ticket back from whoever holds it, to decide anew."""
        with opened(pool, viewer) as (conn, _):
            ticket = recall(conn, profile, viewer, ticket_id, body.version, body.reason, key=key)
            return {**_now(), "ticket": told(conn, viewer, ticket)}

    return routes


def ticket_told(runtime: Runtime, conn: Db, viewer: Viewer, ticket: Ticket) -> Told:
    """A ticket as /api/tickets tells it, but for its times, and who has it."""
    shown = _out(runtime, ticket).model_dump(exclude={"commands"})
    plain = {name: ms(value) if isinstance(value, datetime) else value for name, value in shown.items()}
    return plain | {"holder": holder_of(conn, runtime.profile, viewer, ticket)}


def _now() -> Told:
    return {"as_of": ms(datetime.now(UTC))}
