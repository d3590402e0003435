"""Zoucheng: seven steps, three tiers of the whistle, and supervision at once for an unsatisfied call-back."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from geodata.servers import Stores
from tests.loops.walk import PROFESSIONAL, WORKER, Walk, place_of

PETITION = {"channel": "petition", "category": "05001", "title": "村道路面破损多次反映"}


@pytest.fixture(scope="module")
def opened(module_clone: Stores) -> Iterator[Walk]:
    with place_of("zoucheng", module_clone) as walk:
        yield walk


@pytest.fixture
def walk(opened: Walk) -> Walk:
    return Walk(opened.client)


def test_a_ticket_goes_the_seven_steps_in_order(walk: Walk) -> None:
    walk.file(**PETITION)
    assert walk.track() == "▶受理 ·转办 ·处置 ·反馈 ·回访 ○督办 ·办结"
    walk.give("accept")
    assert walk.track() == "✓受理 ▶转办 ·处置 ·反馈 ·回访 ○督办 ·办结"
    walk.give("dispatch", department="transport")
    assert walk.track() == "✓受理 ✓转办 ▶处置 ·反馈 ·回访 ○督办 ·办结"
    walk.give("sign", by="worker", worker=WORKER)
    walk.give("start", by="worker")
    assert walk.track() == "✓受理 ✓转办 ▶处置 ·反馈 ·回访 ○督办 ·办结"
    walk.give("handle", by="worker", result="路面已修补")
    assert walk.track() == "✓受理 ✓转办 ✓处置 ✓反馈 ▶回访 ○督办 ·办结"
    walk.give("call_back", satisfaction="satisfied", solved="solved")
    assert walk.track() == "✓受理 ✓转办 ✓处置 ✓反馈 ✓回访 ○督办 ▶办结"
    assert walk.give("close")["status"] == "closed"
    assert walk.track() == "✓受理 ✓转办 ✓处置 ✓反馈 ✓回访 ○督办 ✓办结"
    course = walk.course()
    assert course["way"]["name"] == "七步闭环" and course["current"] == [] and course["ended"] is None
    assert [(step["code"], step["by"], step["role"]) for step in course["stages"] if step["at"]] == [
        ("accept", "dispatcher", "dispatcher"), ("dispatch", "dispatcher", "dispatcher"),
        ("handle", "worker", "grid_worker"), ("answer", "worker", "grid_worker"),
        ("call_back", "dispatcher", "dispatcher"), ("close", "dispatcher", "dispatcher"),
    ]  # fmt: skip
    done = [step["at"] for step in course["stages"] if step["at"]]
    assert done == sorted(done)
    assert (
        next(step for step in course["stages"] if step["code"] == "handle")["due"] == walk.ticket()["due_at"]
    )


def test_an_unsatisfied_call_back_goes_to_supervision_at_once(walk: Walk) -> None:
    walk.file(channel="12345", category="02001", title="单元门禁损坏")
    for command, carried in (
        ("dispatch", {"worker": WORKER}),
        ("sign", {}),
        ("handle", {"result": "已修复"}),
    ):
        walk.give(command, by="dispatcher" if command == "dispatch" else "worker", **carried)
    heard = walk.give("call_back", satisfaction="unsatisfied", solved="unsolved", comment="没有修好")
    assert heard["supervised_at"] and heard["supervision"] == "ordinary"
    assert walk.track() == "✓受理 ✓转办 ✓处置 ✓反馈 ✓回访 ▶督办 ·办结"
    assert walk.refused("close", "not_allowed")["expected"] == ["redo", "call_back"]
    assert "close" not in walk.commands()
    walk.give("redo", reason="回访不满意，重新处置")
    assert walk.track() == "✓受理 ✓转办 ▶处置 ·反馈 ·回访 ▶督办 ·办结"
    walk.give("handle", by="worker", result="更换门禁主机")
    walk.give("call_back", satisfaction="unsatisfied", solved="partly")
    assert walk.ticket()["supervision"] == "hard"  # redone once
    walk.give("redo", reason="仍不满意")
    walk.give("handle", by="worker", result="厂家到场维修")
    walk.give("call_back", satisfaction="unsatisfied", solved="partly")
    assert walk.ticket()["supervision"] == "complex"  # redone twice: taken by a team
    walk.give("redo", reason="专班处置")
    walk.give("handle", by="worker", result="专班完成更换")
    walk.give("call_back", satisfaction="satisfied", solved="solved")
    assert walk.track() == "✓受理 ✓转办 ✓处置 ✓反馈 ✓回访 ✓督办 ▶办结"
    walk.give("close")
    times = {step["code"]: step["times"] for step in walk.course()["stages"]}
    assert times == {
        "accept": 1,
        "dispatch": 1,
        "handle": 4,
        "answer": 4,
        "call_back": 4,
        "supervise": 1,
        "close": 1,
    }


@pytest.mark.parametrize(
    ("category", "expected"), [("04001", "hard"), ("04003", "complex"), ("01001", "ordinary")]
)
def test_what_is_unsatisfied_is_sorted_by_what_it_is(walk: Walk, category: str, expected: str) -> None:
    walk.file(category=category)
    walk.give("dispatch", worker=WORKER)
    walk.give("sign", by="worker")
    walk.give("handle", by="worker", result="已调处")
    assert walk.give("call_back", satisfaction="unsatisfied", solved="unsolved")["supervision"] == expected


def test_the_community_whistles_and_the_professional_grid_worker_comes(walk: Walk) -> None:
    walk.file(category="03003", title="楼前水管漏水")
    lead = {"kind": "worker", "code": PROFESSIONAL}
    walk.refused(
        "whistle", "bad_report", by="clerk", tier=1, reason="漏水", lead={"kind": "worker", "code": WORKER}
    )
    walk.refused(
        "whistle",
        "bad_report",
        by="clerk",
        tier=1,
        reason="漏水",
        lead={"kind": "department", "code": "water"},
    )
    called = walk.give("whistle", by="clerk", tier=1, reason="水管漏水", lead=lead)
    minutes = datetime.fromisoformat(called["respond_due"]) - datetime.fromisoformat(called["dispatched_at"])
    assert minutes == timedelta(minutes=30) and called["worker"] == PROFESSIONAL
    assert walk.track() == "✓受理 ✓转办 ▶处置 ·反馈 ·回访 ○督办 ·办结"
    assert walk.give("respond", by="worker")["respond_due"] is None
    walk.give("sign", by="worker")
    walk.give("handle", by="worker", result="更换阀门")
    walk.give("close")
    assert walk.track() == "✓受理 ✓转办 ✓处置 ✓反馈 –回访 ○督办 ✓办结"


def test_the_town_whistles_departments_one_leads_and_others_join(walk: Walk) -> None:
    walk.file(category="01006", title="楼顶搭建彩钢房")
    order: dict[str, Any] = {
        "tier": 2,
        "reason": "需要联合执法",
        "lead": {"kind": "department", "code": "urban"},
    }
    joint = [{"kind": "department", "code": "fire"}, {"kind": "worker", "code": PROFESSIONAL}]
    walk.refused("whistle", "forbidden", by="clerk", **order)  # a community does not call departments
    called = walk.give("whistle", by="town", joint=joint, **order)
    assert [(party["code"], party["part"]) for party in called["parties"]] == [
        ("urban", "lead"), ("fire", "joint"), (PROFESSIONAL, "joint")
    ]  # fmt: skip
    walk.give("respond", by="town")
    walk.give("respond", by="town", party="fire")
    after = walk.give("refuse", by="worker", party=PROFESSIONAL, reason="无消防隐患处置权限")
    assert after["respond_due"] is None and after["status"] == "dispatched"
    assert after["parties"][2]["reason"] == "无消防隐患处置权限"


def test_a_refused_whistle_comes_back_to_be_handed_on_anew(walk: Walk) -> None:
    walk.file(category="06001", title="支渠无水")
    walk.give("whistle", by="town", tier=2, reason="协调放水", lead={"kind": "department", "code": "water"})
    assert walk.refused("refuse", "bad_report", by="town")["field"] == "reason"
    refused = walk.give("refuse", by="town", reason="支渠归镇管护")
    assert refused["status"] == "returned" and refused["department"] is None
    assert walk.track() == "✓受理 ▶转办 ·处置 ·反馈 ·回访 ○督办 ·办结"
    walk.give("dispatch", worker=WORKER)
    assert walk.track() == "✓受理 ✓转办 ▶处置 ·反馈 ·回访 ○督办 ·办结"


def test_the_city_hands_the_hard_ones_to_the_hotline_or_mediation(walk: Walk) -> None:
    walk.file(category="04001", title="两家宅基地边界争执")
    order: dict[str, Any] = {
        "tier": 3,
        "reason": "多次调处未果",
        "lead": {"kind": "department", "code": "mediation"},
    }
    walk.refused("whistle", "forbidden", by="town", **order)  # a town is not the whole place
    walk.refused("whistle", "bad_report", tier=3, reason="多次", lead={"kind": "department", "code": "urban"})
    assert walk.give("whistle", **order)["department"] == "mediation"


def test_a_reopened_ticket_begins_anew(walk: Walk) -> None:
    walk.file(**PETITION)
    walk.give("accept")
    walk.give("dispatch", worker=WORKER)
    walk.give("sign", by="worker")
    walk.give("handle", by="worker", result="已修")
    walk.give("close")
    walk.give("reopen", reason="群众再次反映")
    assert walk.track() == "▶受理 ·转办 ·处置 ·反馈 ·回访 ○督办 ·办结"
    walk.give("reject", reason="与原工单重复")
    assert walk.track() == "–受理 –转办 –处置 –反馈 –回访 ○督办 –办结"
    assert walk.course()["ended"] == "rejected"


def test_an_undone_command_has_not_been(walk: Walk) -> None:
    walk.file()
    walk.give("dispatch", worker=WORKER)
    walk.give("undo")
    assert walk.track() == "✓受理 ▶转办 ·处置 ·反馈 ·回访 ○督办 ·办结"


def test_another_town_does_not_see_where_it_stands(walk: Walk) -> None:
    walk.file()
    assert walk.asked("GET", f"/api/tickets/{walk.id}/stages", "elsewhere").status_code == 404
    assert walk.asked("GET", f"/api/tickets/{walk.id}/stages", "analyst").status_code == 403
    assert {step["by"] for step in walk.course(by="citizen")["stages"]} == {
        None
    }  # another system sees no people
