"""/api/dispatch/alarms: what has to be heard, and acknowledging it."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import Field

from api.care import PRINTED, REFUSALS, Body, Within, _not_kept
from api.gate import Seer
from api.router import Router
from services.access import opened
from services.alarms import listing
from services.alarms.listing import State
from services.dispatch.queue import ms
from services.runtime import Runtime


class AcknowledgeIn(Body):
    """What whoever acknowledges it wants to say."""

    note: str | None = Field(None, max_length=300, pattern=PRINTED)


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(
        prefix="/api/dispatch", tags=["Dispatch"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool = runtime.profile, runtime.pool

    @routes.get("/alarms")
    def alarms(
        viewer: Seer,
        within: Within = None,
        state: Annotated[State, Query(description="all: those of the last 24 hours.")] = "open",
    ) -> dict[str, Any]:
        """Alarms that nobody acknowledged, or all of the last 24 hours; who supervises sees those that went up."""
        now = datetime.now(UTC)
        with opened(pool, viewer, within) as (conn, _):
            found = listing.alarms(conn, viewer, state, now)
        return {
            "as_of": ms(now),
            "counts": {"open": found.open, "escalated": found.escalated},
            "rows": [listing.told(profile, viewer, alarm) for alarm in found.rows],
        }

    @routes.post("/alarms/{alarm_id}/acknowledge")
    def acknowledge(
        alarm_id: Annotated[int, Path(ge=1, lt=2**63)], body: AcknowledgeIn, viewer: Seer
    ) -> dict[str, Any]:
        """Acknowledge an alarm by name. Whoever was quicker stands in the answer; there is no second one."""
        now = datetime.now(UTC)
        with opened(pool, viewer) as (conn, _):
            found = listing.acknowledge(conn, viewer, alarm_id, body.note, now)
        return {"as_of": ms(now), **listing.told(profile, viewer, found)}

    return routes
