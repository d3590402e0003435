"""Viewers for tests, and the cookies with which a browser or client is one of them."""

import asyncio
from dataclasses import replace
from typing import Any

import redis

from geodata.redis_clients import loop_redis
from geodata.scope import EVERYTHING, Scope
from geodata.servers import Stores
from services.access import Viewer
from services.access.sessions import Sessions
from tests.small_place import grid_no

DISPATCHER = Viewer("account", 1, "dispatcher", "dispatcher", EVERYTHING, ("370883",), csrf="csrf-of-tests")
RUNNING: dict[str, Stores] = {}  # address of a served app → its stores


def county(role: str) -> Viewer:
    """An account of that role for the whole small place."""
    return replace(DISPATCHER, name=role, role=role)


def of_town(town: int, role: str = "town_official") -> Viewer:
    """An account of that role for one town of the small place."""
    no = grid_no(town, 0, 0)
    scope = Scope(no, no + 999_999)
    return replace(
        DISPATCHER, id=10 + town, name=f"{role}{town}", role=role, scope=scope, areas=(f"37088300{town}",)
    )


def of_community(town: int, community: int, role: str = "community_clerk") -> Viewer:
    """An account of that role for one community of the small place."""
    no = grid_no(town, community, 0)
    code = f"37088300{town}00{community}"
    return replace(
        DISPATCHER, id=20 + town, name=f"{role}{town}", role=role, scope=Scope(no, no + 999), areas=(code,)
    )


def sessions_of(stores: Stores, idle_s: int = 3600, absolute_s: int = 36_000) -> Sessions:
    """The sessions of an app that runs on those stores."""
    client = redis.Redis.from_url(stores.redis_url)
    return Sessions(
        client, loop_redis(stores.redis_url), stores.key_prefix, idle_s=idle_s, absolute_s=absolute_s
    )


def cookies_for(url: str, viewer: Viewer = DISPATCHER) -> dict[str, str]:
    """Cookies of a new session of that viewer at a served app."""
    token = sessions_of(RUNNING[origin(url)]).open(viewer, ip="127.0.0.1", agent="tests")
    return {"wangge_session": token, "_csrf_token": viewer.csrf}


def client_args(url: str, viewer: Viewer = DISPATCHER) -> dict[str, Any]:
    """Arguments of an httpx client that is signed in as that viewer."""
    return {
        "base_url": url,
        "trust_env": False,
        "timeout": 20,
        "cookies": cookies_for(url, viewer),
        "headers": {"X-CSRFToken": viewer.csrf},
    }


def browser_cookies(url: str, viewer: Viewer = DISPATCHER) -> list[dict[str, str]]:
    """The same for playwright's `add_cookies`."""
    return [
        {"name": name, "value": value, "url": origin(url)} for name, value in cookies_for(url, viewer).items()
    ]


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    return "/".join(url.split("/")[:3])


def found(stores: Stores, token: str) -> Viewer | None:
    """Whose session a token opens."""
    return asyncio.run(sessions_of(stores).find(token))
