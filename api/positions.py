"""POST /api/positions/…: phones and terminals of workers report where they are, in the protocols of existing apps."""

import base64
import binascii
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.body import json_of, limited_body
from api.errors import answer_to, refusal
from api.router import Router
from services.positions import formats
from services.positions.fix import Reading
from services.positions.formats import Malformed
from services.positions.intake import REFUSED
from services.runtime import Runtime

PATH = "/api/positions"
BODY_BYTES = 16 * 1024
BATCH_BYTES = 2 * 1024 * 1024
BATCH_MOST = 10_000
REFUSED_HEADER = "X-Refused"
NO_TOKEN = "The device's token is missing or unknown."  # noqa: S105  # nosec B105


class Intake:
    """The three ways in.

    A reading that is refused is answered with 200 and the reason, as apps send again for ever what is not 2xx; only a
    token that is not known is 401, a body that no app would send 400.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._hub = runtime.hub

    async def osmand(self, request: Request) -> Response:
        """OsmAnd and Traccar Client: query string (id = token, lat, lon, timestamp, speed in knots, bearing, accuracy,
        batt), the same as a form, or Traccar Client's JSON."""
        try:
            token, reading = await _osmand_reading(request)
        except Malformed as error:
            return _malformed(error)
        return _answer(await self._take_one(token, reading), JSONResponse({"accepted": 1, "refused": []}))

    async def owntracks(self, request: Request) -> Response:
        """OwnTracks in HTTP mode; the token is the password (or the header X-Device-Token). Answers [] as the app
        expects; the header X-Refused gives the reason of a refusal."""
        token = _token(request)
        if token is None:
            raise HTTPException(401, NO_TOKEN, {"WWW-Authenticate": 'Basic realm="positions"'})
        try:
            reading = formats.from_owntracks(json_of(await limited_body(request, BODY_BYTES)))
        except Malformed as error:
            return _malformed(error)
        if reading is None:
            return JSONResponse([])
        reason = await self._take_one(token, reading)
        if reason == "unknown_token":
            raise HTTPException(401, NO_TOKEN, {"WWW-Authenticate": 'Basic realm="positions"'})
        return Response(
            b"[]", headers={REFUSED_HEADER: reason} if reason else None, media_type="application/json"
        )

    async def batch(self, request: Request) -> Response:
        """Many readings of many devices, 10,000 at most: [{"id": token, "at", "lon", "lat", "accuracy_m"?,
        "speed_mps"?, "course_deg"?, "battery_pct"?}, …], or the same list as "fixes" of an object. Answers how many
        were taken and which were refused."""
        body = json_of(await limited_body(request, BATCH_BYTES))
        items = body.get("fixes") if isinstance(body, dict) else body
        if not isinstance(items, list) or len(items) > BATCH_MOST:
            return _malformed(
                Malformed("fixes", type(items).__name__, f"a list of at most {BATCH_MOST} fixes")
            )
        readings: list[tuple[str, Reading]] = []
        places: list[int] = []
        refused: list[dict[str, Any]] = []
        for place, item in enumerate(items):
            try:
                readings.append(formats.from_batch(item))
                places.append(place)
            except Malformed as error:
                REFUSED.labels("malformed").inc()
                refused.append({"index": place, "reason": "malformed", **error.details[0]})
        for refused_one in await self._hub.intake.take(readings):
            refused.append({"index": places[refused_one.position], "reason": refused_one.reason})
        return JSONResponse({"accepted": len(items) - len(refused), "refused": refused})

    async def _take_one(self, token: str, reading: Reading) -> str | None:
        refusals = await self._hub.intake.take([(token, reading)])
        return refusals[0].reason if refusals else None


def router(runtime: Runtime) -> Router:
    """The routes of positions."""
    routes = Router(prefix=PATH, tags=["Positions"])
    intake = Intake(runtime)
    routes.get("/osmand", response_model=dict[str, Any])(intake.osmand)
    routes.post("/osmand", response_model=dict[str, Any])(intake.osmand)
    routes.post("/owntracks", response_model=list[dict[str, Any]])(intake.owntracks)
    routes.post("/batch", response_model=dict[str, Any])(intake.batch)
    return routes


class Lane:
    """ASGI middleware: hands positions to the same functions, past the gate, which phones do not come through, past
    what limits and compresses the bodies of others, and without the search for a route; each of these costs as much as
    judging a position does. Everything else passes."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self.app = app
        intake = Intake(runtime)
        self._ways = {
            ("GET", f"{PATH}/osmand"): intake.osmand,
            ("POST", f"{PATH}/osmand"): intake.osmand,
            ("POST", f"{PATH}/owntracks"): intake.owntracks,
            ("POST", f"{PATH}/batch"): intake.batch,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._ways.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if way is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = _Way(scope["path"])
        request = Request(scope, receive, send)
        try:
            response = await way(request)
        except Exception as error:
            response = answer_to(request, error)
        await response(scope, receive, send)


class _Way(NamedTuple):
    """What measures call this route."""

    path_format: str


async def _osmand_reading(request: Request) -> tuple[str, Reading]:
    if request.method == "POST":
        body = await limited_body(request, BODY_BYTES)
        if "json" in request.headers.get("content-type", "") or body[:1] == b"{":
            return formats.from_traccar_json(json_of(body))
        form = dict(parse_qsl(body.decode(errors="replace"))) if body else {}
        return formats.from_osmand(dict(request.query_params) | form)
    return formats.from_osmand(request.query_params)


def _answer(reason: str | None, accepted: Response) -> Response:
    if reason is None:
        return accepted
    if reason == "unknown_token":
        return refusal(401, reason, NO_TOKEN)
    body = {"accepted": 0, "refused": [{"index": 0, "reason": reason}]}
    return JSONResponse(body, headers={REFUSED_HEADER: reason})


def _malformed(error: Malformed) -> Response:
    REFUSED.labels("malformed").inc()
    return refusal(400, "malformed", str(error), error.details)


def _token(request: Request) -> str | None:
    """The token of a header of ours, the password of HTTP basic authentication, or OwnTracks' device header."""
    given = request.headers.get("x-device-token")
    if given:
        return given
    kind, _, coded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return request.headers.get("x-limit-d")
    try:
        return base64.b64decode(coded, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None
