"""Plans of the queue over HTTP, and the round of a worker: who could take what, in which order to walk."""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Path
from pydantic import Field

from api.care import PRINTED, REFUSALS, Body, _not_kept
from api.desks import Card
from api.errors import Error, named
from api.gate import Seer
from api.router import Router
from services.access import Viewer, opened
from services.dispatch import plan as plans
from services.dispatch.telling import holder_of
from services.dispatch.worker_round import round_of
from services.runtime import Runtime

Id = Annotated[int, Field(ge=1, lt=2**63)]
PlanId = Annotated[int, Path(ge=1, lt=2**63, description="Id of a plan.")]
MOST = 5000
OVER: dict[int | str, dict[str, Any]] = {
    409: {"model": Error, "description": "The plan has expired or was dropped: make a new one."}
}


class PlanIn(Body):
    """What to plan."""

    within: str | None = Field(
        None, max_length=40, description="Code of an area; all that one may see without it."
    )
    tickets: list[Id] | None = Field(
        None, min_length=1, max_length=MOST, description="These alone; all that wait without it."
    )


class AcceptIn(Body):
    """Which lines of a plan to carry out."""

    lines: list[Id] = Field(min_length=1, max_length=MOST, description="Ids of their tickets.")


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(
        prefix="/api/dispatch", tags=["Dispatch"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool = runtime.profile, runtime.pool

    @routes.post("/plans", status_code=201)
    def make(body: PlanIn, viewer: Seer) -> Card:
        """A proposal for the open tickets that nobody has: optimal assignment with room in hand and a fair share.

        Nothing is assigned by it; it can be accepted for 15 minutes.
        """
        now = datetime.now(UTC)
        with opened(pool, viewer, body.within) as (conn, scope):
            plan_id = plans.make(conn, profile, viewer, scope, body.tickets, now)
            return plans.told(profile, viewer, *plans.read(conn, viewer, plan_id), now)

    @routes.get("/plans/{plan_id}")
    def read(plan_id: PlanId, viewer: Seer) -> Card:
        """A plan of one's own as it was made, what became of its lines, and which tickets have changed since."""
        with opened(pool, viewer) as (conn, _):
            return plans.told(profile, viewer, *plans.read(conn, viewer, plan_id), datetime.now(UTC))

    @routes.delete("/plans/{plan_id}", status_code=204)
    def drop(plan_id: PlanId, viewer: Seer) -> None:
        """Let a plan of one's own go."""
        with opened(pool, viewer) as (conn, _):
            plans.drop(conn, viewer, plan_id, datetime.now(UTC))

    @routes.post("/plans/{plan_id}/accept", responses=OVER)
    def accept(
        plan_id: PlanId, body: AcceptIn, viewer: Seer,
        key: Annotated[
            str | None,
            Header(alias="Idempotency-Key", min_length=1, max_length=70, description="As for one command."),
        ] = None,
    ) -> Card:  # fmt: skip
        """Carry out some lines, each by itself; a ticket that somebody changed meanwhile stays as it is."""
        now = datetime.now(UTC)
        found = plans.accept(pool, profile, viewer, plan_id, body.lines, now, key=key)
        return {
            "assigned": [_assigned(viewer, one) for one in found if one.done is not None],
            "refused": [_refused(one) for one in found if one.error is not None],
        }

    @routes.get("/workers/{worker_code}/round")
    def worker_round(
        worker_code: Annotated[
            str, Path(min_length=1, max_length=40, pattern=PRINTED, description="Code of a worker.")
        ],
        viewer: Seer,
    ) -> Card:
        """In which order a worker best walks to the tickets in hand, with metres and minutes of each leg."""
        with opened(pool, viewer) as (conn, _):
            return round_of(conn, profile, viewer, worker_code, datetime.now(UTC))

    def _assigned(viewer: Viewer, one: plans.Accepted) -> Card:
        assert one.done is not None
        with opened(pool, viewer) as (conn, _):
            to = holder_of(conn, profile, viewer, one.done.ticket)
        ticket = one.done.ticket
        return {
            "id": ticket.id,
            "version": ticket.version,
            "to": to,
            "undo_until": round(one.done.undo_until.timestamp() * 1000),
        }

    return routes


def _refused(one: plans.Accepted) -> Card:
    """Why a line was not carried out, as the route of a single assignment would say it; who was quicker, and when."""
    assert one.error is not None
    answer = named(one.error, "/api/dispatch/plans")
    why: Card = orjson.loads(bytes(answer.body))["error"] if answer else {"code": "error", "details": []}
    first: Card = why["details"][0] if why["details"] else {}
    return {
        "id": one.ticket_id,
        "why": why,
        "by": first.get("by_name") or first.get("by"),
        "at": first.get("at"),
    }
