"""Bodies of callbacks: what the page sends passes, anything else is refused before Dash stumbles over it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app import create_app
from geodata.servers import Stores
from screens import area as page
from settings import Settings
from tests.live_app import served
from tests.viewers import client_args

PATH = "/area/_dash-update-component"
SUITES = {
    "dash/html": "dash_html_components",
    "dash/dcc": "dash_core_components",
    "dash_leaflet": "dash_leaflet",
    "dash_ag_grid": "dash_ag_grid",
}
EXPORT = f"{page.TABLE}.exportDataAsCsv"


@pytest.fixture(scope="module")
def client(module_clone: Stores) -> Iterator[httpx.Client]:
    with served(create_app(Settings(), module_clone)) as url, httpx.Client(**client_args(url)) as client:
        yield client


def tiles(**other: Any) -> dict[str, Any]:
    """The body that the page sends for its tiles, with parts replaced."""
    return {
        "output": f"..{page.TILES}.children...{page.SPAN}.children..",
        "outputs": [{"id": page.TILES, "property": "children"}, {"id": page.SPAN, "property": "children"}],
        "inputs": [
            {
                "id": page.ADDRESS,
                "property": "data",
                "value": {"code": None, "lang": "en", "period": "today"},
            },
            {"id": page.TICK, "property": "data", "value": 0},
        ],
        "changedPropIds": [f"{page.ADDRESS}.data"],
        "parsedChangedPropsIds": [f"{page.ADDRESS}.data"],
    } | other


def with_address(value: Any) -> dict[str, Any]:
    body = tiles()
    body["inputs"][0]["value"] = value
    return body


def test_what_the_page_sends_is_answered(client: httpx.Client) -> None:
    answer = client.post(PATH, json=tiles())
    assert answer.status_code == 200 and answer.json()["multi"] is True
    body = {
        "output": EXPORT,
        "outputs": {"id": page.TABLE, "property": "exportDataAsCsv"},
        "inputs": [{"id": page.EXPORT, "property": "n_clicks", "value": 1}],
        "state": [
            {"id": page.TABLE, "property": "rowData", "value": [{"a": 1}]},
            {"id": page.ADDRESS, "property": "data", "value": {"code": None}},
        ],
        "changedPropIds": [f"{page.EXPORT}.n_clicks"],
    }
    assert client.post(PATH, json=body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        tiles(outputs=None),
        tiles(outputs=[{"id": "other", "property": "children"}] * 2),
        tiles(inputs=None),
        tiles(inputs=[]),
        tiles(inputs=[{}, {}]),
        tiles(inputs=tiles()["inputs"][::-1]),
        tiles(inputs=[[], []]),
        tiles(state=[{"id": "a", "property": "b"}]),
        tiles(state=False),
        tiles(state=None),
        tiles(changedPropIds=None),
        tiles(changedPropIds=["nothing.data"]),
        tiles(changedPropIds=[["x"]]),
        with_address(None),
        with_address([]),
        with_address({"code": 1}),
        with_address({"code": "\x00"}),
        with_address({"code": "\ud800"}),
        with_address({"code": "9" * 1000}),
        tiles(extra=10**400),
        tiles(output=["a"]),
    ],
)
def test_a_malformed_body_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    answer = client.post(PATH, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 404), answer.text
    assert set(answer.json()["error"]) == {"code", "message", "details"}


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"null", b"[]", b'"x"', b"NaN", b"\xff\xfe", b'{"output": NaN}', b"[" * 100_000, b'{"a":' * 900_000,
     b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 1e999}'],
)  # fmt: skip
def test_no_body_makes_it_stumble(client: httpx.Client, raw: bytes) -> None:
    answer = client.post(PATH, content=raw[:1_000_000], headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "malformed"


@pytest.mark.parametrize(
    "screen", ["wall", "area", "dispatch", "tickets", "callbacks", "supervision", "mediation"]
)
def test_a_page_loads_what_its_layout_is_made_of_and_no_more(client: httpx.Client, screen: str) -> None:
    text = client.get(f"/{screen}/").text
    told, scripts = text.split("window.wangge=", 1)[1].split("</script>", 1)
    layout = json.dumps(json.loads(told)["given"][f"/{screen}/_dash-layout"])
    for suite, namespace in SUITES.items():
        assert (f'src="/{screen}/_dash-component-suites/{suite}/' in scripts) == (
            f'"namespace": "{namespace}"' in layout
        ), suite


def test_other_ways_to_ask(client: httpx.Client) -> None:
    for answer in (
        client.get(PATH),
        client.put(PATH, json=tiles()),
        client.post(PATH, params={"cancelJob": "1", "cacheKey": "x"}, json=tiles()),
        client.post(PATH, content=json.dumps(tiles())),
        client.post("/wall/_dash-update-component", json=tiles()),
        client.post(PATH, json=tiles() | {"pad": "x" * 1_100_000}),
        client.post("/area/_dash-layout"),
        client.get("/nowhere"),
        client.get("/area/_dash-component-suites/nothing/x.js"),
        client.get("/area/assets/none.js"),
    ):
        assert 400 <= answer.status_code < 500, (answer.request.url, answer.status_code, answer.text)
        assert set(answer.json()["error"]) == {"code", "message", "details"}, answer.request.url


def test_a_callback_that_raises_says_nothing_but_the_request_id(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("callbacks.area.report.span_of", broken)
    answer = client.post(PATH, json=tiles(), headers={"X-Request-ID": "asked-1"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert answer.json()["error"]["details"] == [{"request_id": "asked-1"}]
    assert "secret" not in answer.text and "Traceback" not in answer.text
