"""/api/dispatch/bulk…: many tickets at once, seen before it is done, and taken back by the bulk's key."""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header
from pydantic import Field

from api.care import PRINTED, REFUSALS, Body, _not_kept
from api.dispatch_assign import Version
from api.errors import named
from api.gate import Seer
from api.router import Router
from profiles import Profile
from services.dispatch import bulk
from services.dispatch.assign import Assign, Via
from services.dispatch.telling import Told, ms
from services.runtime import Runtime
from services.tickets import number
from services.tickets.orders import Code, Party

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=80, pattern=PRINTED,
        description="The bulk's key: the same again does nothing, and by it all is taken back.",
    ),
]  # fmt: skip


class ItemIn(Body):
    """A ticket, the version that was seen, and who is to take it where that is not who the bulk names."""

    id: int = Field(ge=1, lt=2**63)
    version: Version
    to: Party | bulk.Best | None = None


class BulkIn(Body):
    """One decision about many tickets."""

    items: list[ItemIn] = Field(min_length=1, max_length=bulk.MOST)
    to: Party | bulk.Best | None = Field(
        None, description="Who takes them; best: each ticket's first candidate."
    )
    joint: list[Party] = Field(default_factory=list, max_length=10)
    via: Via = "dispatch"
    onward: Code | None = None
    note: str | None = Field(None, max_length=1000, pattern=PRINTED)

    @property
    def order(self) -> Assign:
        """The decision without ticket and taker."""
        return Assign(version=1, joint=self.joint, via=self.via, onward=self.onward, note=self.note)

    @property
    def rows(self) -> list[bulk.Item]:
        """The tickets."""
        return [bulk.Item(one.id, one.version, one.to) for one in self.items]


class BackIn(Body):
    """Which bulk is taken back."""

    key: str = Field(min_length=1, max_length=80, pattern=PRINTED)


def router(runtime: Runtime) -> Router:
    """The routes; each ticket answers for itself."""
    routes = Router(
        prefix="/api/dispatch", tags=["Dispatch"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool = runtime.profile, runtime.pool

    @routes.post("/bulk/preview")
    def seen(body: BulkIn, viewer: Seer) -> Told:
        """What the bulk would do: who would take each ticket, or why it cannot be. Nothing is changed."""
        return _told(profile, bulk.seen(pool, profile, viewer, body.rows, body.order, body.to))

    @routes.post("/bulk")
    def given(body: BulkIn, viewer: Seer, key: Key = None) -> Told:
        """Assign up to 200 tickets, each by itself; those that are refused say why and stop nobody."""
        named_by, outcomes = bulk.give(pool, profile, viewer, body.rows, body.order, body.to, key=key)
        return {"key": named_by} | _told(profile, outcomes)

    @routes.post("/bulk/undo")
    def taken_back(body: BackIn, viewer: Seer) -> Told:
        """Take back what one's bulk of that key assigned, within a minute; what was signed for stays, and says so."""
        return _told(profile, bulk.take_back(pool, profile, viewer, body.key))

    return routes


def _told(profile: Profile, outcomes: list[bulk.Outcome]) -> Told:
    rows = [_row(profile, one) for one in outcomes]
    return {"as_of": ms(datetime.now(UTC)), "done": sum(row["ok"] for row in rows), "rows": rows}


def _row(profile: Profile, one: bulk.Outcome) -> Told:
    ticket = one.ticket
    if ticket is None:
        return {"id": one.id, "ok": False, "to": None, "why": _why(one.error)}
    return {
        "id": one.id,
        "ok": True,
        "to": one.to,
        "why": None,
        "number": number(ticket.id, ticket.reported_at, profile.time_zone),
        "version": ticket.version,
        "status": ticket.status,
        "due_at": ms(ticket.due_at),
        "sign_due": ms(ticket.sign_due),
        "undo_until": ms(one.undo_until),
    }


def _why(error: Exception | None) -> Any:
    """The error as a single request would have answered it."""
    refused = named(error, "/api/dispatch/bulk") if error else None
    assert refused is not None, "a bulk holds errors of the table alone"
    return orjson.loads(bytes(refused.body))["error"]
