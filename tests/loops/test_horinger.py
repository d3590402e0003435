"""Horinger: six steps with supervision and consultation beside them, ledgers by risk, and the three rounds."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from geodata.servers import Stores
from tests.loops.walk import WORKER, Walk, place_of

HOTLINE = {"channel": "12345", "category": "03001", "title": "小区单元门损坏"}
COMMUNITY, GRID = "370883001001", "370883001001001"


@pytest.fixture(scope="module")
def opened(module_clone: Stores) -> Iterator[Walk]:
    with place_of("horinger", module_clone) as walk:
        yield walk


@pytest.fixture
def walk(opened: Walk) -> Walk:
    return Walk(opened.client)


def handled(walk: Walk) -> None:
    walk.give("dispatch", worker=WORKER)
    walk.give("sign", by="worker")
    walk.give("start", by="worker")
    walk.give("handle", by="worker", result="已办理完毕")


def test_a_ticket_goes_the_six_steps_in_order(walk: Walk) -> None:
    assert walk.file(**HOTLINE)["status"] == "reported"
    assert walk.track() == "▶受理 ·办理 ○督办 ○商办 ·回访 ·归档"
    walk.give("accept")
    assert walk.track() == "✓受理 ▶办理 ○督办 ○商办 ·回访 ·归档"
    handled(walk)
    assert walk.track() == "✓受理 ✓办理 ○督办 ○商办 ▶回访 ·归档"
    assert walk.refused("call_back", "bad_report", satisfaction="satisfied")["field"] == "solved"
    walk.give("call_back", satisfaction="satisfied", solved="solved")
    assert walk.track() == "✓受理 ✓办理 ○督办 ○商办 ✓回访 ▶归档"
    walk.give("close")
    assert walk.track() == "✓受理 ✓办理 ○督办 ○商办 ✓回访 ▶归档"
    assert walk.course()["status"]["name"] == "办结"
    walk.give("archive")
    assert walk.track() == "✓受理 ✓办理 ○督办 ○商办 ✓回访 ✓归档"
    assert walk.course()["status"]["name"] == "归档"


def test_nothing_is_filed_away_that_was_not_called_back(walk: Walk) -> None:
    walk.file()
    handled(walk)
    walk.give("close")
    assert walk.track() == "✓受理 ✓办理 ○督办 ○商办 ▶回访 ·归档"
    assert walk.refused("archive", "not_allowed")["expected"] == ["call_back"]
    assert "archive" not in walk.commands()
    walk.give("call_back", satisfaction="fairly", solved="solved")
    assert "archive" not in walk.commands(by="clerk")
    walk.refused("archive", "forbidden", by="clerk")  # the centre files away, not a community
    walk.give("archive")
    assert walk.track() == "✓受理 ✓办理 ○督办 ○商办 ✓回访 ✓归档"


def test_a_dispute_is_supervised_taken_to_a_consultation_and_redone(walk: Walk) -> None:
    walk.file(channel="mediation", category="02001", title="两户排水纠纷")
    walk.give("dispatch", department="justice")
    walk.give("sign", worker=WORKER)
    walk.give("supervise", by="supervisor", supervision="hard", reason="多次反映")
    assert walk.track() == "✓受理 ▶办理 ▶督办 ○商办 ·回访 ·归档"
    assert walk.refused("consult", "bad_report", question="责任归谁")["field"] == "participants"
    walk.give("consult", question="排水管归谁修", participants=["justice", "housing"])
    assert walk.track() == "✓受理 ▶办理 ▶督办 ▶商办 ·回访 ·归档"
    walk.give("conclude", decision="由住建局改管，司法所调解赔偿")
    assert walk.track() == "✓受理 ▶办理 ▶督办 ✓商办 ·回访 ·归档"
    walk.give("handle", by="worker", result="管道已改，签订调解协议")
    walk.give("call_back", satisfaction="unsatisfied", solved="partly")
    assert walk.ticket()["supervision"] == "hard"  # the ledger of middle risk
    assert walk.refused("close", "not_allowed")["expected"] == ["redo", "call_back"]
    walk.give("redo", reason="赔偿未到位")
    assert walk.track() == "✓受理 ▶办理 ▶督办 ✓商办 ·回访 ·归档"
    walk.give("handle", by="worker", result="赔偿已到位")
    walk.give("call_back", satisfaction="satisfied", solved="solved")
    assert walk.track() == "✓受理 ✓办理 ✓督办 ✓商办 ✓回访 ▶归档"
    walk.give("close")
    walk.give("archive")
    steps = {step["code"]: (step["times"], step["by"]) for step in walk.course()["stages"]}
    assert steps["handle"] == (2, "worker") and steps["supervise"] == (1, "dispatcher")


def test_tickets_stand_in_the_ledger_of_their_risk(walk: Walk) -> None:
    def ledgers(risk: str = "") -> tuple[dict[str, int], list[int]]:
        told = walk.asked("GET", f"/api/loop/ledgers{risk and '?risk=' + risk}", "dispatcher").json()
        return {row["name"]: row["open"] for row in told["ledgers"]}, [row["id"] for row in told["rows"]]

    before, _ = ledgers()
    assert list(before) == ["低风险台账", "中风险台账", "高风险台账"]
    walk.file(category="07001", title="消防通道堵塞")
    counts, rows = ledgers("red")
    assert counts["高风险台账"] == before["高风险台账"] + 1 and rows == [walk.id]
    walk.give("regrade", risk="yellow")
    counts, rows = ledgers("yellow")
    assert (counts["高风险台账"], counts["中风险台账"]) == (before["高风险台账"], before["中风险台账"] + 1)
    assert walk.id in rows
    assert walk.refused("regrade", "bad_report", risk="purple")["expected"] == ["green", "yellow", "red"]
    assert walk.asked("GET", "/api/loop/ledgers?risk=purple", "dispatcher").status_code == 404
    elsewhere = walk.asked("GET", "/api/loop/ledgers?risk=yellow", "elsewhere").json()
    assert elsewhere["rows"] == [] and sum(row["open"] for row in elsewhere["ledgers"]) == 0


def test_daily_weekly_and_monthly_rounds(walk: Walk) -> None:
    def sheet(kind: str, by: str = "dispatcher", more: str = "") -> dict[str, Any]:
        answer = walk.asked("GET", f"/api/rounds?kind={kind}{more}", by)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    day = sheet("daily")
    assert (day["name"], day["level"], day["owed"], day["done"]) == ("日排查", "grid", 36, 0)
    row = next(row for row in day["rows"] if row["area_code"] == GRID)
    found = row["found"]
    walk.file(title="日排查发现线缆脱落")  # through the channel of the daily round
    walk.file(channel="12345", category="03001")
    made = walk.asked(
        "POST", "/api/rounds", "worker", {"kind": "daily", "area": GRID, "words": "线缆脱落一处"}
    )
    assert made.status_code == 201, made.text
    assert made.json()["found"] == found + 1 and made.json()["state"] in ("done", "done_late")
    again = walk.asked("POST", "/api/rounds", "worker", {"kind": "daily", "area": GRID})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "made_already")
    day = sheet("daily")
    assert (day["owed"], day["done"]) == (36, 1)
    row = next(row for row in day["rows"] if row["area_code"] == GRID)
    assert row["figures"]["found"] == found + 1 and row["words"] == "线缆脱落一处"

    week = sheet("weekly")
    assert (week["name"], week["level"], week["owed"]) == ("周报告", "community", 4)
    row = next(row for row in week["rows"] if row["area_code"] == COMMUNITY)
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    assert row["lower"] == {"kind": "daily", "made": 1, "owed": 9 * (today.weekday() + 1)}
    made = walk.asked(
        "POST", "/api/rounds", "clerk", {"kind": "weekly", "area": COMMUNITY, "words": "本周平稳"}
    )
    assert made.status_code == 201 and made.json()["lower"]["made"] == 1

    month = sheet("monthly")
    assert (month["name"], month["level"]) == ("月调度", "town") and month["first_day"].endswith("-01")
    yesterday = today - timedelta(days=1)
    missed = sheet("daily", more=f"&on={yesterday}")
    assert missed["missing"] == 36 and {row["state"] for row in missed["rows"]} == {"missing"}
    late = walk.asked("POST", "/api/rounds", "worker", {"kind": "daily", "area": GRID, "on": str(yesterday)})
    assert late.status_code == 201 and late.json()["state"] == "done_late"


@pytest.mark.parametrize(
    ("by", "body", "status"),
    [
        ("worker", {"kind": "hourly", "area": GRID}, 422),
        ("worker", {"kind": "daily", "area": COMMUNITY}, 422),
        ("worker", {"kind": "daily", "area": "370883002001001"}, 422),  # another town's
        ("worker", {"kind": "daily", "area": GRID, "on": "2020-01-01"}, 422),
        ("worker", {"kind": "daily", "area": GRID, "on": "2999-01-01"}, 422),
        ("supervisor", {"kind": "daily", "area": GRID}, 403),
    ],
)
def test_a_round_that_cannot_be_is_refused(walk: Walk, by: str, body: dict[str, str], status: int) -> None:
    assert walk.asked("POST", "/api/rounds", by, body).status_code == status


@pytest.mark.parametrize("query", ["kind=hourly", "kind=daily&on=0001-01-01", "kind=monthly&on=9999-12-31"])
def test_rounds_that_there_are_not_are_not_shown(walk: Walk, query: str) -> None:
    answer = walk.asked("GET", f"/api/rounds?{query}", "dispatcher")
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] in ("kind", "on")
