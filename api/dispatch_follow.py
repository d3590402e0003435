"""/api/dispatch/follow: what the windows of one account show, so that queue and map follow each other."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.gate import Seer
from api.router import Router
from services.access import opened
from services.dispatch import follow as following
from services.runtime import Runtime
from services.tickets import UnknownTicket

Id = Annotated[int, Field(ge=1, lt=2**63)]
Asked = Literal["tab", "town", "channel", "category", "status", "q"]
Words = Annotated[str, Field(max_length=100)]
Spot = Annotated[tuple[float, float], Field(description="Longitude, latitude (EPSG:4326).")]


class FollowIn(BaseModel):
    """What a window shows."""

    model_config = ConfigDict(extra="forbid")

    window: str = Field(max_length=40, description="Names the window, so that it knows its own echo.")
    ticket: Id | None = None
    candidate: int = Field(0, ge=0, le=50)
    lasso: list[Spot] | None = Field(None, min_length=3, max_length=200)
    box: str | None = Field(None, max_length=80, description="The map's extent: west,south,east,north.")
    picked: list[Id] = Field([], max_length=1000)
    asked: dict[Asked, Words] | None = Field(
        None,
        description="The tab and filters of the queue; a window without one leaves them as they are.",
    )


class FollowOut(BaseModel):
    """What the windows of the account show; empty when none has said so yet."""

    window: str | None = None
    ticket: int | None = None
    candidate: int = 0
    lasso: list[Spot] | None = None
    box: str | None = None
    picked: list[int] = []
    asked: dict[str, str] | None = None


def router(runtime: Runtime) -> Router:
    """The routes."""
    routes = Router(prefix="/api/dispatch/follow", tags=["Dispatch"])
    prefix = runtime.stores.key_prefix

    @routes.get("")
    def followed(viewer: Seer) -> FollowOut:
        """What the account's own windows show now."""
        state = following.followed(runtime.redis, prefix, viewer)
        if state.get("ticket") is not None:
            with opened(runtime.pool, viewer) as (conn, _):
                try:
                    following.require(conn, state["ticket"])
                except UnknownTicket:  # moved out of the viewer's areas meanwhile
                    state = {**state, "ticket": None}
        return FollowOut.model_validate(state)

    @routes.post("")
    def follow(body: FollowIn, viewer: Seer) -> FollowOut:
        """Say what this window shows; the account's other windows hear that there is news (live: desk "follow")."""
        with opened(runtime.pool, viewer) as (conn, scope):
            state = following.follow(conn, runtime.redis, prefix, viewer, scope, body.model_dump(mode="json"))
        return FollowOut.model_validate(state)

    return routes
