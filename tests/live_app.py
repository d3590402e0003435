"""A small application of the live routes on given stores, served by a real uvicorn: in a thread, or as a process."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager

import redis
import uvicorn
from fastapi import FastAPI

import api.errors
import api.live
import api.positions
import api.tickets
import profiles
from geodata.pool import make_pool
from geodata.servers import Stores
from services.live import Hub
from services.runtime import Runtime
from settings import Settings


def make_app(stores: Stores, settings: Settings | None = None) -> FastAPI:
    """Tickets, positions and the live feed of Zoucheng's profile."""
    settings = settings or Settings(live_interval_ms=50, position_interval_ms=200)
    profile = profiles.load("zoucheng")
    pool = make_pool(stores.database_url, settings.pool_size)
    hub = Hub(stores, pool, settings, profile)
    client = redis.Redis.from_url(stores.redis_url)
    runtime = Runtime(settings, profile, stores, pool, client, hub, None, None)  # type: ignore[arg-type]

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
    for module in (api.live, api.positions, api.tickets):
        app.include_router(module.router(runtime))
    return app


def server_of(app: FastAPI) -> uvicorn.Server:
    """A server with the product's own options."""
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, ws_per_message_deflate=False,
                       timeout_graceful_shutdown=3)
    )  # fmt: skip


@contextmanager
def served(app: FastAPI, listener: socket.socket | None = None) -> Iterator[str]:
    """The app on a free port of 127.0.0.1 (or on that socket), in a thread; yields its address."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    server = server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


if __name__ == "__main__":  # python -m tests.live_app DATABASE_URL REDIS_URL PREFIX PORT
    database_url, redis_url, prefix, port = sys.argv[1:]
    ready = server_of(make_app(Stores(database_url, redis_url, prefix)))
    ready.run(sockets=[socket.create_server(("127.0.0.1", int(port)))])
