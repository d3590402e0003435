"""The session in which the load clients and browsers of the bench ask the product: it may see everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import redis

from geodata.redis_clients import loop_redis
from geodata.scope import EVERYTHING
from geodata.servers import Stores
from services.access import Viewer
from services.access.sessions import Sessions

BENCH = Viewer("system", 0, "bench", "dispatcher", EVERYTHING, csrf="bench")
DESK = replace(BENCH, kind="account")  # the dispatchers' screen is for people
DAY_S = 86_400
_cookies: dict[str, str] = {}


def sign_in(stores: Stores, viewer: Viewer = BENCH) -> None:
    """Open a session on these stores; all requests from here on carry it (peers ignore it)."""
    client = redis.Redis.from_url(stores.redis_url)
    sessions = Sessions(
        client, loop_redis(stores.redis_url), stores.key_prefix, idle_s=DAY_S, absolute_s=DAY_S
    )
    _cookies.update(wangge_session=sessions.open(viewer, ip="", agent="bench"), _csrf_token=viewer.csrf)


@contextmanager
def at_the_desk(stores: Stores) -> Iterator[None]:
    """Carry the session of a dispatcher meanwhile."""
    sign_in(stores, DESK)
    try:
        yield
    finally:
        sign_in(stores)


def headers() -> dict[str, str]:
    """Headers of a request."""
    if not _cookies:
        return {}
    return {
        "Cookie": "; ".join(f"{name}={value}" for name, value in _cookies.items()),
        "X-CSRFToken": BENCH.csrf,
    }


def lines() -> str:
    """The same as whole lines ended by CRLF."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers().items())


def storage() -> dict[str, Any]:
    """The same as the `storage_state` of a playwright context."""
    fixed = {
        "domain": "127.0.0.1",
        "path": "/",
        "expires": -1,
        "httpOnly": False,
        "secure": False,
        "sameSite": "Lax",
    }
    return {
        "cookies": [{"name": name, "value": value, **fixed} for name, value in _cookies.items()],
        "origins": [],
    }
