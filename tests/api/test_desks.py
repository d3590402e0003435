"""/api/desks and /api/mediation over HTTP: from a call-back to supervision, ledgers, cases by one route a command."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from geodata.servers import Stores
from tests.desk_app import served_desks
from tests.small_place import centre
from tests.viewers import DISPATCHER, client_args, county, of_town

MEDIATOR = replace(of_town(1, "mediator"), id=31)
OTHER = replace(of_town(2, "mediator"), id=32)
ANALYST = replace(county("analyst"), id=33)
DISPUTE = {
    "area": "370883001001001", "category": "04001", "matter": "夜间噪声",
    "parties": [{"side": "applicant", "name": "王建国", "phone": "13900000001"},
                {"side": "respondent", "name": "李明"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """The product on the small place, where every handled ticket is called back."""
    with served_desks(module_clone, (DISPATCHER, MEDIATOR, OTHER, ANALYST)) as address:
        yield address


def client_of(url: str, viewer: Any) -> httpx.Client:
    return httpx.Client(**client_args(url, viewer))


@pytest.fixture(scope="module")
def mediator(url: str) -> Iterator[httpx.Client]:
    with client_of(url, MEDIATOR) as client:
        yield client


def handled(desk: httpx.Client) -> dict[str, Any]:
    """A handled ticket in the first grid of town 1."""
    lon, lat = centre(1, 1, 1)
    ticket = desk.post(
        "/api/tickets",
        json={"channel": "12345", "category": "01001", "title": "垃圾未清运", "lon": lon, "lat": lat},
    ).json()
    for command, carried in (("dispatch", {}), ("sign", {}), ("handle", {"result": "已清运"})):
        answer = desk.post(
            f"/api/tickets/{ticket['id']}/{command}", json={"version": ticket["version"], **carried}
        )
        assert answer.status_code == 200, answer.text
        ticket = answer.json()
    return ticket


def test_from_a_call_back_to_supervision(desk: httpx.Client) -> None:
    ticket = handled(desk)
    queue = desk.get("/api/desks/call-backs").json()
    (row,) = [one for one in queue["rows"] if one["id"] == ticket["id"]]
    assert row["reason"] == "sample" and row["state"] == "now" and row["due"] > queue["as_of"]
    case = desk.get(f"/api/desks/call-backs/{ticket['id']}").json()
    assert case["ticket"]["result"] == "已清运" and case["draw"] < case["rate"] == 1
    missed = desk.post(f"/api/desks/call-backs/{ticket['id']}/attempts", json={"outcome": "no_answer"})
    assert missed.status_code == 201 and missed.json()["again_at"] > queue["as_of"]
    assert desk.get("/api/desks/call-backs?state=later").json()["rows"][0]["attempts"] == 1
    unknown = desk.post(f"/api/desks/call-backs/{ticket['id']}/reporter")
    assert unknown.status_code == 404 and unknown.json()["error"]["code"] == "unknown_thing"
    answer = desk.post(
        f"/api/tickets/{ticket['id']}/call_back",
        json={
            "version": ticket["version"],
            "satisfaction": "unsatisfied",
            "solved": "unsolved",
            "comment": "又堆了",
        },
    )
    assert answer.status_code == 200, answer.text
    after = desk.get("/api/desks/call-backs").json()
    assert ticket["id"] not in [one["id"] for one in after["rows"]] and after["figures"]["unsatisfied"] == 1
    board = desk.get("/api/desks/supervision").json()
    (watched,) = [one for one in board["rows"] if one["id"] == ticket["id"]]
    assert (watched["reason"], watched["urges"]) == ("unsatisfied", 0) and board["facets"]["reason"] == {
        "unsatisfied": 1
    }
    case = desk.get(f"/api/desks/supervision/{ticket['id']}").json()
    assert {"urge", "redo", "remark"} <= {one["command"] for one in case["commands"]}
    version = case["ticket"]["version"]
    urged = desk.post(f"/api/tickets/{ticket['id']}/urge", json={"version": version, "note": "今日内清走"})
    assert urged.status_code == 200, urged.text
    (watched,) = desk.get("/api/desks/supervision").json()["rows"]
    assert watched["urges"] == 1 and watched["last_urge"]
    assert desk.get("/api/desks/supervision?reason=late").json()["rows"] == []


def test_a_consultation_is_asked_arranged_and_decided(desk: httpx.Client) -> None:
    lon, lat = centre(1, 1, 2)
    ticket = desk.post(
        "/api/tickets",
        json={"channel": "12345", "category": "01001", "title": "归属不清", "lon": lon, "lat": lat},
    ).json()
    asked = desk.post(
        f"/api/tickets/{ticket['id']}/consult",
        json={"version": ticket["version"], "question": "归谁管", "participants": ["urban"]},
    )
    assert asked.status_code == 200, asked.text
    (one,) = [
        row for row in desk.get("/api/desks/consultations").json()["rows"] if row["ticket_id"] == ticket["id"]
    ]
    body = {"version": one["version"], "people": ["张局长"], "meets_at": "2030-01-01T09:00:00+08:00"}
    changed = desk.patch(f"/api/desks/consultations/{one['id']}", json=body)
    assert changed.status_code == 200 and changed.json()["people"] == ["张局长"]
    stale = desk.patch(f"/api/desks/consultations/{one['id']}", json=body)
    assert stale.status_code == 409 and stale.json()["error"]["details"][0]["expected"] == 2


def test_a_ledger_is_for_its_own_desk(url: str, desk: httpx.Client, mediator: httpx.Client) -> None:
    body = {"ledger": "call_backs", "since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z",
            "reason": "monthly meeting", "lang": "en"}  # fmt: skip
    answer = desk.post("/api/desks/export", json=body)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        told = book.read("xl/sharedStrings.xml").decode()
    assert "Ledger of call-backs" in told and "monthly meeting" in told
    assert desk.post("/api/desks/export", json=body | {"ledger": "mediation"}).status_code == 200
    assert mediator.post("/api/desks/export", json=body).status_code == 403  # may not take tables away
    with client_of(url, ANALYST) as analyst:
        assert analyst.post("/api/desks/export", json=body).status_code == 403  # not of that desk
    backwards = desk.post("/api/desks/export", json=body | {"until": "2019-01-01T00:00:00Z"})
    assert backwards.status_code == 422 and backwards.json()["error"]["code"] == "bad_desk"


def test_a_case_over_http(url: str, mediator: httpx.Client) -> None:
    made = mediator.post("/api/mediation", json=DISPUTE, headers={"Idempotency-Key": "k1"})
    assert made.status_code == 201, made.text
    case = made.json()
    assert (
        mediator.post("/api/mediation", json=DISPUTE, headers={"Idempotency-Key": "k1"}).json()["id"]
        == case["id"]
    )
    reused = mediator.post(
        "/api/mediation", json=DISPUTE | {"category": "04002"}, headers={"Idempotency-Key": "k1"}
    )
    assert reused.status_code == 422 and reused.json()["error"]["code"] == "key_reused"
    assert [one["name"] for one in case["parties"]] == ["王**", "李**"] and case["matter"] is None
    path = f"/api/mediation/{case['id']}"
    accepted = mediator.post(f"{path}/accept", json={"version": 1})
    assert (
        accepted.status_code == 200
        and accepted.json()["due_at"]
        and "no-store" in accepted.headers["cache-control"]
    )
    assert mediator.post(f"{path}/accept", json={"version": 1}).json()["error"]["code"] == "stale_version"
    refused = mediator.post(f"{path}/perform", json={"version": 2, "performed_on": "2026-01-01"})
    assert refused.status_code == 409 and "settle" in refused.json()["error"]["details"][0]["expected"]
    found = mediator.get(f"{path}/mediators").json()["mediators"]
    assert [one["name"] for one in found] == ["赵调解"]
    bad = mediator.post(f"{path}/assign", json={"version": 2})
    assert bad.status_code == 422 and bad.json()["error"]["code"] == "invalid"
    assigned = mediator.post(f"{path}/assign", json={"version": 2, "post": found[0]["id"], "room": "甲社区"})
    assert assigned.json()["mediator"] == "赵调解"
    queue = mediator.get("/api/mediation").json()
    assert queue["reasons"] == {"plan": 1} and queue["rows"][0]["parties"] == ["王**", "李**"]
    assert "王建国" not in mediator.get(path).text
    opened = mediator.post(f"{path}/open", json={"reason": "下午调解核对"}).json()
    assert (
        opened["parties"][0]["name"] == "王建国" and opened["matter"] == "夜间噪声" and opened["open_until"]
    )
    with client_of(url, OTHER) as other:
        assert other.get(path).status_code == 404 and other.get("/api/mediation").json()["rows"] == []
        assert (
            other.post(f"{path}/withdraw", json={"version": 3, "reason": "come to terms"}).status_code == 404
        )
