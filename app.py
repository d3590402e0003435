"""Assembles the application: settings, stores, interfaces of /api and the screens; decides nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from a2wsgi import WSGIMiddleware
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse
from flask import Flask
from redis import Redis
from starlette.routing import Match

import api.alarms
import api.audit
import api.cards
import api.care
import api.demo_camera
import api.desks
import api.dispatch_assign
import api.dispatch_bulk
import api.dispatch_candidates
import api.dispatch_follow
import api.dispatch_plan
import api.dispatch_queue
import api.dispatch_rules
import api.duplicates
import api.duties
import api.errors
import api.figures
import api.gate
import api.handover
import api.health
import api.heat
import api.incidents
import api.live
import api.loop
import api.map
import api.mediation
import api.metrics
import api.notices
import api.open311
import api.openapi
import api.pictures
import api.positions
import api.roster
import api.rounds
import api.screen_errors
import api.search
import api.session
import api.sign_in
import api.supervision
import api.ticket_card
import api.ticket_list
import api.tickets
import api.video
import api.walls
import api.webhooks
import callbacks.admin
import callbacks.area
import callbacks.guard
import profiles
from api.assets import Assets
from api.body_limit import BodyLimit
from api.compression import Compress
from api.hardening import Harden
from api.router import take
from api.trace import Trace
from geodata.pool import make_pool
from geodata.redis_clients import loop_redis
from geodata.servers import Stores, ensure
from screens.admin.screen import make_admin
from screens.boards import make_boards
from screens.dispatch import make_dispatch
from screens.page import make_area, make_wall
from screens.tickets import make_tickets
from services.access.sessions import Sessions
from services.access.tokens import Tokens
from services.access.watch import Watch
from services.areas import FeedCache
from services.heat import HeatStore
from services.jobs import Work
from services.jobs.worker import Worker
from services.live import Hub
from services.runtime import Runtime
from services.video import Prober
from settings import Settings

Role = Literal["all", "screens", "api"]
SCREENS = ("wall", "area", "admin", "dispatch", "tickets", "callbacks", "supervision", "mediation")

# Every module of api/ that has routes; each offers router(runtime).
OPERATION = (api.health.router, api.metrics.router)
ROUTERS = (
    api.map.router,
    api.heat.router,
    api.figures.router,
    api.cards.router,
    api.care.router,
    api.search.router,
    api.live.router,
    api.ticket_list.router,
    api.tickets.router,
    api.ticket_card.router,
    api.open311.router,
    api.webhooks.router,
    api.loop.router,
    api.rounds.router,
    api.duties.router,
    api.duplicates.router,
    api.notices.router,
    api.pictures.router,
    api.positions.router,
    api.video.router,
    api.session.router,
    api.walls.router,
    api.audit.router,
    api.roster.router,
    api.desks.router,
    api.dispatch_assign.router,
    api.dispatch_bulk.router,
    api.dispatch_follow.router,
    api.supervision.router,
    api.mediation.router,
    api.dispatch_plan.router,
    api.incidents.router,
    api.dispatch_queue.router,
    api.alarms.router,
    api.handover.router,
    api.demo_camera.router,
    api.dispatch_candidates.router,
    api.dispatch_rules.router,
)


def make_runtime(settings: Settings, stores: Stores) -> Runtime:
    """What the parts of one process share; nothing is opened yet."""
    profile = profiles.load(settings.place)
    pool = make_pool(stores.app_url, settings.pool_size)
    redis = Redis.from_url(stores.redis_url, socket_connect_timeout=2, socket_timeout=5)
    hub = Hub(stores, pool, settings, profile)
    feeds = FeedCache(pool, redis, stores.key_prefix)
    sessions = Sessions(
        redis, loop_redis(stores.redis_url), stores.key_prefix,
        idle_s=settings.session_idle_minutes * 60, absolute_s=settings.session_hours * 3600,
    )  # fmt: skip
    tokens = Tokens(pool, demo=settings.demo)
    watch = Watch(sessions, tokens)
    return Runtime(
        settings, profile, stores, pool, redis, hub, HeatStore(pool), feeds, sessions, tokens, watch
    )


def create_app(settings: Settings, stores: Stores | None = None, role: Role = "all") -> FastAPI:
    """The application. Without stores, those of the settings are started or adopted; they must be migrated."""
    runtime = make_runtime(settings, stores or ensure(settings))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime.pool.open()
        try:
            async with _live_parts(runtime, role):
                yield
        finally:
            runtime.pool.close(timeout=2)
            runtime.redis.close()

    app = FastAPI(lifespan=lifespan, **api.openapi.ABOUT)
    app.state.runtime = runtime
    app.add_middleware(api.gate.Gate, runtime=runtime)
    app.add_middleware(Compress)
    app.add_middleware(BodyLimit)
    if role != "screens":
        app.add_middleware(api.positions.Lane, runtime=runtime)
    app.add_middleware(Trace)
    app.add_middleware(Harden, settings=settings)  # added last: outermost
    api.errors.install(app)
    for router in OPERATION if role == "screens" else (*OPERATION, *ROUTERS):
        take(app, router(runtime))
    take(app, api.openapi.router(app))
    if role != "api":
        take(app, api.sign_in.router(runtime))
        _lead_to_screens(app)
    api.gate.require_rules(app)
    _refuse_unknown(app)
    if role != "api":
        _mount_screens(app, runtime)
    return app


@asynccontextmanager
async def _live_parts(runtime: Runtime, role: Role) -> AsyncIterator[None]:
    """Everything that runs in the background, for as long as the process serves /api; screens need none of it."""
    if role == "screens":
        yield
        return
    base = f"http://{_own_host(runtime.settings.host)}:{runtime.settings.port}"
    prober = Prober(runtime.pool, runtime.redis, runtime.stores.key_prefix, base)
    jobs = Worker(Work(runtime.settings, runtime.profile, runtime.stores, runtime.pool))
    await runtime.hub.start()
    runtime.heat.start(runtime.hub)
    prober.start()
    jobs.start()
    threading.Thread(target=runtime.feeds.warm, name="warm", daemon=True).start()
    try:
        yield
    finally:
        await asyncio.to_thread(jobs.stop)
        prober.stop()
        runtime.heat.stop()
        await runtime.hub.stop()


def _own_host(host: str) -> str:
    """The address at which this machine reaches itself, for a server that listens on `host`."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # nosec B104
    return f"[{own}]" if ":" in own else own


def _refuse_unknown(app: FastAPI) -> None:
    """Unknown addresses below /api are errors in JSON, not Dash's catch-all page."""
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    known = list(app.router.routes)

    @app.api_route("/api/{path:path}", methods=methods, include_in_schema=False)
    async def unknown(path: str, request: Request) -> None:
        if any(route.matches(request.scope)[0] is Match.PARTIAL for route in known):
            raise HTTPException(405, f"{request.method} is not offered on /api/{path}.")
        raise HTTPException(404, f"There is nothing at /api/{path}; /api/docs lists what there is.")


def _mount_screens(app: FastAPI, runtime: Runtime) -> None:
    """The Dash apps of the screens on one Flask server, in threads, behind everything else."""
    server = Flask("wangge", static_folder=None)
    callbacks.guard.install(server)
    api.screen_errors.install(server)
    screens = (make_wall(runtime, server), make_area(runtime, server), make_admin(runtime, server))
    callbacks.area.register(screens[1], runtime)
    callbacks.admin.register(screens[2], runtime)
    desks = (make_dispatch(runtime, server), make_tickets(runtime, server), *make_boards(runtime, server))
    bundled = [file for screen in (*screens, *desks) for file in screen.bundle.files]
    app.state.screens = server
    app.mount("/", Assets(WSGIMiddleware(server, workers=16), bundled, runtime.settings.data / "assets"))


def _lead_to_screens(app: FastAPI) -> None:
    """The short addresses of the screens."""

    @app.get("/", include_in_schema=False)
    @app.get("/wall", include_in_schema=False)
    @app.get("/area", include_in_schema=False)
    @app.get("/admin", include_in_schema=False)
    @app.get("/dispatch", include_in_schema=False)
    @app.get("/tickets", include_in_schema=False)
    @app.get("/callbacks", include_in_schema=False)
    @app.get("/supervision", include_in_schema=False)
    @app.get("/mediation", include_in_schema=False)
    async def home(request: Request) -> RedirectResponse:
        screen = request.url.path.strip("/") or SCREENS[0]
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{screen}/{query}", status_code=307)
