"""/api/walls: a screen asks for its code, an administrator confirms it, the paired wall renews its token."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import HTTPException, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.errors import Error, refusal
from api.gate import WALL, Seer, cookies_of
from api.router import Router
from geodata.scope import EVERYTHING, scoped
from services.access import walls
from services.access.limits import Limits
from services.access.walls import BadPairing, TooManyTries, UnknownWall
from services.runtime import Runtime

BEGINS = (60, 600)  # pairings that one address may begin: at once, seconds in which as many come back
CLAIMS = (1200, 60)  # a wall asks every two seconds; many may stand behind one address
NO_STORE = {"Cache-Control": "no-store"}


class PairingOut(BaseModel):
    """The code to show, and the secret to ask with."""

    code: str = Field(examples=["7CFK-9RTX"])
    secret: str
    left_s: int


class ClaimIn(BaseModel):
    """A pairing that was begun."""

    model_config = ConfigDict(extra="forbid")
    secret: str = Field(min_length=20, max_length=100)


class ClaimOut(BaseModel):
    """How it stands; with "paired" comes the cookie, once."""

    state: Literal["pending", "paired", "expired"]
    left_s: int


class RenewOut(BaseModel):
    """Whether a new cookie came."""

    renewed: bool


class ViewIn(BaseModel):
    """How the wall shows its area."""

    model_config = ConfigDict(extra="forbid")
    lang: Literal["zh-CN", "en"] = "zh-CN"
    tour: bool = True


class ConfirmIn(BaseModel):
    """The code that a wall shows, and what it becomes."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(max_length=40)
    name: str = Field(max_length=200, description="Where the screen hangs, for lists.")
    area: str = Field(max_length=40, description="Code of the area that it shows, inside of your own.")
    view: ViewIn = ViewIn()


class WallOut(BaseModel):
    """A wall; `last_seen_at` is kept current while it is connected."""

    id: int
    name: str
    area_code: str
    area_name: str
    view: dict[str, Any]
    created_at: datetime
    created_by: str
    last_seen_at: datetime | None
    revoked_at: datetime | None
    demo: bool


class Paired(BaseModel):
    """The new wall."""

    id: int


TOO_MANY: dict[int | str, dict[str, Any]] = {
    429: {"model": Error, "description": "Too often; see Retry-After."}
}
BAD: dict[int | str, dict[str, Any]] = {
    404: {"model": Error, "description": "There is no such area."},
    422: {"model": Error, "description": "No wall shows the code, or a field is not as described."},
}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "There is no such wall."}}


def router(runtime: Runtime) -> Router:
    """The routes, below /api/walls."""
    routes = Router(prefix="/api/walls", tags=["Walls"])
    redis, prefix = runtime.redis, runtime.stores.key_prefix
    limits, days = Limits(redis, prefix), runtime.settings.wall_token_days
    secure = runtime.settings.secure_cookies
    cookie = f"__Host-{WALL}" if secure else WALL

    def limited(bucket: str, request: Request, rate: tuple[int, int]) -> None:
        if wait_s := limits.take(bucket, request.scope["state"]["ip"], *rate):
            raise HTTPException(
                429, f"Too many requests; try again in {wait_s} seconds.", {"Retry-After": str(wait_s)}
            )

    def with_token(body: BaseModel, token: str | None) -> JSONResponse:
        answer = JSONResponse(body.model_dump(), headers=NO_STORE)
        if token is not None:
            answer.set_cookie(
                cookie, token, max_age=days * 86_400, path="/", secure=secure, httponly=True, samesite="lax"
            )
        return answer

    @routes.post("/pairing", response_model=PairingOut, status_code=201, responses=TOO_MANY)
    def begin(request: Request) -> Response:
        """Begin a pairing: a code to show for 10 minutes, and the secret that only this screen knows."""
        limited("pairing-begin", request, BEGINS)
        pairing = walls.begin(redis, prefix)
        body = PairingOut(code=pairing.code, secret=pairing.secret, left_s=pairing.left_s)
        return JSONResponse(body.model_dump(), 201, NO_STORE)

    @routes.post("/pairing/claim", response_model=ClaimOut, responses=TOO_MANY)
    def claim(request: Request, asked: ClaimIn) -> Response:
        """Ask how the pairing stands. Once it is confirmed, the answer sets the cookie of the wall, a single time."""
        limited("pairing-claim", request, CLAIMS)
        found = walls.claim(runtime.pool, redis, prefix, asked.secret, days)
        return with_token(ClaimOut(state=found.state, left_s=found.left_s), found.token)

    @routes.post("/renew", response_model=RenewOut)
    def renew(request: Request, viewer: Seer) -> Response:
        """For a paired wall, once a day: a new cookie when more than a third of the old one's life is gone."""
        if viewer.kind != "wall":
            raise HTTPException(403, "Only a paired wall renews its token.")
        token = cookies_of(request.headers).get(cookie, "")
        try:
            with scoped(runtime.pool, EVERYTHING, "access") as conn:
                new = walls.renew(conn, token, days)
        except UnknownWall as error:
            raise HTTPException(401, str(error)) from None
        return with_token(RenewOut(renewed=new is not None), new)

    _for_administrators(routes, runtime)
    return routes


def _for_administrators(routes: Router, runtime: Runtime) -> None:
    @routes.get("")
    def all_walls(viewer: Seer) -> list[WallOut]:
        """The walls of your areas: paired ones by name, then those revoked in the last 30 days."""
        with scoped(runtime.pool, EVERYTHING, "access") as conn:
            found = walls.list_walls(conn, viewer)
        return [WallOut.model_validate(wall._asdict()) for wall in found]

    @routes.post("", status_code=201, response_model=Paired, responses=BAD | TOO_MANY)
    def confirm(asked: ConfirmIn, viewer: Seer) -> Response:
        """Pair the wall that shows the code: it goes to its map within seconds."""
        try:
            with scoped(runtime.pool, EVERYTHING, "access") as conn:
                wall_id = walls.confirm(
                    conn, runtime.redis, runtime.stores.key_prefix, viewer, asked.code,
                    name=asked.name, area_code=asked.area, view=asked.view.model_dump(),
                )  # fmt: skip
        except BadPairing as error:
            return refusal(422, "bad_pairing", str(error), error.details)
        except TooManyTries as error:
            return refusal(429, "too_many", str(error), headers={"Retry-After": str(error.wait_s)})
        return JSONResponse({"id": wall_id}, 201)

    @routes.delete("/{wall_id}", status_code=204, responses=UNKNOWN)
    def revoke(
        wall_id: Annotated[int, Path(description="Its number in the list.")], viewer: Seer
    ) -> Response:
        """Unpair a wall: within seconds it is blank and shows a new code."""
        try:
            with scoped(runtime.pool, EVERYTHING, "access") as conn:
                walls.revoke(conn, viewer, wall_id)
        except UnknownWall as error:
            return refusal(404, "unknown_wall", str(error))
        runtime.tokens.forget()
        return Response(status_code=204)
