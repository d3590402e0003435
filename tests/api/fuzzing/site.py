"""The application that is fuzzed: who asks it, what it may not answer, and what it did answer."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import redis
from dash import Dash

from api.rules import PUBLIC
from app import create_app
from geodata.scope import EVERYTHING
from geodata.servers import Stores
from screens.page import EXTENSION
from services.access import RIGHTS, Viewer
from services.access.roles import Right
from settings import Settings
from tests.api.fuzzing.in_process import Answer, Inside
from tests.api.fuzzing.requests import Request
from tests.live_app import served
from tests.viewers import cookies_for, county

ROLES = [role for role in RIGHTS if role not in ("wall", "client")]
TOGETHER = 20  # requests handed over at a time
TOLD = 5  # faults that are shown of each route


@dataclass
class Site:
    """The running app, and what became of the requests so far."""

    url: str
    inside: Inside
    stores: Stores
    description: dict[str, Any]
    screens: dict[str, Dash]
    accounts: dict[str, Viewer]
    table: dict[str, Counter[int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _headers: dict[str, list[tuple[bytes, bytes]]] = field(default_factory=dict)

    def able(self, right: Right | str) -> Viewer:
        """An account whose role has the right."""
        role = next((role for role in ROLES if right == PUBLIC or right in RIGHTS[role]), "administrator")
        return self.accounts[role]

    def ask(self, name: str, viewer: Viewer | None, requests: Sequence[Request]) -> None:
        """Send them as that viewer, or as nobody, and look at each answer; the faults are told after the last."""
        started = time.perf_counter()
        faults: list[str] = []
        for at in range(0, len(requests), TOGETHER):
            for request, answer in self._answers(viewer, requests[at : at + TOGETHER]):
                self.table.setdefault(name, Counter())[answer.status] += 1
                if fault := fault_of(request.path, answer):
                    faults.append(f"{name}: {answer.status}: {fault}\n{request}")
        self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - started
        assert not faults, f"{len(faults)} of {len(requests)} requests:\n" + "\n".join(faults[:TOLD])

    def _answers(
        self, viewer: Viewer | None, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Answer]]:
        """Limits of rates are lifted, as they would hide the rest; a session that a request ended is opened again."""
        answers = self.inside.ask(requests, self._known(viewer))
        for request, first in zip(requests, answers, strict=True):
            answer = first
            if first.status == 429:
                self.lift()
                (answer,) = self.inside.ask([request], self._known(viewer))
            if answer.status == 401:
                self._headers.clear()
            yield request, answer

    def _known(self, viewer: Viewer | None) -> list[tuple[bytes, bytes]]:
        if viewer is None:
            return []
        if viewer.role not in self._headers:
            cookies = "; ".join(f"{name}={value}" for name, value in cookies_for(self.url, viewer).items())
            self._headers[viewer.role] = [
                (b"cookie", cookies.encode()),
                (b"x-csrftoken", viewer.csrf.encode()),
            ]
        return self._headers[viewer.role]

    def lift(self) -> None:
        """Forget what was counted, and what was locked."""
        with redis.Redis.from_url(self.stores.redis_url) as client:
            if keys := list(client.scan_iter(f"{self.stores.key_prefix}limit:*", count=1000)):
                client.delete(*keys)

    def keep(self, file: Path) -> None:
        """Write the answers counted so far, for the command that adds up those of all processes."""
        rows = {name: [dict(answers), self.seconds.get(name, 0.0)] for name, answers in self.table.items()}
        file.write_text(json.dumps(rows))


def fault_of(path: str, answer: Answer) -> str | None:
    """What is wrong with it: whatever is asked, no 500, nothing of the program's inside, errors in the one shape."""
    text = answer.body.decode("utf-8", "replace")
    if answer.status >= 500 and answer.status != 503:
        return text[:300]
    if "Traceback" in text or 'File "/' in text:
        return f"it shows the program: {text[:300]}"
    coded = answer.headers.get("content-encoding")
    kind = answer.headers.get("content-type", "")
    if answer.status >= 400 and not coded and kind.startswith("application/json"):
        return (
            None
            if in_shape(text, open311="/open311/" in path)
            else f"an error of another shape: {text[:300]}"
        )
    return None


def in_shape(text: str, *, open311: bool) -> bool:
    """Whether an error's JSON is the product's, or for Open311 that of its specification."""
    try:
        told = json.loads(text)
        if open311:
            return all(set(one) == {"code", "description"} for one in told)
        return set(told["error"]) == {"code", "message", "details"}
    except (ValueError, LookupError, TypeError):
        return False


@contextmanager
def opened(stores: Stores) -> Iterator[Site]:
    """The whole application on these stores, served."""
    app = create_app(Settings(log_level="error", open_intake=True), stores)
    inside = Inside(app)
    with served(inside) as url:  # type: ignore[arg-type]
        screens = app.state.screens.extensions[EXTENSION]
        yield Site(url, inside, stores, app.openapi(), screens, accounts_of(stores.database_url))


def accounts_of(database_url: str) -> dict[str, Viewer]:
    """A real account of every role, for the whole place."""
    found = {}
    with psycopg.connect(database_url) as conn:
        for role in ROLES:
            row = conn.execute(
                "INSERT INTO account (login, name, role, password_hash, created_by)"
                " VALUES (%s, %s, %s, 'x', 'tests') RETURNING id",
                (f"fuzz-{role}", role, role),
            ).fetchone()
            assert row is not None
            found[role] = replace(county(role), id=row[0], name=f"fuzz-{role}", scope=EVERYTHING)
    return found
