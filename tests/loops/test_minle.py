"""Minle: report, handle, track, rate, know; the order chain of resident, property and party member; duties of grids."""

from collections.abc import Iterator
from typing import Any

import pytest

from geodata.servers import Stores
from tests.loops.walk import WORKER, Walk, place_of

ORDER = {"channel": "order", "category": "02001", "title": "三楼声控灯不亮"}
GRID = "370883001001001"


@pytest.fixture(scope="module")
def opened(module_clone: Stores) -> Iterator[Walk]:
    with place_of("minle", module_clone) as walk:
        yield walk


@pytest.fixture
def walk(opened: Walk) -> Walk:
    return Walk(opened.client)


def test_a_report_is_handled_tracked_rated_and_known(walk: Walk) -> None:
    walk.file(by="citizen", channel="app", title="路灯不亮", category="06001")
    assert walk.course()["way"]["name"] == "五个随时"
    assert walk.track() == "✓随手报 ▶立即办 ▶随时看 ·随时评 ·随时知"
    for command, by, carried in (
        ("accept", "dispatcher", {}), ("dispatch", "dispatcher", {"worker": WORKER}), ("sign", "worker", {}),
        ("start", "worker", {}),
    ):  # fmt: skip
        walk.give(command, by=by, **carried)
        assert walk.track() == "✓随手报 ▶立即办 ▶随时看 ·随时评 ·随时知"
    walk.give("handle", by="worker", result="已更换灯泡")
    assert walk.track() == "✓随手报 ✓立即办 ▶随时看 ▶随时评 ·随时知"
    walk.give("call_back", by="citizen", satisfaction="satisfied", solved="solved")
    assert walk.track() == "✓随手报 ✓立即办 ▶随时看 ✓随时评 ▶随时知"
    walk.give("close")
    assert walk.track() == "✓随手报 ✓立即办 ✓随时看 ✓随时评 ✓随时知"


def test_who_is_not_satisfied_has_it_handled_again(walk: Walk) -> None:
    walk.file(by="citizen", channel="app", title="水渠堵塞", category="05001")
    walk.give("accept")
    walk.give("dispatch", worker=WORKER)
    walk.give("sign", by="worker")
    walk.give("handle", by="worker", result="已疏通")
    walk.give("close")
    assert walk.track() == "✓随手报 ✓立即办 ✓随时看 ▶随时评 ✓随时知"
    heard = walk.give("call_back", by="citizen", satisfaction="unsatisfied", solved="unsolved")
    assert (heard["status"], heard["supervision"]) == ("reopened", "ordinary")
    assert walk.track() == "✓随手报 ▶立即办 ✓随时看 ·随时评 ·随时知"
    assert walk.course()["status"]["name"] == "重新办理"


def test_a_resident_asks_the_property_orders_a_party_member_takes(walk: Walk) -> None:
    assert walk.file(by="citizen", **ORDER)["status"] == "reported"
    course = walk.course()
    assert course["way"]["name"] == "点单下单接单"
    assert [(step["name"], step["who"]["name"]) for step in course["stages"]] == [
        ("点单", "居民"), ("下单", "物业"), ("接单", "党员"), ("办理", "党员"), ("评单", "居民"), ("结单", "物业"),
    ]  # fmt: skip
    assert walk.track() == "✓点单 ▶下单 ·接单 ·办理 ·评单 ·结单"
    walk.give("accept", by="clerk")
    assert walk.track() == "✓点单 ▶下单 ·接单 ·办理 ·评单 ·结单"
    walk.give("dispatch", by="clerk", worker=WORKER)
    assert walk.track() == "✓点单 ✓下单 ▶接单 ·办理 ·评单 ·结单"
    walk.refused("sign", "forbidden", by="clerk")  # who orders does not take it
    assert "sign" in walk.commands(by="worker") and "sign" not in walk.commands(by="clerk")
    walk.give("sign", by="worker")
    assert walk.track() == "✓点单 ✓下单 ✓接单 ▶办理 ·评单 ·结单"
    walk.give("handle", by="worker", result="已换声控灯")
    walk.give("call_back", by="citizen", satisfaction="satisfied", solved="solved")
    walk.give("close", by="clerk")
    assert walk.track() == "✓点单 ✓下单 ✓接单 ✓办理 ✓评单 ✓结单"


def test_an_order_that_nobody_takes_goes_back_to_the_property(walk: Walk) -> None:
    walk.file(by="citizen", **ORDER)
    walk.give("accept", by="clerk")
    walk.give("dispatch", by="clerk", worker=WORKER)
    walk.give("send_back", by="worker", reason="今日外出")
    assert walk.track() == "✓点单 ▶下单 ·接单 ·办理 ·评单 ·结单"
    assert walk.course()["status"]["name"] == "退单"
    walk.give("dispatch", by="clerk", worker=WORKER)
    walk.give("sign", by="worker")
    assert walk.track() == "✓点单 ✓下单 ✓接单 ▶办理 ·评单 ·结单"


def test_commands_have_the_words_of_their_track(walk: Walk) -> None:
    told = walk.asked("GET", "/api/loop", "worker").json()
    words = {track["code"]: track["words"] for track in told["ways"]}
    assert words["order"]["dispatch"]["name"] == "下单" and told["words"]["dispatch"]["name"] == "派单"
    assert set(told["statuses"]) >= {"reported", "transferred", "archived"} and len(told["statuses"]) == 17


def test_each_grid_has_its_lists_of_responsibilities_and_tasks(walk: Walk) -> None:
    def lists() -> dict[str, dict[str, Any]]:
        answer = walk.asked("GET", f"/api/duties/{GRID}", "worker")
        assert answer.status_code == 200, answer.text
        return {row["item"]: row for row in answer.json()["rows"]}

    first = lists()
    assert [row["kind"] for row in first.values()] == ["responsibility"] * 4 + ["task"] * 3
    assert (
        first["patrol"]["name"] == "网格日巡查"
        and first["patrol"]["first_day"] == first["patrol"]["last_day"]
    )
    done = walk.asked(
        "POST", "/api/duties/done", "worker", {"area": GRID, "item": "patrol", "words": "无异常"}
    )
    assert done.status_code == 201 and done.json()["done_by"] == "worker"
    again = walk.asked("POST", "/api/duties/done", "worker", {"area": GRID, "item": "patrol"})
    assert again.status_code == 409
    assert lists()["patrol"]["words"] == "无异常"

    own = {"area": GRID, "kind": "task", "words": "看护村口老树", "every": "week"}
    assert walk.asked("POST", "/api/duties", "worker", own).status_code == 403
    added = walk.asked("POST", "/api/duties", "clerk", own)
    assert added.status_code == 201 and added.json()["item"].startswith("#")
    item = added.json()["item"]
    assert lists()[item]["name"] == "看护村口老树"

    told = walk.asked("GET", "/api/duties?within=370883001001", "clerk").json()
    grid = next(row for row in told["rows"] if row["area_code"] == GRID)
    assert grid["task"] == {"done": 1, "owed": 4} and grid["responsibility"] == {"done": 0, "owed": 4}
    assert told["task"] == {"done": 1, "owed": 9 * 3 + 1} and len(told["rows"]) == 9

    assert walk.asked("POST", "/api/duties/done", "worker", {"area": GRID, "item": item}).status_code == 201
    assert walk.asked("DELETE", f"/api/duties/{item[1:]}", "clerk").status_code == 204
    assert item not in lists()
    assert walk.asked("DELETE", f"/api/duties/{item[1:]}", "clerk").status_code == 404
    told = walk.asked("GET", "/api/duties?within=370883001001", "clerk").json()
    assert told["task"] == {"done": 1, "owed": 9 * 3}


@pytest.mark.parametrize(
    ("method", "path", "by", "body", "status"),
    [
        ("GET", "/api/duties/370883002001001", "worker", None, 404),
        ("GET", "/api/duties/370883001", "dispatcher", None, 404),  # no grid
        ("POST", "/api/duties/done", "worker", {"area": GRID, "item": "nothing"}, 404),
        ("POST", "/api/duties/done", "worker", {"area": "370883002001001", "item": "patrol"}, 404),
        ("POST", "/api/duties", "clerk", {"area": GRID, "kind": "task", "words": "x", "every": "hour"}, 422),
        ("POST", "/api/duties", "clerk",
         {"area": GRID, "kind": "task", "words": "x", "every": "day", "since": "2020-01-01"}, 422),
        ("GET", "/api/duties", "analyst", None, 403),
    ],
)  # fmt: skip
def test_what_is_not_there_or_not_theirs_is_refused(
    walk: Walk, method: str, path: str, by: str, body: dict[str, str] | None, status: int
) -> None:
    assert walk.asked(method, path, by, body).status_code == status
