"""Shanggao: 13710 with register and cancel over seven kinds of work, plans of nodes, warning lists on three levels."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from geodata.servers import Stores
from tests.loops.walk import WORKER, Walk, place_of

WECHAT = {"channel": "wechat", "category": "02001", "title": "群里反映自来水停水"}
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def opened(module_clone: Stores) -> Iterator[Walk]:
    with place_of("shanggao", module_clone) as walk:
        yield walk


@pytest.fixture
def walk(opened: Walk) -> Walk:
    return Walk(opened.client)


def days(step: dict[str, str], since: str) -> int:
    """Local days from a moment's day to the end of the day on which a step is due."""
    due = datetime.fromisoformat(step["due"]).astimezone(ZONE)
    assert (due.hour, due.minute) == (0, 0)  # the end of a day
    return (due.date() - timedelta(days=1) - datetime.fromisoformat(since).astimezone(ZONE).date()).days


def test_an_ordinary_ticket_goes_1_3_7_0(walk: Walk) -> None:
    walk.file(by="citizen", severity="ordinary", **WECHAT)
    assert walk.track() == "▶1日受理 ·挂号 ·交办 ·3日反馈 ·7日办结 ·回访 ·0遗留销号"
    walk.give("accept")
    assert walk.track() == "✓1日受理 ▶挂号 ·交办 ·3日反馈 ·7日办结 ·回访 ·0遗留销号"
    assert walk.refused("register", "bad_report")["field"] == "work_kind"
    assert len(walk.refused("register", "bad_report", work_kind="other")["expected"]) == 7
    registered = walk.give("register", work_kind="livelihood")
    assert registered["registered_no"] and registered["work_kind"] == "livelihood"
    assert walk.track() == "✓1日受理 ✓挂号 ▶交办 ·3日反馈 ·7日办结 ·回访 ·0遗留销号"
    walk.give("dispatch", department="water")
    walk.give("sign", by="worker", worker=WORKER)
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ▶3日反馈 ·7日办结 ·回访 ·0遗留销号"
    walk.give("progress", by="worker", note="正在抢修主管")
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ✓3日反馈 ▶7日办结 ·回访 ·0遗留销号"
    walk.give("start", by="worker")
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ✓3日反馈 ▶7日办结 ·回访 ·0遗留销号"
    walk.give("handle", by="worker", result="已恢复供水")
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ✓3日反馈 ✓7日办结 ▶回访 ·0遗留销号"
    walk.give("call_back", satisfaction="satisfied", solved="solved")
    walk.give("close")
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ✓3日反馈 ✓7日办结 ✓回访 ✓0遗留销号"
    course = walk.course()
    assert course["status"]["name"] == "销号" and not any(step["late"] for step in course["stages"])
    steps, dispatched = {step["code"]: step for step in course["stages"]}, walk.ticket()["dispatched_at"]
    assert days(steps["take_up"], walk.ticket()["reported_at"]) == 0
    assert (days(steps["progress"], dispatched), days(steps["ordinary"], dispatched)) == (3, 7)


def test_a_complex_one_has_a_plan_of_nodes_and_a_month(walk: Walk) -> None:
    walk.file(severity="complex", channel="grid", category="03001", title="历史遗留宅基地纠纷")
    walk.give("register", work_kind="conflict")
    walk.give("dispatch", department="justice")
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ▶节点计划 ·3日反馈 ·1月办结 ·回访 ·0遗留销号"
    walk.give("sign", by="worker", worker=WORKER)
    nodes = [
        {"name": name, "due": f"2030-01-0{at}T18:00:00+08:00"}
        for at, name in enumerate(("勘界", "协商", "签约"), 1)
    ]
    walk.give("plan", by="worker", nodes=nodes)
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ✓节点计划 ▶3日反馈 ·1月办结 ·回访 ·0遗留销号"
    walk.give("node_done", by="worker", node=1)
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ✓节点计划 ✓3日反馈 ▶1月办结 ·回访 ·0遗留销号"
    done = walk.give("node_done", by="worker", node=2)
    assert [bool(node.get("done_at")) for node in done["nodes"]] == [True, True, False]
    steps = {step["code"]: step for step in walk.course()["stages"]}
    assert days(steps["complex"], walk.ticket()["dispatched_at"]) == 30
    walk.give("regrade", severity="ordinary")  # it turned out simple: the other track of the same loop
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ✓3日反馈 ▶7日办结 ·回访 ·0遗留销号"


def test_nothing_is_left_over_an_unsatisfied_one_is_not_cancelled_off_the_list(walk: Walk) -> None:
    walk.file(channel="12345", category="01001", title="垃圾未清运")
    walk.give("register", work_kind="environment")
    walk.give("dispatch", worker=WORKER)
    walk.give("sign", by="worker")
    walk.give("handle", by="worker", result="已清运")
    assert walk.refused("close", "not_allowed")["expected"] == ["call_back"]
    walk.give("call_back", satisfaction="unsatisfied", solved="unsolved")
    assert walk.refused("close", "not_allowed")["expected"] == ["redo", "call_back"]
    walk.give("redo", reason="仍有积存")
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ▶3日反馈 ·7日办结 ·回访 ·0遗留销号"
    walk.give("handle", by="worker", result="彻底清运")
    walk.give("call_back", satisfaction="satisfied", solved="solved")
    walk.refused("close", "forbidden", by="clerk")
    walk.give("close")
    assert walk.track() == "✓1日受理 ✓挂号 ✓交办 ✓3日反馈 ✓7日办结 ✓回访 ✓0遗留销号"


def test_what_is_sent_back_keeps_its_number_in_the_register(walk: Walk) -> None:
    walk.file()
    number = walk.give("register", work_kind="safety")["registered_no"]
    walk.give("dispatch", department="urban")
    walk.give("send_back", by="worker", reason="不属本单位职责")
    assert walk.track() == "✓1日受理 ✓挂号 ▶交办 ·3日反馈 ·7日办结 ·回访 ·0遗留销号"
    assert walk.ticket()["registered_no"] == number
    assert "register" not in walk.commands()


def test_warning_lists_on_three_levels(walk: Walk, module_clone: Stores) -> None:
    def lists(by: str = "dispatcher", more: str = "") -> tuple[dict[str, int], dict[str, set[int]]]:
        told = walk.asked("GET", f"/api/loop/warnings?by=town{more}", by).json()
        ids: dict[str, set[int]] = {}
        for row in told["rows"]:
            ids.setdefault(row["level"], set()).add(row["id"])
        assert sum(sum(area["counts"].values()) for area in told["areas"]) == len(told["rows"])
        return {row["name"]: row["count"] for row in told["levels"]}, ids

    made = {}
    for name, (begun, due, escalation) in {
        "far": ("1 day", "9 days", 0), "near": ("9 days", "1 day", 0), "late": ("9 days", "-1 hour", 0),
        "very late": ("20 days", "-80 hours", 0), "escalated": ("1 day", "9 days", 2),
        "paused": ("9 days", "-1 hour", 0),
    }.items():  # fmt: skip
        walk.file(title=name, reported_at=(datetime.now(ZONE) - timedelta(days=25)).isoformat())
        made[name] = walk.id
        with psycopg.connect(module_clone.database_url) as conn:  # as time and the jobs would have left it
            conn.execute(
                "UPDATE ticket SET dispatched_at = now() - %s::interval, due_at = now() + %s::interval,"
                " escalation = %s WHERE id = %s",
                (begun, due, escalation, walk.id),
            )
            if name == "paused":
                conn.execute(
                    "UPDATE ticket SET status = 'suspended', resume_status = 'signed',"
                    " suspended_until = now() + interval '1 day' WHERE id = %s",
                    (walk.id,),
                )
    counts, ids = lists()
    assert list(counts) == ["黄色预警", "橙色预警", "红色预警"]
    assert made["near"] in ids["yellow"] and made["late"] in ids["orange"]
    assert {made["very late"], made["escalated"]} <= ids["red"]
    assert not {made["far"], made["paused"]} & {number for level in ids.values() for number in level}
    assert lists(more="&within=370883001") == (counts, ids)
    assert lists(by="elsewhere")[0] == {"黄色预警": 0, "橙色预警": 0, "红色预警": 0}
    red = walk.asked("GET", "/api/loop/warnings?level=red", "dispatcher").json()["rows"]
    assert {row["id"] for row in red} == ids["red"]
    assert walk.asked("GET", "/api/loop/warnings?level=purple", "dispatcher").status_code == 404
