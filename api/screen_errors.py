"""The one shape of errors for the server that carries the screens: Flask's own refusals, and what a callback raises."""

import structlog
from dash.exceptions import DependencyException, InvalidResourceError
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from api.errors import CODES, named, refusal
from screens.viewer import SignedOut

log = structlog.get_logger("wangge.screens")
INTERNAL = "Something went wrong on our side; the log tells more by this request id."


def install(server: Flask) -> None:
    """Make the server answer with the shape of /api, whatever is raised, and never with a traceback."""
    server.register_error_handler(HTTPException, _http)
    server.register_error_handler(Exception, _raised)


def _http(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]  # a redirection, or an answer made on purpose
    words = error.description or error.name
    return _answer(error.code, CODES.get(error.code, "error"), words, error.get_headers())


def _raised(error: Exception) -> Response:
    if isinstance(error, SignedOut):
        return _answer(401, "unauthorized", "Sign in first.")
    if isinstance(error, DependencyException | InvalidResourceError):
        return _answer(404, "not_found", "There is no such file.")
    known = named(error, request.path)
    if known is not None:
        return _flask(known.status_code, bytes(known.body), dict(known.headers))
    log.error("uncaught", method=request.method, path=request.path, exc_info=error)
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    sorry = refusal(500, "internal", INTERNAL, [{"request_id": request_id}])
    return _flask(500, bytes(sorry.body), {})


def _answer(status: int, code: str, words: str, headers: list[tuple[str, str]] | None = None) -> Response:
    kept = {name: value for name, value in headers or [] if name.lower() in ("allow", "retry-after")}
    return _flask(status, bytes(refusal(status, code, words).body), kept)


def _flask(status: int, body: bytes, headers: dict[str, str]) -> Response:
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() not in ("content-length", "content-type")
    }
    return Response(body, status, kept, mimetype="application/json")
