"""The gate: finds out who asks, refuses forged requests, and lets through who has the right of the route."""

import asyncio
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any
from urllib.parse import urlsplit

import psycopg
import structlog
from fastapi import Depends, FastAPI, HTTPException
from fastapi.routing import iter_route_contexts
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.routing import Mount, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from api.errors import refusal
from api.rules import PUBLIC, RULES
from geodata.scope import EVERYTHING
from services import audit
from services.access import Right, Viewer
from services.runtime import Runtime

log = structlog.get_logger("wangge.gate")
SESSION, WALL = "wangge_session", "wangge_wall"  # cookies; over HTTPS their names begin with __Host-
CSRF_COOKIE, CSRF_HEADER = "_csrf_token", "x-csrftoken"  # the names that Dash's renderer knows
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
DEVICES = "/api/positions/"  # phones bring a token of their own
UNKNOWN = "/api/{path:path}"  # what no route knows is a 404, see app.py
SIGNED_OUT = 4401  # code of a closed WebSocket
REFUSED = (403, 404)  # for who is known: what they may not do, or what is not there for them
ANYBODY = Viewer("client", 0, "anybody", "reporter", EVERYTHING)


class Gate:
    """ASGI middleware; leaves the viewer, or None, in scope["state"]["viewer"]."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self.app = app
        self._sessions = runtime.sessions
        self._tokens = runtime.tokens
        self._secure = runtime.settings.secure_cookies
        self._proxies = runtime.settings.trusted_proxies
        self._pool = runtime.pool
        self._noting: set[asyncio.Task[bool]] = set()  # kept, as the loop itself holds tasks weakly only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith(DEVICES):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["ip"] = self._ip(scope, headers)
        state["viewer"], state["away"] = None, False
        try:
            viewer, by_cookie = await self._viewer(headers)
        except (RedisError, psycopg.OperationalError, PoolTimeout, OSError) as error:
            log.warning("nobody can be recognised", error=str(error))
            viewer, by_cookie, state["away"] = None, False, True
        state["viewer"] = viewer
        forged = _forged(scope, headers, viewer if by_cookie else None)
        answer = self.app if forged is None else _refused_as_forged(forged)
        if viewer is None or scope["type"] == "websocket":
            await answer(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in REFUSED:
                self._note(viewer, scope)
            await send(message)

        await answer(scope, receive, noting)

    def _note(self, viewer: Viewer, scope: Scope) -> None:
        """Have the audit keep that somebody asked for what is not theirs, without making them wait for it."""
        path = scope["path"]
        if path.startswith("/api/") or path.endswith("/_dash-update-component"):
            work = asyncio.to_thread(audit.record_denied, self._pool, viewer, scope["method"], path)
            task = asyncio.create_task(work)
            self._noting.add(task)
            task.add_done_callback(self._noting.discard)

    async def _viewer(self, headers: Headers) -> tuple[Viewer | None, bool]:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return await self._tokens.client(token.strip()), False
        cookies = cookies_of(headers)
        prefix = "__Host-" if self._secure else ""
        if (token := cookies.get(prefix + SESSION, "")) and (viewer := await self._sessions.find(token)):
            return viewer, True
        if token := cookies.get(prefix + WALL, ""):
            return await self._tokens.wall(token), True
        return None, False

    def _ip(self, scope: Scope, headers: Headers) -> str:
        """The caller's address; what proxies of ours added to X-Forwarded-For counts, nothing else does."""
        direct = scope["client"][0] if scope.get("client") else ""
        told = ",".join(headers.getlist("x-forwarded-for"))  # some proxies add a line of their own
        hops = [hop.strip() for hop in told.split(",") if hop.strip()]
        return hops[-self._proxies] if self._proxies and len(hops) >= self._proxies else direct


def _refused_as_forged(reason: str) -> ASGIApp:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await refusal(403, "forged", reason)(scope, receive, send)

    return refuse


def cookies_of(headers: Headers) -> dict[str, str]:
    """The cookies of a request; a malformed header has none."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def _forged(scope: Scope, headers: Headers, by_cookie: Viewer | None) -> str | None:
    """Why a request did not come from a page of ours, or None.

    Browsers send cookies with requests that other sites cause, so whoever is known by a cookie must also name the
    session's token in a header, which other sites cannot read.
    """
    if scope["type"] == "http" and scope["method"] in SAFE:
        return None
    origin = headers.get("origin")
    if origin and _host_of(origin) != headers.get("host"):  # "null" is a sandboxed frame or a file
        return "The request comes from another site."
    if scope["type"] == "websocket":
        return None
    if by_cookie is not None and by_cookie.csrf and headers.get(CSRF_HEADER) != by_cookie.csrf:
        return f"The header {CSRF_HEADER} is missing or of another session; load the page again."
    return None


def _host_of(origin: str) -> str | None:
    """Host and port of an origin; None for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def seer(connection: HTTPConnection) -> Viewer:
    """Who asks, on a route that needs somebody. Waits for nothing; were it no coroutine, a thread would run it."""
    viewer = connection.scope["state"]["viewer"]
    if isinstance(viewer, Viewer):
        return viewer
    if connection.app.state.runtime.settings.open_intake:
        return ANYBODY  # the guard lets it nowhere but to the intake
    raise HTTPException(401, "Sign in first.")


Seer = Annotated[Viewer, Depends(seer)]


async def guard(connection: HTTPConnection) -> None:
    """Refuse who lacks the right of the route; a dependency of every router. A WebSocket asks `admitted` itself."""
    if connection.scope["type"] == "websocket":
        return
    method = connection.scope["method"]
    rule = RULES["GET" if method == "HEAD" else method, connection.scope["route"].path_format]
    state = connection.scope["state"]
    if rule == PUBLIC:
        return
    open_intake = rule == Right.TICKETS_FILE and connection.app.state.runtime.settings.open_intake
    if state["viewer"] is None and open_intake:
        return
    check(state, rule)


def check(state: dict[str, Any], right: Right) -> Viewer:
    """The viewer, if it has the right; HTTPException 401, 403 or 503 if not."""
    viewer = state["viewer"]
    if state["away"]:
        raise HTTPException(503, "Sessions cannot be checked at the moment; try again.", {"Retry-After": "2"})
    if not isinstance(viewer, Viewer):
        raise HTTPException(401, "Sign in first.")
    if viewer.must_change:
        raise HTTPException(403, "Finish signing in first: /sign-in.")
    if not viewer.may(right):
        raise HTTPException(403, "Your role does not include this.")
    return viewer


async def admitted(socket: WebSocket, right: Right) -> Viewer | None:
    """The viewer of an accepted WebSocket; closes it with a code that its page understands if it may not go on."""
    try:
        return check(socket.scope["state"], right)
    except HTTPException as error:
        code = 1013 if error.status_code == 503 else SIGNED_OUT if error.status_code == 401 else 4403
        await socket.close(code, str(error.detail))
        return None


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """(method, path template) of every route of the app, "WS" for WebSockets; mounted apps and the catch-all not."""
    found: set[tuple[str, str]] = set()
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, Mount) or route.path == UNKNOWN:
            continue
        methods = {"WS"} if isinstance(route.original_route, WebSocketRoute) else route.methods or set()
        found |= {(method, str(route.path)) for method in methods - {"HEAD", "OPTIONS"}}
    return found


def require_rules(app: FastAPI) -> None:
    """Refuse to start with a route that no rule speaks of. Raises LookupError."""
    if missing := routes_of(app) - set(RULES):
        raise LookupError(f"api/rules.py has no row for {sorted(missing)}")
