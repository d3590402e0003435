"""The guard of Dash's own addresses: layouts and callbacks are served to who has the right, and to nobody else."""

from flask import Flask, Response, current_app, jsonify, request

from callbacks import shape
from callbacks.rules import RULES
from callbacks.shape import Malformed
from screens.page import EXTENSION
from screens.viewer import found, is_away
from services.access import Right

CALLBACK, LAYOUT, DEPENDENCIES = "_dash-update-component", "_dash-layout", "_dash-dependencies"


def install(server: Flask) -> None:
    """Ask before every request of that server."""
    server.before_request(refuse)


def refuse() -> Response | None:
    """The refusal, or None to go on. Files are open to all; a page looks for its viewer itself."""
    name = request.path.rsplit("/", 1)[-1]
    reason = _reason(name) if name in (CALLBACK, LAYOUT, DEPENDENCIES) else None
    return None if reason is None else _refusal(*reason)


def _reason(name: str) -> tuple[int, str, str] | None:
    try:
        return _refused(name)
    except Malformed as error:
        return (400, "malformed", str(error))


def _refused(name: str) -> tuple[int, str, str] | None:
    viewer = found()
    right = _right(name) if viewer is not None else None
    if is_away():
        reason = (503, "away", "Sessions cannot be checked at the moment; try again.")
    elif viewer is None:
        reason = (401, "unauthorized", "Sign in first.")
    elif viewer.must_change:
        reason = (403, "forbidden", "Finish signing in first: /sign-in.")
    elif right is None:
        reason = (404, "unknown_callback", "There is no such callback.")
    elif not viewer.may(right):
        reason = (403, "forbidden", "Your role does not include this.")
    else:
        if name == CALLBACK:
            _check_shape()
        return None
    return reason


def _check_shape() -> None:
    """Raise Malformed for a body that the callback would stumble over."""
    screen = current_app.extensions[EXTENSION][request.path.split("/")[1]]
    given = shape.body()
    callback = screen.callback_map.get(given["output"])
    if callback is None:
        raise Malformed("The callback is of another screen.")
    shape.check(callback, given)


def _right(name: str) -> Right | None:
    if name != CALLBACK:
        return Right.MAP
    output = shape.body().get("output")
    return RULES.get(output) if isinstance(output, str) else None


def _refusal(status: int, code: str, message: str) -> Response:
    answer = jsonify({"error": {"code": code, "message": message, "details": []}})
    answer.status_code = status
    return answer
