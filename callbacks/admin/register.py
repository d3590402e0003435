"""Registers the callbacks of the admin screen; each finds out who asks; nothing is decided by what a browser says."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import psycopg
import structlog
from dash import ClientsideFunction, Dash, Input, Output, no_update
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from callbacks.admin import accounts, audit, clients, devices, sessions, walls
from callbacks.admin.asked import Asked, Refused, Reply, refused
from screens.admin import TABS, open_tabs, page
from screens.admin.page import of
from screens.viewer import current
from services.access import Right, UnknownArea, Viewer
from services.access.accounts import BadAccount
from services.access.clients import BadClient, UnknownClient
from services.access.devices import BadDevice, UnknownDevice
from services.access.walls import BadPairing, TooManyTries, UnknownWall
from services.runtime import Runtime

log = structlog.get_logger("wangge.admin")
Act = Callable[[Asked], Reply]
AWAY = (psycopg.OperationalError, PoolTimeout, RedisError)

ACTS: dict[str, dict[str, Act]] = {
    "accounts": accounts.ACTS,
    "walls": walls.ACTS,
    "devices": devices.ACTS,
    "clients": clients.ACTS,
    "sessions": sessions.ACTS,
    "audit": audit.ACTS,
}

# output as Dash names it in a request → the right that a viewer needs (taken over by callbacks/rules.py)
RULES: Mapping[str, Right] = {
    **{
        f"..{of(tab.name, page.TABLE)}.rowData...{of(tab.name, page.COUNT)}.children..": tab.right
        for tab in TABS.values()
    },
    **{f"{of(tab.name, page.REPLY)}.data": tab.right for tab in TABS.values()},
    f"{of('devices', page.FOUND)}.data": TABS["devices"].right,
}


def register(app: Dash, runtime: Runtime) -> None:
    """Register the callbacks of all tabs on the app of the screen."""
    for tab in TABS:
        app.callback(
            Output(of(tab, page.TABLE), "rowData"),
            Output(of(tab, page.COUNT), "children"),
            Input(of(tab, page.QUERY), "data"),
        )(partial(_asked_by, runtime, show, tab))
        app.callback(
            Output(of(tab, page.REPLY), "data"), Input(of(tab, page.ASK), "data"), prevent_initial_call=True
        )(partial(_asked_by, runtime, act, tab))
        app.clientside_callback(
            ClientsideFunction("wanggeAdmin", "reply"),
            Output(of(tab, page.SHOWN), "data"),
            Input(of(tab, page.REPLY), "data"),
            prevent_initial_call=True,
        )
    app.callback(
        Output(of("devices", page.FOUND), "data"),
        Input(of("devices", page.FIND), "data"),
        prevent_initial_call=True,
    )(partial(_asked_by, runtime, find))
    app.clientside_callback(
        ClientsideFunction("wanggeAdmin", "found"),
        Output(of("devices", page.TAKEN), "data"),
        Input(of("devices", page.FOUND), "data"),
        prevent_initial_call=True,
    )


def _asked_by(runtime: Runtime, do: Callable[..., Any], *values: Any) -> Any:
    """Call it with the viewer of the request."""
    return do(runtime, current(), *values)


def show(runtime: Runtime, viewer: Viewer, tab: str, query: Any) -> tuple[Any, Any]:
    """The rows of a tab's table, and how many there are in words; while a store is away the table stays as it is."""
    asked = Asked(runtime, viewer, query)
    if tab not in open_tabs(asked.viewer):
        return [], ""
    try:
        if tab == "audit":
            rows, older = audit.rows(asked)
            return rows, asked.say("audit.count.more" if older else "audit.count", n=len(rows))
        if tab == "devices":
            rows, total = devices.rows(asked)
            more = total > len(rows)
            return rows, asked.say(
                "admin.count.more" if more else "table.count", n=len(rows), total=f"{total:,}"
            )
        rows = {"accounts": accounts, "walls": walls, "clients": clients, "sessions": sessions}[tab].rows(
            asked
        )
        return rows, asked.say("table.count", n=len(rows))
    except AWAY as error:
        log.warning("a table cannot be read", tab=tab, error=str(error).strip())
        return no_update, asked.say("admin.error.away")


def act(runtime: Runtime, viewer: Viewer, tab: str, body: Any) -> Reply:
    """Do what a dialog asks for; the answer says so, or names the field that is not as it must be."""
    asked = Asked(runtime, viewer, body)
    do = ACTS[tab].get(asked.text("do"))
    if do is None or tab not in open_tabs(asked.viewer):
        reply = refused({"": asked.say("admin.error.unknown")})
    else:
        reply = _answered(asked, do)
    return {**reply, "n": body.get("n") if isinstance(body, dict) else None}


def find(runtime: Runtime, viewer: Viewer, body: Any) -> dict[str, Any]:
    """Workers that a text names, for the field of a dialog."""
    asked = Asked(runtime, viewer, body)
    return {"text": asked.text("text", 80), "found": devices.find(asked)}


def _answered(asked: Asked, do: Act) -> Reply:
    try:
        return do(asked)
    except Refused as error:
        found = error
    except BadAccount as error:
        found = accounts.translated(asked, error)
    except BadPairing as error:
        found = walls.translated(asked, error)
    except BadDevice as error:
        found = devices.translated(asked, error)
    except BadClient as error:
        found = clients.translated(asked, error)
    except TooManyTries as error:
        found = Refused("code", asked.say("admin.error.tries", n=max(1, round(error.wait_s / 60))))
    except UnknownArea:
        found = Refused("area", asked.say("admin.error.area_unknown"))
    except (UnknownWall, UnknownDevice, UnknownClient):
        found = Refused("", asked.say("admin.error.unknown"))
    except AWAY as error:
        log.warning("nothing was changed", error=str(error).strip())
        found = Refused("", asked.say("admin.error.away"))
    return refused({found.field: str(found)})
