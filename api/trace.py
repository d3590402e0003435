"""What surrounds every request: an id, a time taken, a log line, and a calm answer to an uncaught exception."""

import logging
import os
import re
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import refusal
from api.metrics import LATENCY, REQUESTS

log = structlog.get_logger("wangge.http")
plain_log = logging.getLogger("wangge.http")  # says at once whether a level is written
GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
SLOW_S = 1.0


class Trace:
    """ASGI middleware, outermost. A well-formed X-Request-ID of the caller is kept, else one is made."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _given(scope) or os.urandom(8).hex()
        status = 0

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {
                    **message,
                    "headers": [*message["headers"], (b"x-request-id", request_id.encode())],
                }
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, answered)
            except Exception:
                log.exception("uncaught", method=scope["method"], path=scope["path"])
                if status:
                    raise  # half an answer is out: let the server cut the connection
                words = "Something went wrong on our side; the log tells more by this request id."
                sorry = refusal(500, "internal", words, [{"request_id": request_id}])
                await sorry(scope, receive, answered)
            took_s = time.perf_counter() - started
            route = _route(scope)
            REQUESTS.labels(scope["method"], route, status).inc()
            LATENCY.labels(scope["method"], route).observe(took_s)
            level = logging.ERROR if status == 500 else logging.WARNING if took_s > SLOW_S else logging.DEBUG
            if plain_log.isEnabledFor(level):
                log.log(
                    level,
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    ms=round(took_s * 1000, 1),
                )


def _given(scope: Scope) -> str | None:
    """The caller's own id, if it is well-formed."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            told = value.decode("latin-1")
            return told if GIVEN.fullmatch(told) else None
    return None


def _route(scope: Scope) -> str:
    """The route's template; the screen's name for pages, so that the label has few values."""
    template = getattr(scope.get("route"), "path_format", None)
    if template and template != "/api/{path}":
        return str(template)
    first = str(scope["path"]).split("/", 2)[1]
    return f"/{first}" if first in {"wall", "area"} else "/api (unknown)" if first == "api" else "(other)"
