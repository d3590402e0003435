"""Who looks at the page that is being made: the gate found it, the server that carries Dash hands it on."""

from flask import request

from services.access import Viewer


class SignedOut(Exception):
    """Nobody is signed in, or the session has ended."""


def found() -> Viewer | None:
    """The viewer of this request, None when nobody is known."""
    state = request.environ.get("asgi.scope", {}).get("state", {})
    viewer = state.get("viewer")
    return viewer if isinstance(viewer, Viewer) else None


def current() -> Viewer:
    """The viewer of this request; raises SignedOut."""
    viewer = found()
    if viewer is None:
        raise SignedOut
    return viewer


def is_away() -> bool:
    """Whether nobody could be recognised because a store is away."""
    return bool(request.environ.get("asgi.scope", {}).get("state", {}).get("away"))


def nonce() -> str:
    """What marks an inline script as the page's own, for its Content-Security-Policy; another one each request."""
    return str(request.environ.get("asgi.scope", {}).get("state", {}).get("nonce", ""))
