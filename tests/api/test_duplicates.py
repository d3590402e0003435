"""Duplicates and voices over HTTP: with reasons in words, without other people's words for other systems."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

import api.duplicates
from geodata.servers import Stores
from tests.live_app import make_app, served
from tests.small_place import centre
from tests.viewers import DISPATCHER

LON, LAT = centre(1, 1, 5)
REPORT = {"category": "01001", "title": "路口堆放垃圾", "lon": LON, "lat": LAT}


def served_as(stores: Stores, role: str) -> Iterator[httpx.Client]:
    app = make_app(stores, viewer=replace(DISPATCHER, role=role))
    app.include_router(api.duplicates.router(app.state.runtime))
    with served(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def desk(module_clone: Stores) -> Iterator[httpx.Client]:
    yield from served_as(module_clone, "dispatcher")


@pytest.fixture(scope="module")
def system(module_clone: Stores) -> Iterator[httpx.Client]:
    yield from served_as(module_clone, "client")


def filed(desk: httpx.Client, **change: object) -> dict:
    answer = desk.post("/api/tickets", json=REPORT | {"channel": "grid"} | change)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_likely_ones_are_offered_before_and_after_filing(desk: httpx.Client, system: httpx.Client) -> None:
    there = filed(desk, lat=LAT + 0.0003)
    found = desk.post("/api/duplicates?lang=en", json=REPORT)
    assert found.status_code == 200, found.text
    first = found.json()[0]
    assert (first["id"], first["number"], first["title"]) == (there["id"], there["number"], REPORT["title"])
    assert first["distance_m"] == pytest.approx(33, abs=1) and first["likeness"] > 80
    texts = [reason["text"] for reason in first["reasons"]]
    assert texts == [
        "33 m away", "Reported 0 hours apart", "The same matter: Exposed rubbish", "Words alike by 100 %",
    ]  # fmt: skip
    chinese = desk.post("/api/duplicates", json=REPORT, params={"lang": "zh-CN"}).json()[0]["reasons"]
    assert [reason["text"] for reason in chinese][:3] == [
        "相距 33 米",
        "上报相隔 0 小时",
        "同一小类：暴露垃圾",
    ]
    mine = filed(desk)
    assert [one["id"] for one in desk.get(f"/api/tickets/{mine['id']}/duplicates").json()] == [there["id"]]
    seen = system.get(f"/api/tickets/{mine['id']}/duplicates").json()[0]
    assert seen["id"] == there["id"] and seen["title"] is None and seen["address"] is None


def test_a_merged_tickets_voices(desk: httpx.Client) -> None:
    lon, lat = centre(2, 2, 5)
    one, other = (filed(desk, title=title, lon=lon, lat=lat) for title in ("甲说", "乙说"))
    answer = desk.post(f"/api/tickets/{one['id']}/merge", json={"version": 1, "into": other["id"]})
    assert answer.status_code == 200, answer.text
    voices = desk.get(f"/api/tickets/{other['id']}/voices").json()
    assert [(voice["title"], voice["merged_into"]) for voice in voices] == [
        ("甲说", other["id"]),
        ("乙说", None),
    ]
    assert desk.get(f"/api/tickets/{other['id']}/duplicates").json() == []  # merged: no longer offered


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": "?"},
        {"title": ""},
        {"lon": None},
        {"lon": 5.0},
        {"extra": 1},
        {"area": "?", "lon": None, "lat": None},
    ],
)
def test_a_bad_draft_is_refused(desk: httpx.Client, wrong: dict) -> None:
    answer = desk.post("/api/duplicates", json=REPORT | wrong)
    assert answer.status_code == 422 and answer.json()["error"]["details"]


@pytest.mark.parametrize("number", ["0", "999999", "-1", str(10**30)])
def test_a_ticket_that_is_not_there_is_404(desk: httpx.Client, number: str) -> None:
    for what in ("duplicates", "voices"):
        assert desk.get(f"/api/tickets/{number}/{what}").status_code == 404
