"""/api/care: masked, opened for a reason, closed again; out of scope is not there; nothing tracks a resident."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest

from app import create_app
from geodata.importing.words import refused_heading
from geodata.servers import Stores
from settings import Settings
from tests.live_app import served
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, client_args, county, of_community, of_town

NAME, PHONE, ID_NUMBER = "赵六生", "13900012345", "999999195001019876"
GRID = "370883001001001"
OFFICIAL, OTHER, CLERK = of_town(1), of_town(2), of_community(1, 1)
INSIDER = replace(OFFICIAL, id=41, name="insider")
RECORD: dict[str, Any] = {
    "name": NAME, "category": "elderly_alone", "area": GRID, "phone": PHONE, "id_number": ID_NUMBER,
    "building": "3号楼2单元", "contacts": [{"role": "police", "name": "孙民警", "phone": "13900000099"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """The whole product on the small place, with an account for each viewer."""
    with psycopg.connect(module_clone.database_url) as conn:
        for viewer in (OFFICIAL, OTHER, CLERK, INSIDER, DISPATCHER):
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, 'x', %s, 'tests')",
                (viewer.id, viewer.name, viewer.role),
            )
    with served(create_app(Settings(), module_clone)) as address:
        yield address


@pytest.fixture(scope="module")
def official(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(**client_args(url, OFFICIAL)) as client:
        yield client


@pytest.fixture(scope="module")
def clerk(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(**client_args(url, CLERK)) as client:
        yield client


@pytest.fixture(scope="module")
def record(clerk: httpx.Client) -> dict[str, Any]:
    """One record, visited 37 days ago."""
    last = (datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(days=37)).date().isoformat()
    answer = clerk.post("/api/care", json={**RECORD, "last_visit_on": last})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_record_is_masked_in_every_answer(official: httpx.Client, record: dict[str, Any]) -> None:
    card = official.get(f"/api/care/{record['id']}")
    told = card.json()
    assert card.headers["cache-control"] == "no-store"
    assert (told["name"], told["phone"], told["building"], told["open_until"]) == (
        "赵**",
        "139****2345",
        None,
        None,
    )
    assert told["state"] == "overdue" and told["category"]["name"] == "独居老人"
    assert told["contacts"] == [
        {"role": {"name": "民警", "name_en": "Police officer"}, "name": "孙**", "phone": "139****0099"}
    ]
    assert [step["level"] for step in told["path"]] == ["town", "community", "grid"]
    register, markers = official.get("/api/care"), official.get("/api/map/care/visits")
    assert [row["name"] for row in register.json()["rows"]] == ["赵**"] and register.json()["total"] == 1
    assert set(markers.json()["columns"]) == {"id", "lon", "lat", "category", "state", "area_no"}
    (marker,) = markers.json()["rows"]
    x, y = centre(1, 1, 1)
    assert marker == [record["id"], x, y, "elderly_alone", "overdue", grid_no(1, 1, 1)]
    for answer in (card, register, markers):
        for secret in (NAME, PHONE, ID_NUMBER, "3号楼", "孙民警"):
            assert secret not in answer.text


def test_opening_needs_a_reason_and_ends(
    official: httpx.Client, record: dict[str, Any], module_clone: Stores
) -> None:
    path = f"/api/care/{record['id']}"
    for reason in ("", "   ok  ", "x" * 201):
        assert official.post(f"{path}/open", json={"reason": reason}).status_code == 422
    opened = official.post(f"{path}/open", json={"reason": "下午入户，核对住址"}).json()
    assert (opened["name"], opened["phone"], opened["building"]) == (NAME, PHONE, "3号楼2单元")
    assert opened["id_number"] == "9999**********9876"
    assert 9 * 60_000 < opened["open_until"] - opened["as_of"] <= 10 * 60_000
    assert official.get(path).json()["name"] == NAME
    with psycopg.connect(module_clone.database_url) as conn:
        rows = conn.execute(
            "SELECT actor_name, reason, detail->>'step' FROM audit WHERE action = 'care_opened' ORDER BY id"
        ).fetchall()
        assert rows == [(OFFICIAL.name, "下午入户，核对住址", step) for step in ("granted", "read", "read")]
        conn.execute(
            "UPDATE care_grant SET granted_at = now() - interval '1 h', expires_at = now() - interval '1 s'"
        )
    assert official.get(path).json()["name"] == "赵**"


def test_another_town_gets_the_answer_of_what_does_not_exist(url: str, record: dict[str, Any]) -> None:
    bodies = {
        "open": {"reason": "out of curiosity"}, "visits": {"outcome": "ok"},
    }  # fmt: skip
    with httpx.Client(**client_args(url, OTHER)) as other:
        answers = []
        for care_id in (record["id"], 10**9):
            answers.append(
                [
                    other.get(f"/api/care/{care_id}"),
                    *(other.post(f"/api/care/{care_id}/{k}", json=v) for k, v in bodies.items()),
                ]
            )
        for real, absent in zip(*answers, strict=True):
            assert real.status_code == absent.status_code == 404
            assert real.text.replace(str(record["id"]), "N") == absent.text.replace(str(10**9), "N")
        assert other.get("/api/care").json()["rows"] == [] == other.get("/api/map/care/visits").json()["rows"]
        assert other.get("/api/care", params={"within": "370883001"}).status_code == 404
    with httpx.Client(**client_args(url, of_community(2, 1))) as other:
        assert other.post("/api/care", json=RECORD).status_code == 404, "a grid of another town is not there"
        assert other.patch(f"/api/care/{record['id']}", json={"building": "x"}).status_code == 404


@pytest.mark.parametrize(
    "role", ["operator", "dispatcher", "mediator", "supervisor", "analyst", "administrator"]
)
def test_roles_without_the_duty_see_counts_only(url: str, record: dict[str, Any], role: str) -> None:
    with httpx.Client(**client_args(url, county(role))) as client:
        for method, path in (
            ("GET", "/api/care"), ("GET", "/api/map/care/visits"), ("GET", f"/api/care/{record['id']}"),
            ("POST", f"/api/care/{record['id']}/open"), ("POST", "/api/care"), ("POST", "/api/care/export"),
        ):  # fmt: skip
            json = None if method == "GET" else {"reason": "because I want to"}
            assert client.request(method, path, json=json).status_code == 403, (role, path)
        counts = client.get("/api/map/care").json()
        assert [dict(zip(counts["columns"], row, strict=True))["people"] for row in counts["rows"]] == ["<3"]


def test_entry_is_checked_and_keeps_nothing_that_was_not_asked_for(clerk: httpx.Client) -> None:
    for field in (
        "ethnicity",
        "belief",
        "petition_history",
        "score",
        "face",
        "track",
        "opinion",
        "lat_history",
    ):
        answer = clerk.post("/api/care", json={**RECORD, field: "x"})
        assert answer.status_code == 422
        assert [fault["where"] for fault in answer.json()["error"]["details"]] == [f"body.{field}"]
    answer = clerk.post("/api/care", json={**RECORD, "category": "suspect", "phone": "call me"})
    assert answer.status_code == 422
    assert {fault["where"] for fault in answer.json()["error"]["details"]} == {"category", "phone"}
    assert ID_NUMBER not in answer.text


def test_odd_characters_and_numbers_are_refused_and_no_error_of_ours(
    clerk: httpx.Client, record: dict[str, Any]
) -> None:
    path = f"/api/care/{record['id']}"
    for body in (
        {"name": "a\x00b"},
        {"building": "\x00"},
        {"contacts": [{"name": "\x00"}]},
        {"name": " "},
        {"lon": 117},
    ):
        assert clerk.patch(path, json=body).status_code == 422, body
    for raw in (b'{"name": "\\ud800"}', b'{"lon": NaN, "lat": 1}', b"[]", b"{", b'{"every_days": 1e99}'):
        headers = {"Content-Type": "application/json"}
        assert clerk.patch(path, content=raw, headers=headers).status_code in (400, 422), raw
    assert clerk.get("/api/care", params={"category": "\x00"}).status_code == 422
    assert clerk.get("/api/care", params={"within": "\x00"}).status_code == 404
    assert clerk.get(f"/api/care/{10**16}").status_code == 422


def test_a_change_a_visit_and_an_end(clerk: httpx.Client) -> None:
    made = clerk.post("/api/care", json={**RECORD, "lon": 117.0051, "lat": 35.4052}).json()
    assert made["state"] == "due" and made["last_visit_on"] is None, "never visited: due at once"
    path = f"/api/care/{made['id']}"
    told = clerk.post(f"{path}/visits", json={"outcome": "needs_help", "note": "需要轮椅"}).json()
    assert told["visits"][0]["outcome"] == "needs_help" and told["visits"][0]["note"] is None, (
        "masked: no notes"
    )
    assert (
        datetime.fromisoformat(told["next_visit_on"]) - datetime.fromisoformat(told["last_visit_on"])
    ).days == 7
    assert clerk.post(f"{path}/visits", json={"outcome": "ok", "note": "常年上访"}).status_code == 422
    told = clerk.patch(
        path, json={"every_days": 14, "contacts": [{"role": "worker", "name": "吴网格"}]}
    ).json()
    assert told["every_days"] == 14 and [one["name"] for one in told["contacts"]] == ["吴**"]
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()
    assert clerk.patch(path, json={"ended_on": today}).json()["state"] == "ended"
    assert clerk.post(f"{path}/visits", json={"outcome": "ok"}).status_code == 422
    ended = clerk.get("/api/care", params={"state": "ended"}).json()
    assert [row["id"] for row in ended["rows"]] == [made["id"]]
    assert clerk.get(path).json()["every_days"] == 14


def test_an_export_needs_a_reason_and_the_right(
    official: httpx.Client, clerk: httpx.Client, record: dict[str, Any]
) -> None:
    assert clerk.post("/api/care/export", json={"reason": "monthly visits"}).status_code == 403
    assert official.post("/api/care/export", json={"reason": "no"}).status_code == 422
    assert (
        official.post(
            "/api/care/export", json={"reason": "monthly visits", "within": "370883002"}
        ).status_code
        == 404
    )
    answer = official.post(
        "/api/care/export", json={"reason": "monthly visits", "within": GRID, "lang": "en"}
    )
    assert answer.status_code == 200 and answer.content[:2] == b"PK"
    assert answer.headers["cache-control"] == "no-store" and ".xlsx" in answer.headers["content-disposition"]


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_an_export_says_who_took_it_and_why_on_every_page(
    official: httpx.Client, record: dict[str, Any], lang: str
) -> None:
    asked = {"reason": "=monthly visits & more", "within": GRID, "lang": lang}
    book = zipfile.ZipFile(io.BytesIO(official.post("/api/care/export", json=asked).content))
    sheet, texts = (book.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "sharedStrings"))
    for part in (sheet, texts):
        assert OFFICIAL.name in part and "=monthly visits &amp;" in part and "{" not in part
    assert "care." not in texts, "a word is missing"
    assert "<f>" not in sheet, "a formula"


def test_who_opens_one_record_after_another_is_stopped(url: str, record: dict[str, Any]) -> None:
    path, asked = f"/api/care/{record['id']}/open", {"reason": "visit today"}
    with httpx.Client(**client_args(url, INSIDER)) as insider:
        answers = [insider.post(path, json=asked) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert answers[-1].json()["error"]["code"] == "too_many"


def test_without_a_session_there_is_nothing(url: str, record: dict[str, Any]) -> None:
    with httpx.Client(base_url=url, trust_env=False) as nobody:
        for path in ("/api/care", f"/api/care/{record['id']}", "/api/map/care/visits"):
            assert nobody.get(path).status_code == 401


def test_no_route_parameter_or_field_offers_to_track_a_resident(official: httpx.Client) -> None:
    api = official.get("/api/openapi.json").json()
    names: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for key, value in (
                node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ()
            ):
                names.add(key)
                walk(value)
            for parameter in node.get("parameters", []) if isinstance(node.get("parameters"), list) else []:
                names.add(parameter["name"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(api)
    names |= {part for path in api["paths"] for part in re.split(r"[/{}.]+", path) if part}
    assert {"care", "reason", "every_days", "id_number"} <= names and len(names) > 60
    names -= {
        "risk",
        "risks",
    }  # the grade of a matter in a ledger (services/loop/lists.py), never of a person
    assert sorted(name for name in names if refused_heading(name)) == []
    care = [path for path in api["paths"] if "care" in path]
    assert not [path for path in care if re.search(r"position|live|history|search|video", path)]
    positions = [schema for path, schema in api["paths"].items() if "position" in path]
    assert "care" not in str(positions) and "resident" not in str(positions)
