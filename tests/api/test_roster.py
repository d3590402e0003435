"""The roster over HTTP: who sees whom on duty, and who may change a day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest

from app import create_app
from geodata.servers import Stores
from services.access import RIGHTS, ROLES, Right
from settings import Settings
from tests.live_app import served
from tests.small_place import grid_no
from tests.viewers import client_args, county, of_community, of_town

TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
NAME, PHONE = "甲一丰", "12000000001"


@pytest.fixture(scope="module")
def stores(module_clone: Stores) -> Stores:
    """The small place with somebody on duty all day in each town and in one community."""
    with psycopg.connect(module_clone.database_url) as conn:
        for area in (grid_no(1, 0, 0), grid_no(2, 0, 0), grid_no(1, 1, 0)):
            conn.execute(
                "INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, phone, source, generated)"
                " VALUES (%s, 'duty_leader', %s, '00:00', '24:00', %s, %s, 'tests', true)",
                (area, TODAY, NAME, PHONE),
            )
        for town, role in ((1, "duty_leader"), (2, "police")):
            conn.execute(
                "INSERT INTO key_person (kind, code, name, role, area_no, geom, generated)"
                " VALUES ('post', %s, '乙', %s, %s, ST_Point(117.01, 35.41, 4326), true)",
                (f"P{town}", role, grid_no(town, 0, 0)),
            )
    return module_clone


@pytest.fixture(scope="module")
def url(stores: Stores) -> Iterator[str]:
    """The whole product on it."""
    with served(create_app(Settings(), stores)) as address:
        yield address


def turn(**changed: Any) -> dict[str, Any]:
    return {
        "area": "370883001", "role": "police", "date": TODAY.isoformat(), "from": "08:00", "to": "24:00",
        "name": "乙二", "phone": "12000000002",
    } | changed  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_names_and_phones_are_for_those_who_may_see_people(url: str, role: str) -> None:
    with httpx.Client(**client_args(url, county(role))) as client:
        answers = [
            client.get("/api/roster"),
            client.get(f"/api/cards/area/{grid_no(1, 1, 1)}", params={"people": 1}),
        ]
    for answer in answers:
        assert answer.status_code == 200
        assert (NAME in answer.text and PHONE in answer.text) == (Right.PEOPLE in RIGHTS[role])
    rows = answers[0].json()["rows"]
    assert [row["role"]["code"] for row in rows] == ["duty_leader"] * 3
    assert [(row["from"], row["to"], row["now"]) for row in rows] == [("00:00", "24:00", True)] * 3
    assert len(answers[0].json()["on_duty"]) == 3
    on_duty = answers[1].json()["on_duty"]
    assert [one["level"] for one in on_duty] == ["town", "community"]


def test_a_card_names_nobody_unless_asked(url: str) -> None:
    with httpx.Client(**client_args(url)) as client:
        card = client.get(f"/api/cards/area/{grid_no(1, 1, 1)}")
    assert NAME not in card.text and len(card.json()["on_duty"]) == 2


def test_the_map_shows_which_posts_are_held(url: str) -> None:
    with httpx.Client(**client_args(url)) as client:
        answer = client.get("/api/map/posts").json()
    rows = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    assert [(row["role"], row["on_duty"]) for row in rows] == [("duty_leader", 1), ("police", 0)]


def test_a_wall_learns_only_that_a_post_is_held(url: str) -> None:
    wall = replace(of_town(1, "wall"), kind="wall", id=1)
    with httpx.Client(**client_args(url, wall)) as client:
        paths = ("/api/roster", f"/api/cards/area/{grid_no(1, 1, 1)}", "/api/map/posts")
        answers = [client.get(path, params={"people": 1}) for path in paths]
        assert client.post("/api/roster", json=turn()).status_code == 403
    for answer in answers:
        assert answer.status_code == 200 and "duty_leader" in answer.text
        assert NAME not in answer.text and PHONE not in answer.text
    assert "name" not in answers[1].json()["on_duty"][0]


def test_what_is_outside_is_not_there(url: str) -> None:
    with httpx.Client(**client_args(url, of_town(1))) as client:
        rows = client.get("/api/roster").json()["rows"]
        assert {row["area_no"] for row in rows} == {grid_no(1, 0, 0), grid_no(1, 1, 0)}
        elsewhere, nowhere = (client.get("/api/roster", params={"within": c}) for c in ("370883002", "999"))
        assert elsewhere.status_code == nowhere.status_code == 404
        answers = [client.post("/api/roster", json=turn(area=code)) for code in ("370883002", "999")]
        assert [answer.json()["error"]["code"] for answer in answers] == ["unknown_area"] * 2
    with httpx.Client(**client_args(url)) as client:
        theirs = client.get("/api/roster", params={"within": "370883002"}).json()["rows"][0]["id"]
    with httpx.Client(**client_args(url, of_town(1))) as client:
        for number in (theirs, 999_999):
            assert client.delete(f"/api/roster/{number}").status_code == 404


def test_a_turn_is_entered_and_taken_out(url: str, stores: Stores) -> None:
    with httpx.Client(**client_args(url, of_town(1))) as client:
        entered = client.post("/api/roster", json=turn())
        assert entered.status_code == 201, entered.text
        again = client.post("/api/roster", json=turn())
        assert (again.status_code, again.json()["error"]["details"][0]["field"]) == (422, "name")
        stand_in = client.post("/api/roster", json=turn(name="丙三", substitute_for="乙二"))
        assert stand_in.status_code == 201
        rows = [row for row in client.get("/api/roster").json()["rows"] if row["role"]["code"] == "police"]
        assert [(row["name"], row["substitute_for"], row["source"]) for row in rows] == [
            ("丙三", "乙二", "town_official1"), ("乙二", None, "town_official1"),
        ]  # fmt: skip
        assert client.delete(f"/api/roster/{entered.json()['id']}").status_code == 204
        assert client.delete(f"/api/roster/{stand_in.json()['id']}").status_code == 404
    with psycopg.connect(stores.database_url) as conn:
        actions = conn.execute(
            "SELECT detail ->> 'change' FROM audit WHERE action = 'roster_changed' ORDER BY id"
        )
        assert actions.fetchall() == [("added",), ("added",), ("removed",)]


@pytest.mark.parametrize("role", ROLES)
def test_who_may_change_it(url: str, role: str) -> None:
    viewer = of_community(1, 1, role)
    with httpx.Client(**client_args(url, viewer)) as client:
        answer = client.post("/api/roster", json=turn(area="370883001001", role="mediator", name=role))
        assert answer.status_code == (201 if Right.ROSTER_EDIT in RIGHTS[role] else 403)
        if answer.status_code == 201:
            assert client.delete(f"/api/roster/{answer.json()['id']}").status_code == 204
        else:
            assert client.delete("/api/roster/1").status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"role": "king"}, {"date": "2019-01-01"}, {"date": "x"}, {"from": "25:00"}, {"from": "08:00Z"}, {"name": ""},
        {"name": "a\x00"}, {"phone": "call me"}, {"substitute_for": "谁"}, {"extra": 1}, {"area": ""},
    ],
)  # fmt: skip
def test_what_cannot_be(url: str, changed: dict[str, Any]) -> None:
    with httpx.Client(**client_args(url, of_town(1))) as client:
        assert client.post("/api/roster", json=turn(**changed)).status_code == 422


def test_odd_days(url: str) -> None:
    with httpx.Client(**client_args(url)) as client:
        assert client.get("/api/roster", params={"on": "0001-01-01"}).json()["rows"] == []
        assert client.get("/api/roster", params={"on": "9999-12-31"}).json()["rows"] == []
        assert client.get("/api/roster", params={"on": "tomorrow"}).status_code == 422
