"""A place's routes over HTTP on the small place, for viewers of any role, and tickets that walk its way."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

import api.duties
import api.errors
import api.gate
import api.loop
import api.rounds
import api.tickets
import profiles
from api.router import take
from geodata.pool import make_pool
from geodata.servers import Stores
from geodata.vocabulary import sync_vocabulary
from profiles import Profile
from services.runtime import Runtime
from settings import Settings
from tests.live_app import served
from tests.small_place import centre, grid_no
from tests.viewers import county, of_community, of_town

VIEWERS = {
    "dispatcher": county("dispatcher"),
    "supervisor": county("supervisor"),
    "worker": replace(of_community(1, 1, "grid_worker"), name="worker"),
    "clerk": replace(of_community(1, 1, "community_clerk"), name="clerk"),
    "town": replace(of_town(1, "dispatcher"), name="town"),
    "citizen": replace(county("client"), kind="client", name="citizen"),
    "analyst": county("analyst"),
    "elsewhere": of_town(2, "dispatcher"),
}
WORKER = f"W{grid_no(1, 1, 1)}"
PROFESSIONAL = f"W{grid_no(1, 1, 2)}"  # made one by place_of


class _Asked:
    """ASGI middleware in the place of the gate: the header X-As names the viewer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked = dict(scope["headers"]).get(b"x-as", b"").decode()
            scope.setdefault("state", {}).update(viewer=VIEWERS.get(asked), away=False, ip="")
        await self.app(scope, receive, send)


@dataclass
class Walk:
    """One ticket on its way: gives commands as somebody, and reads where it stands."""

    client: httpx.Client
    id: int = 0

    def asked(self, method: str, path: str, by: str, body: Any = None) -> httpx.Response:
        """One request as that viewer."""
        return self.client.request(method, path, json=body, headers={"X-As": by})

    def file(self, by: str = "dispatcher", **report: Any) -> dict[str, Any]:
        """File a report in grid 1 of the first community of the first town."""
        lon, lat = centre(1, 1, 1)
        body = {
            "channel": "grid",
            "category": "01001",
            "title": "路口堆放垃圾",
            "lon": lon,
            "lat": lat,
        } | report
        answer = self.asked("POST", "/api/tickets", by, body)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        return dict(answer.json())

    def ticket(self) -> dict[str, Any]:
        """The ticket as the dispatcher reads it."""
        return dict(self.asked("GET", f"/api/tickets/{self.id}", "dispatcher").json())

    def attempt(self, command: str, by: str = "dispatcher", **carried: Any) -> httpx.Response:
        """Give a command at the ticket's present version and return the answer."""
        body = {"version": self.ticket()["version"]} | carried
        return self.asked("POST", f"/api/tickets/{self.id}/{command}", by, body)

    def give(self, command: str, by: str = "dispatcher", **carried: Any) -> dict[str, Any]:
        """Give a command that is taken."""
        answer = self.attempt(command, by, **carried)
        assert answer.status_code == 200, (command, answer.text)
        return dict(answer.json())

    def refused(self, command: str, code: str, by: str = "dispatcher", **carried: Any) -> dict[str, Any]:
        """Give a command that is refused with that code of error; what its details say."""
        answer = self.attempt(command, by, **carried)
        error = answer.json()["error"]
        assert error["code"] == code, (command, answer.text)
        return dict((error["details"] or [{}])[0])

    def course(self, by: str = "dispatcher") -> dict[str, Any]:
        """Where it stands, as the card shows it."""
        answer = self.asked("GET", f"/api/tickets/{self.id}/stages", by)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def track(self) -> str:
        """Its steps in the place's words: ✓ done, ▶ current, · waiting, – skipped, ○ unneeded."""
        signs = {"done": "✓", "current": "▶", "waiting": "·", "skipped": "–", "unneeded": "○"}
        return " ".join(signs[step["standing"]] + step["name"] for step in self.course()["stages"])

    def commands(self, by: str = "dispatcher") -> dict[str, list[str]]:
        """What that viewer may do now, and what it must carry."""
        told = self.asked("GET", f"/api/tickets/{self.id}", by).json()["commands"]
        return {row["command"]: row["needs"] for row in told}


@contextmanager
def place_of(name: str, stores: Stores) -> Iterator[Walk]:
    """The routes of that place's profile on the small place: its channels, categories and departments are there."""
    profile = profiles.load(name)
    with psycopg.connect(stores.database_url) as conn:
        sync_vocabulary(conn, profile)
        conn.execute("UPDATE worker SET kind = 'professional' WHERE code = %s", (PROFESSIONAL,))
    with (
        served(app_of(profile, stores)) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        yield Walk(client)


def app_of(profile: Profile, stores: Stores) -> FastAPI:
    """The app of tickets, loops, rounds and duties, guarded as the product's is."""
    pool = make_pool(stores.app_url, 2)
    none: Any = None
    runtime = Runtime(Settings(), profile, stores, pool, none, none, none, none, none, none, none)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool.open()
        yield
        pool.close()

    app = FastAPI(lifespan=lifespan)
    app.state.runtime = runtime
    api.errors.install(app)
    app.add_middleware(_Asked)
    for module in (api.tickets, api.loop, api.rounds, api.duties):
        take(app, module.router(runtime))
    return app
