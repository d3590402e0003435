"""/api/dispatch/weights and /api/dispatch/leaves: what weighs how much for candidates, and who is away."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import AwareDatetime, Field

from api.care import PRINTED, REFUSALS, Body, Within, _not_kept
from api.desks import Card, ms
from api.dispatch_candidates import row_told
from api.gate import Seer
from api.router import Router
from profiles import Profile
from profiles.dispatch import Weights
from services.access import Right, Viewer, opened
from services.dispatch import leaves, weights
from services.dispatch.found import Candidate
from services.dispatch.preview import Preview, preview
from services.dispatch.weights import Setting
from services.runtime import Runtime
from services.tickets import number


class WeightsIn(Body):
    """Weights of all parts; a part that is not named has the profile's."""

    weights: Weights

    def whole(self, profile: Profile) -> Weights:
        """The weights of all parts."""
        return profile.dispatch.weights.model_copy(update=self.weights.model_dump(exclude_unset=True))


class WeightsSet(WeightsIn):
    """Weights to hold from now on."""

    version: int = Field(ge=0, lt=2**31, description="The version of the weights that the sender has seen.")


class LeaveIn(Body):
    """When somebody is away; why, is not asked."""

    worker: Annotated[str, Field(min_length=1, max_length=40, pattern=PRINTED)] = Field(
        description="Code of a worker."
    )
    begins: AwareDatetime
    ends: AwareDatetime


Name = Annotated[
    str,
    Query(min_length=1, max_length=40, pattern=PRINTED, description="A part of a name, the start of a code."),
]
LeaveId = Annotated[int, Path(ge=1, lt=2**63, description="Id of a leave.")]


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(
        prefix="/api/dispatch", tags=["Dispatch"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool = runtime.profile, runtime.pool

    @routes.get("/weights")
    def dispatch_weights(viewer: Seer) -> Card:
        """How much each part of a candidate's score weighs; version 0 are the profile's own."""
        with opened(pool, viewer) as (conn, _):
            found = weights.setting(conn, profile)
        return _setting(profile, viewer, found)

    @routes.put("/weights")
    def set_weights(body: WeightsSet, viewer: Seer) -> Card:
        """Set the weights for the whole place, on record. 409 when somebody set them meanwhile."""
        with opened(pool, viewer) as (conn, _):
            found = weights.change(conn, profile, viewer, body.version, body.whole(profile))
        return _setting(profile, viewer, found)

    @routes.post("/weights/preview")
    def try_weights(body: WeightsIn, viewer: Seer, within: Within = None) -> Card:
        """What other weights would change: how many of the tickets that wait would have another first candidate.

        Examples for who may read tickets; nothing is kept.
        """
        now = datetime.now(UTC)
        with opened(pool, viewer, within) as (conn, _):
            found = preview(conn, profile, body.whole(profile), now)
        return {"as_of": ms(now), **_preview(profile, viewer, found)}

    @routes.get("/leaves")
    def worker_leaves(viewer: Seer) -> Card:
        """Leaves that last or are to come."""
        now = datetime.now(UTC)
        people = viewer.may(Right.PEOPLE)
        with opened(pool, viewer) as (conn, _):
            found = leaves.coming(conn, now)
        rows = [
            one._asdict()
            | {"name": one.name if people else None, "begins": ms(one.begins), "ends": ms(one.ends)}
            for one in found
        ]
        return {"as_of": ms(now), "may_edit": viewer.may(Right.LEAVES), "rows": rows}

    @routes.post("/leaves", status_code=201)
    def enter_leave(body: LeaveIn, viewer: Seer) -> Card:
        """Enter a leave: until it is over the worker is proposed for nothing."""
        with opened(pool, viewer) as (conn, _):
            return {"id": leaves.add(conn, viewer, body.worker, body.begins, body.ends)}

    @routes.delete("/leaves/{leave_id}", status_code=204)
    def remove_leave(leave_id: LeaveId, viewer: Seer) -> None:
        """Take a leave out before it begins; one that lasts ends now."""
        with opened(pool, viewer) as (conn, _):
            leaves.remove(conn, viewer, leave_id, datetime.now(UTC))

    @routes.get("/workers")
    def workers_named(viewer: Seer, q: Name) -> Card:
        """Active workers whose name holds these letters or whose code begins with them, eight at the most."""
        now = datetime.now(UTC)
        with opened(pool, viewer) as (conn, _):
            found = leaves.found(conn, q, now)
        return {
            "as_of": ms(now),
            "rows": [one._asdict() | {"away_until": ms(one.away_until)} for one in found],
        }

    return routes


def _setting(profile: Profile, viewer: Viewer, found: Setting) -> Card:
    return {
        "version": found.version,
        "weights": found.weights.model_dump(),
        "defaults": profile.dispatch.weights.model_dump(),
        "changed_at": ms(found.changed_at),
        "changed_by": found.changed_by,
        "may_edit": weights.may_change(viewer),
    }


def _preview(profile: Profile, viewer: Viewer, found: Preview) -> Card:
    people, reads = viewer.may(Right.PEOPLE), viewer.may(Right.TICKETS_READ)

    def first(one: Candidate | None) -> Card | None:
        told = None if one is None else row_told(profile, one, people=people)
        return told and {name: told[name] for name in ("key", "kind", "code", "name", "score", "parts")}

    return {
        "total": found.total,
        "tickets": found.tickets,
        "changed": found.changed,
        "examples": [
            {
                "ticket": {
                    "id": one.ticket_id,
                    "number": number(one.ticket_id, one.reported_at, profile.time_zone),
                    "title": one.title if people else None,
                },
                "was": first(one.was),
                "now": first(one.now),
            }
            for one in (found.examples if reads else ())
        ],
    }
