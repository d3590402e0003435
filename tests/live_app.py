"""A small application of the live routes on given stores, served by a real uvicorn: in a thread, or as a process."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import redis
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

import api.errors
import api.live
import api.positions
import api.tickets
import profiles
from api.router import take
from api.wire import WireProtocol
from geodata.pool import make_pool
from geodata.servers import Stores
from services.access import Viewer
from services.access.tokens import Tokens
from services.access.watch import Watch
from services.live import Hub
from services.runtime import Runtime
from settings import Settings
from tests.viewers import DISPATCHER, RUNNING, sessions_of

_ports: list[int] = []  # of `same_port`, once it is known


class As:
    """ASGI middleware in the place of the gate: all that comes is asked by one viewer.

    It has no session that could be looked up, so it comes as another system: an account would be signed out.
    """

    def __init__(self, app: ASGIApp, viewer: Viewer) -> None:
        self.app, self.viewer = app, replace(viewer, kind="client")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope.setdefault("state", {}).update(viewer=self.viewer, away=False, ip="")
        await self.app(scope, receive, send)


def make_app(stores: Stores, settings: Settings | None = None, viewer: Viewer = DISPATCHER) -> FastAPI:
    """Tickets, positions and the live feed of Zoucheng's profile, for one viewer."""
    settings = settings or Settings(live_interval_ms=50, position_interval_ms=200)
    profile = profiles.load("zoucheng")
    pool = make_pool(stores.app_url, settings.pool_size)
    hub = Hub(stores, pool, settings, profile)
    client = redis.Redis.from_url(stores.redis_url)
    sessions, tokens = sessions_of(stores), Tokens(pool)
    watch = Watch(sessions, tokens)
    runtime = Runtime(
        settings,
        profile,
        stores,
        pool,
        client,
        hub,
        None,
        None,
        sessions,
        tokens,
        watch,  # type: ignore[arg-type]
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        pool.open(wait=False)
        await hub.start()
        yield
        await hub.stop()
        await asyncio.to_thread(pool.close)
        client.close()

    app = FastAPI(lifespan=lifespan)
    app.state.runtime = runtime
    api.errors.install(app)
    app.add_middleware(api.positions.Lane, runtime=runtime)
    app.add_middleware(As, viewer=viewer)
    for module in (api.live, api.positions, api.tickets):
        take(app, module.router(runtime))
    return app


def server_of(app: FastAPI) -> uvicorn.Server:
    """A server with the product's own options."""
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, ws=WireProtocol, ws_per_message_deflate=False,
                       timeout_graceful_shutdown=3)
    )  # fmt: skip


def same_port() -> socket.socket:
    """The port that all files of browser tests in this process serve on, one after the other.

    To the browser they are one server, whose scripts it has compiled: half a second of a core for each screen.
    """
    try:
        listener = socket.create_server(("127.0.0.1", _ports[0] if _ports else 0))
    except OSError:  # somebody else has it by now
        listener = socket.create_server(("127.0.0.1", 0))
    _ports[:] = [listener.getsockname()[1]]
    return listener


@contextmanager
def served(app: FastAPI, listener: socket.socket | None = None) -> Iterator[str]:
    """The app on a free port of 127.0.0.1 (or on that socket), in a thread; yields its address."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    server = server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    RUNNING[url] = app.state.runtime.stores
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


if __name__ == "__main__":  # python -m tests.live_app DATABASE_URL REDIS_URL PREFIX PORT
    database_url, redis_url, prefix, port = sys.argv[1:]
    ready = server_of(make_app(Stores(database_url, redis_url, prefix)))
    ready.run(sockets=[socket.create_server(("127.0.0.1", int(port)))])
