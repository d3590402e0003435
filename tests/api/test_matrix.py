"""Every route, page, callback and stream of the running app, asked by everybody: only what the matrix says is given."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import psycopg
import pytest
import websockets.exceptions
from fastapi import APIRouter, FastAPI
from websockets.sync.client import connect

from api.gate import routes_of
from api.router import take
from app import create_app
from geodata.scope import EVERYTHING, scoped
from geodata.servers import Stores
from services.access import RIGHTS, ROLES
from services.care import register
from services.care.entry import Entry
from services.care.sealing import Seals
from settings import Settings
from tests.api.fuzzing.in_process import Answer, Inside, Request
from tests.api.matrix import BELOW, CALLBACKS, ROUTES, SCREENS, Row
from tests.api.matrix_things import things_of
from tests.live_app import served
from tests.small_place import grid_no
from tests.viewers import cookies_for, found, of_town, sessions_of

OTHER = re.compile(r"370883002|\b1002\d{6}\b|千泉街道|OTHER")  # marks of town 2, which none of them may see


def topic_of(path: str) -> str:
    """The part of the interfaces that a route belongs to."""
    return "/".join(path.split("/")[1:3])


TOPICS = list(dict.fromkeys(topic_of(path) for _, path in ROUTES))
BINARY = ("application/octet-stream", "spreadsheet", "video/", "image/")


@dataclass(frozen=True)
class Asker:
    """Somebody who asks: what identifies them, and what their role may do; None: nobody is known."""

    name: str
    headers: dict[str, str]
    cookies: dict[str, str]
    role: str | None
    everywhere: bool = False  # sees both towns


@pytest.fixture(scope="module")
def app(module_clone: Stores) -> Any:
    """The app on a place where each town has one of everything for each asker."""
    return create_app(Settings(), module_clone)


@pytest.fixture(scope="module")
def inside(app: Any) -> Inside:
    """The way into it without a socket: with httpx and a socket, a request costs twice as much."""
    return Inside(app)


@pytest.fixture(scope="module")
def url(inside: Inside) -> Iterator[str]:
    with served(inside) as address:  # type: ignore[arg-type]
        yield address


@pytest.fixture(scope="module")
def askers(url: str, module_clone: Stores) -> list[Asker]:
    """Each role in town 1, a wall of town 1, another system, nobody, and an ended session."""
    people = [
        Asker(
            role,
            {"X-CSRFToken": "csrf-of-tests"},
            cookies_for(url, replace(of_town(1, role), id=100 + at)),
            role,
        )
        for at, role in enumerate(ROLES)
    ]
    ended = cookies_for(url, of_town(1, "dispatcher"))
    sessions_of(module_clone).end(ended["wangge_session"])
    tokens = {name: secrets.token_urlsafe(24) for name in ("wall", "client")}
    digests = {name: hashlib.sha256(token.encode()).digest() for name, token in tokens.items()}
    with psycopg.connect(module_clone.database_url) as conn:
        for at, role in enumerate(ROLES):
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, %s, %s, 'tests')",
                (100 + at, f"of-town-1-{at}", role, role),
            )
        conn.execute(
            "WITH w AS (INSERT INTO wall_screen (name, area_no, created_by) VALUES ('w', %s, 't') RETURNING id)"
            " INSERT INTO wall_token SELECT %s, id, now() + interval '1 day' FROM w",
            (grid_no(1, 0, 0), digests["wall"]),
        )
        conn.execute(
            "INSERT INTO api_client (name, token_sha256, created_by) VALUES ('c', %s, 't')",
            (digests["client"],),
        )
    return [
        *people,
        Asker("wall", {}, {"wangge_wall": tokens["wall"]}, "wall"),
        Asker("client", {"Authorization": f"Bearer {tokens['client']}"}, {}, "client", everywhere=True),
        Asker("nobody", {}, {}, None),
        Asker("ended session", {"X-CSRFToken": "csrf-of-tests"}, ended, None),
        Asker("false token", {"Authorization": "Bearer nonsense"}, {}, None),
    ]


@pytest.fixture(scope="module")
def things(app: Any, askers: list[Asker], module_clone: Stores) -> dict[tuple[str, int], dict[str, str]]:
    """(asker, town) → what that asker asks for there, so that nobody meets what another changed or deleted."""
    made = {}
    with psycopg.connect(module_clone.database_url) as conn:
        for town in (1, 2):
            for at, asker in enumerate(askers):
                made[asker.name, town] = things_of(conn, town, at)
        conn.execute("UPDATE worker SET name = 'OTHER ' || code WHERE area_no > %s", (grid_no(2, 0, 0),))
    seals = Seals.of(Settings())
    for (name, town), held in made.items():
        clerk = replace(of_town(town, "community_clerk"), name=f"seed {name}")
        with scoped(app.state.runtime.pool, EVERYTHING, "care") as conn:
            entry = Entry("OTHER" if town == 2 else "own", held["care_category"], held["grid"])
            held["care_id"] = str(
                register.add(conn, clerk, entry, seals, app.state.runtime.profile, date.today())
            )
    return made


@dataclass(frozen=True)
class Question:
    """What one asker asks, and what they should get."""

    asker: Asker
    method: str
    address: str
    body: Any = None
    held: Mapping[str, str] = field(default_factory=dict)
    wish: str = ""
    statuses: tuple[int, ...] = ()

    def request(self) -> tuple[Request, list[tuple[bytes, bytes]]]:
        """As it reaches the application."""
        headers = dict(self.asker.headers)
        if self.asker.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.asker.cookies.items())
        path, _, query = self.address.partition("?")
        body = b""
        if self.body is not None:
            headers["Content-Type"], body = "application/json", json.dumps(self.body).encode()
        known = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return Request(self.method, path, query.encode(), body=body), known


def asked(inside: Inside, questions: Sequence[Question]) -> list[tuple[Question, int, str]]:
    """Each with its status and the text of its answer, asked one after the other."""
    answers = inside.ask_in_turn(question.request() for question in questions)
    return [
        (question, answer.status, text_of(answer))
        for question, answer in zip(questions, answers, strict=True)
    ]


def text_of(answer: Answer) -> str:
    """The words of an answer; none if it is no text."""
    kind = answer.headers.get("content-type", "")
    assert "content-encoding" not in answer.headers or kind.startswith(BINARY)
    return "" if kind.startswith(BINARY) else answer.body.decode("utf-8", "replace")


def filled(text: Any, held: dict[str, str]) -> Any:
    """A template with the things of a town in it; a value that is one placeholder of a number becomes a number."""
    if isinstance(text, dict):
        return {key: filled(value, held) for key, value in text.items()}
    if isinstance(text, list):
        return [filled(value, held) for value in text]
    if not isinstance(text, str):
        return text
    if text in ("{lon}", "{lat}"):
        return float(held[text[1:-1]])
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: held[found[1]], text)


def expected(asker: Asker, row: Row, town: int) -> tuple[str, tuple[int, ...]]:
    """What they should get, in a word, and the statuses that say so."""
    if row.right is None:
        return "open to all", row.own
    if asker.role is None:
        return "unknown", (401,)
    if row.right not in RIGHTS[asker.role]:
        return "no right", (403,)
    if town == 1 or asker.everywhere or row.outside != "not there":
        return "given", row.own
    return "not there", (404, 422)


def test_each_route_has_a_row_and_each_row_a_route(app: Any) -> None:
    assert routes_of(app) == set(ROUTES)


def test_no_routes_are_taken_in_without_the_guard() -> None:
    with pytest.raises(LookupError, match="without the guard"):
        take(FastAPI(), APIRouter())


@pytest.mark.parametrize("topic", TOPICS)
def test_everybody_gets_what_the_matrix_says(
    url: str, inside: Inside, askers: list[Asker], things: dict[tuple[str, int], dict[str, str]], topic: str
) -> None:
    wrong = []
    for (method, path), row in ROUTES.items():
        if topic_of(path) != topic:
            continue
        questions = []
        for asker in askers if (method, path) != ("DELETE", "/api/session") else leaving(url, askers):
            for town in (1,) if row.outside == "no place" else (2, 1):
                held = things[asker.name.removesuffix(" leaving"), town]
                wish, statuses = expected(asker, row, town)
                if town == 1 and wish in ("unknown", "no right"):
                    continue  # refused before it is looked at what was asked for
                address, body = filled(path + row.query, held), filled(row.body, held)
                questions.append(Question(asker, method, address, body, held, wish, statuses))
        if method == "WS":
            answers = [(one, _socket(url, one.asker, one.address), "") for one in questions]
        else:
            answers = asked(inside, questions)
        for one, got, text in answers:
            if got not in one.statuses:
                wrong.append(
                    f"{one.asker.name}: {method} {one.address}: {got}, not {one.statuses} ({one.wish})"
                )
            if got >= 400:  # a refusal may repeat what was asked for
                for value in (one.address, *one.held.values()):
                    text = text.replace(value, "")  # noqa: PLW2901
            if not one.asker.everywhere and (leak := OTHER.search(text)):
                wrong.append(f"{one.asker.name}: {method} {one.address}: tells of {leak[0]}")
    assert wrong == []


def leaving(url: str, askers: list[Asker]) -> list[Asker]:
    """The same with sessions of their own, which they may end."""
    return [
        replace(asker, name=f"{asker.name} leaving", cookies=cookies_for(url, of_town(1, asker.role)))
        if asker.role in ROLES
        else replace(asker, name=f"{asker.name} leaving")
        for asker in askers
    ]


def _socket(url: str, asker: Asker, path: str) -> int:
    """The status that an HTTP route would have given."""
    headers = dict(asker.headers)
    if asker.cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in asker.cookies.items())
    try:
        with connect(
            url.replace("http", "ws") + path, additional_headers=headers, proxy=None, open_timeout=10
        ) as ws:
            told = json.loads(ws.recv(timeout=10))
            return 200 if told["t"] == "hello" else 500
    except websockets.exceptions.ConnectionClosed as error:
        code = error.rcvd.code if error.rcvd else 0
        return {4401: 401, 4403: 403, 4404: 404}.get(code, code)


def test_each_address_below_the_screens_is_known(app: Any) -> None:
    found = {str(rule) for rule in app.state.screens.url_map.iter_rules()}
    known = {f"/{screen}/{below}" for screen in SCREENS for below in BELOW}
    assert {rule for rule in found if rule not in known and not rule.endswith("_alive_")} <= set(), (
        found - known
    )


@pytest.mark.parametrize("screen", list(SCREENS))
def test_pages_are_given_to_who_may(inside: Inside, askers: list[Asker], screen: str) -> None:
    wrong = []
    for asker in askers:
        may = asker.role is not None and any(right in RIGHTS[asker.role] for right in SCREENS[screen])
        own, other = f"/{screen}/", f"/{screen}/370883002"
        for one, got, page in asked(inside, [Question(asker, "GET", address) for address in (own, other)]):
            outside = one.address == other and screen != "admin"
            if asker.role is None or asker.role == "client" or (asker.role == "wall" and screen != "wall"):
                right = got == (403 if asker.role == "client" else 200 if screen == "wall" else 303)
            elif not may:
                right = got == 403
            else:
                bound = asker.role == "wall"  # a wall shows what it was paired for, whatever is asked
                right = got == (404 if outside and not bound else got if screen == "admin" else 200)
            text = page.replace("/370883002", "").replace("%2F370883002", "")
            if not right or (OTHER.search(text) and got == 200):
                wrong.append(f"{asker.name}: {one.address}: {got}")
    assert wrong == []


def callbacks_of(inside: Inside, askers: list[Asker], screen: str) -> list[dict[str, Any]]:
    """The callbacks of a screen as the app itself lists them to who may open it."""
    supervisor = next(
        one for one in askers if one.role == ("administrator" if screen == "admin" else "dispatcher")
    )
    ((_, status, listed),) = asked(inside, [Question(supervisor, "GET", f"/{screen}/_dash-dependencies")])
    assert status == 200, listed
    return [one for one in json.loads(listed) if not one.get("clientside_function")]


def test_each_callback_has_a_row(inside: Inside, askers: list[Asker]) -> None:
    outputs = {one["output"] for screen in SCREENS for one in callbacks_of(inside, askers, screen)}
    assert outputs == set(CALLBACKS)


@pytest.mark.parametrize("screen", list(SCREENS))
def test_callbacks_are_run_for_who_may(inside: Inside, askers: list[Asker], screen: str) -> None:
    wrong = []
    for one in callbacks_of(inside, askers, screen):
        for town in (2, 1):
            body, address = _call(one, f"37088300{town}"), f"/{screen}/_dash-update-component"
            for question, got, said in asked(inside, [Question(a, "POST", address, body) for a in askers]):
                asker = question.asker
                may = asker.role is not None and CALLBACKS[one["output"]] in RIGHTS[asker.role]
                refused = 401 if asker.role is None else 403
                good = got not in (401, 403) and got < 500
                if good is not may or (not may and got != refused):
                    wrong.append(f"{asker.name}: {one['output']}: {got}")
                text = re.sub(r"/api/[^\"]*", "", said)  # the audit tells what they asked for in vain
                if may and not asker.everywhere and OTHER.search(text):
                    wrong.append(f"{asker.name}: {one['output']} tells of another town")
    assert wrong == []


def _call(callback: dict[str, Any], code: str) -> dict[str, Any]:
    """The body that a page sends for a callback, asking for that area."""

    def value(part: dict[str, str]) -> Any:
        if part["id"] == "address":
            return {"code": code, "lang": "en", "period": "today"}
        return {"rowData": [{"no": 1}], "n_clicks": 1}.get(part["property"], {"lang": "en"})

    def given(parts: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [{**part, "value": value(part)} for part in parts]

    names = callback["output"].strip(".").split("...")
    outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
    several = callback["output"].startswith("..")
    return {
        "output": callback["output"],
        "outputs": outputs if several else outputs[0],
        "inputs": given(callback["inputs"]),
        "state": given(callback["state"]),
        "changedPropIds": [f"{part['id']}.{part['property']}" for part in callback["inputs"]],
    }


def test_files_hold_nothing_of_the_place(url: str, inside: Inside) -> None:
    nobody = Asker("nobody", {}, {}, None)
    paths = ("/wall/assets/tokens.css", "/area/assets/00-core.js")
    for _, status, text in asked(inside, [Question(nobody, "GET", path) for path in paths]):
        assert status == 200 and text and not OTHER.search(text)


def test_an_ended_session_was_one(url: str, module_clone: Stores) -> None:
    """So that "ended session" above means what it says."""
    token = cookies_for(url, of_town(1))["wangge_session"]
    assert found(module_clone, token) is not None
    sessions_of(module_clone).end(token)
    assert found(module_clone, token) is None
