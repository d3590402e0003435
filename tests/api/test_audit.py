"""The audit over HTTP: who may read it, what of it, in pages and as lines that anybody can check."""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import psycopg
import pytest

from app import create_app
from geodata.servers import Stores
from services import audit
from services.access import ROLES
from services.audit import Action
from settings import Settings
from tests.live_app import served
from tests.small_place import grid_no
from tests.viewers import client_args, county, of_town

CHIEF = county("administrator")


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """The whole product on the small place, with 3 rows of town 1, 2 of town 2 and 2 of nobody's."""
    with psycopg.connect(module_clone.database_url) as conn:
        for town, number in ((1, 3), (2, 2)):
            for i in range(number):
                audit.record(
                    conn, of_town(town), Action.care_opened, object_kind="care", object_id=i,
                    area_no=grid_no(town, 1, i + 1), reason=f"雨后走访 {town}",
                )  # fmt: skip
        for _ in range(2):
            audit.record(conn, None, Action.sign_in_failed, actor_name="who", ip="10.9.9.9")
    with served(create_app(Settings(), module_clone)) as address:
        yield address


def asked(url: str, viewer: object, path: str, **params: object) -> httpx.Response:
    with httpx.Client(**client_args(url, viewer)) as client:  # type: ignore[arg-type]
        return client.get(path, params=params)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", ["/api/audit", "/api/audit/lines"])
def test_who_may_read_it(url: str, role: str, path: str) -> None:
    expected = 200 if role in ("supervisor", "administrator") else 403
    assert asked(url, county(role), path).status_code == expected


@pytest.mark.parametrize("path", ["/api/audit", "/api/audit/lines"])
def test_nobody_reads_it_without_a_session(url: str, path: str) -> None:
    assert httpx.get(url + path, trust_env=False).status_code == 401


def test_a_refusal_leaves_a_row(url: str) -> None:
    curious = replace(of_town(1, "analyst"), id=77, name="curious")
    assert asked(url, curious, "/api/audit").status_code == 403
    assert asked(url, curious, f"/api/cards/area/{grid_no(2, 1, 1)}").status_code == 404
    wanted, until = {"/api/audit", f"/api/cards/area/{grid_no(2, 1, 1)}"}, time.monotonic() + 10
    while time.monotonic() < until:
        rows = asked(url, CHIEF, "/api/audit", action="denied", actor="curious").json()["rows"]
        if {row["detail"]["path"] for row in rows} == wanted:
            break
        time.sleep(0.2)
    assert {row["detail"]["path"] for row in rows} == wanted
    assert {(row["actor_role"], row["area_code"], row["detail"]["method"]) for row in rows} == {
        ("analyst", "370883001", "GET")
    }
    assert all(row["request_id"] and row["ip"] for row in rows)


def test_a_page_and_the_next(url: str) -> None:
    first = asked(url, CHIEF, "/api/audit", action="care_opened", limit=3).json()
    assert [row["area_name"] for row in first["rows"]] == ["第2网格", "第1网格", "第3网格"]
    rest = asked(
        url, CHIEF, "/api/audit", action="care_opened", limit=3, before_id=first["next_before_id"]
    ).json()
    assert (len(rest["rows"]), rest["next_before_id"]) == (2, None)
    row = rest["rows"][-1]
    assert (row["actor_name"], row["actor_role"], row["reason"]) == (
        "town_official1",
        "town_official",
        "雨后走访 1",
    )


def test_the_conditions(url: str) -> None:
    def number(**params: object) -> int:
        return len(asked(url, CHIEF, "/api/audit", **params).json()["rows"])

    assert number(action=["care_opened", "sign_in_failed"]) == 7
    assert number(actor="TOWN_OFFICIAL2") == 2
    assert number(text="走访 2") == 2
    assert number(text="10.9.9.9") == 2
    assert number(action="care_opened", since="2020-01-01") == 5
    assert number(since="2999-01-01T00:00:00Z") == 0
    assert number(until="2020-01-01") == 0


@pytest.mark.parametrize(
    "params",
    [{"action": "x"}, {"since": "yesterday"}, {"limit": 0}, {"limit": 501}, {"before_id": 0}, {"before_id": 10**30},
     {"text": "x" * 101}],
)  # fmt: skip
def test_what_is_not_as_described(url: str, params: dict[str, object]) -> None:
    assert asked(url, CHIEF, "/api/audit", **params).status_code == 422


@pytest.mark.parametrize(
    "params",
    [{"since": "0001-01-01"}, {"until": "9999-12-31T23:59:59-23:59"}, {"since": "0001-01-01T00:00:00+23:59"},
     {"text": "\x00"}, {"actor": "%_\\"}, {"text": "'; --"}],
)  # fmt: skip
def test_odd_but_allowed(url: str, params: dict[str, object]) -> None:
    assert asked(url, CHIEF, "/api/audit", **params).status_code == 200
    if "since" in params or "until" in params:
        assert asked(url, CHIEF, "/api/audit/lines", **params).status_code == 200


def test_a_town_reads_its_own(url: str) -> None:
    rows = asked(
        url, of_town(2, "supervisor"), "/api/audit", action=["care_opened", "sign_in_failed"]
    ).json()["rows"]
    assert {row["actor_name"] for row in rows} == {"town_official2"}
    lines = asked(url, of_town(2, "supervisor"), "/api/audit/lines").text.splitlines()
    assert {json.loads(line)["area_no"] // 1_000_000 % 1_000 for line in lines} == {2}


def test_lines_are_recorded_as_an_export_and_verify_by_themselves(url: str) -> None:
    answer = asked(url, CHIEF, "/api/audit/lines", since="2020-01-01")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert "attachment" in answer.headers["content-disposition"]
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    before = rows[0]["prev_hash"]
    for row in rows:
        given, previous = row.pop("hash"), row.pop("prev_hash")
        assert previous == before
        text = json.dumps(list(row.values()), ensure_ascii=False)
        assert hashlib.sha256(bytes.fromhex(previous) + text.encode()).hexdigest() == given
        before = given
    newest = asked(url, CHIEF, "/api/audit", limit=1).json()["rows"][0]
    assert (newest["action"], newest["object_kind"], newest["actor_name"]) == (
        "export",
        "audit",
        "administrator",
    )
    assert newest["id"] == rows[-1]["id"] + 1
    assert newest["request_id"] and newest["ip"]
