"""Liaoyang: eleven steps from the patrol to the rating, and the catalogue of 225 matters on two levels."""

from collections.abc import Iterator

import psycopg
import pytest

import profiles
from geodata.servers import Stores
from tests.loops.walk import WORKER, Walk, place_of
from tests.small_place import grid_no

STEPS = ["巡查", "发现", "上报", "受理", "调拨", "处置", "反馈", "核查", "结案", "监管", "评价"]


@pytest.fixture(scope="module")
def opened(module_clone: Stores) -> Iterator[Walk]:
    with psycopg.connect(
        module_clone.database_url
    ) as conn:  # the patrol that finds what is reported from grid 1
        conn.execute(
            "INSERT INTO patrol SELECT area_no, (now() AT TIME ZONE 'Asia/Shanghai')::date, id,"
            " date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai', now()"
            " FROM worker WHERE area_no = %s",
            (grid_no(1, 1, 1),),
        )
    with place_of("liaoyang", module_clone) as walk:
        yield walk


@pytest.fixture
def walk(opened: Walk) -> Walk:
    return Walk(opened.client)


def marks(walk: Walk) -> str:
    """How the eleven steps stand, one sign each."""
    track = walk.track().split()
    assert [step[1:] for step in track] == STEPS
    return "".join(step[0] for step in track)


def to_check(walk: Walk) -> None:
    walk.give("dispatch", department="urban")
    walk.give("sign", by="worker", worker=WORKER)
    walk.give("start", by="worker")
    walk.give("handle", by="worker", result="已清运")


def test_a_ticket_goes_the_eleven_steps_in_order(walk: Walk) -> None:
    walk.file(by="worker", title="路面遗撒", category="01004")
    assert marks(walk) == "✓✓✓✓▶······"
    walk.give("dispatch", department="urban")
    assert marks(walk) == "✓✓✓✓✓▶·····"
    walk.give("sign", by="worker", worker=WORKER)
    walk.give("handle", by="worker", result="已清扫冲洗")
    assert marks(walk) == "✓✓✓✓✓✓✓▶···"
    walk.refused("close", "not_allowed")  # nothing is closed that was not checked
    assert walk.refused("verify", "bad_report")["field"] == "note"
    walk.give("verify", by="clerk", note="现场查看，路面干净")
    assert marks(walk) == "✓✓✓✓✓✓✓✓▶··"
    walk.refused("close", "forbidden", by="clerk")  # the grid centre closes
    walk.give("close")
    assert marks(walk) == "✓✓✓✓✓✓✓✓✓▶·"
    walk.give("inspect", by="supervisor", passed=True, finding="过程规范，照片齐全")
    assert marks(walk) == "✓✓✓✓✓✓✓✓✓✓▶"
    walk.give("call_back", satisfaction="satisfied", solved="solved")
    assert marks(walk) == "✓✓✓✓✓✓✓✓✓✓✓"
    course = walk.course()
    assert (course["way"]["name"], course["current"]) == ("十一步闭环", [])
    assert course["assumed"]["name"].startswith("225类网格事项")  # said wherever its category stands
    who = {step["name"]: step["by"] for step in course["stages"]}
    assert (who["上报"], who["核查"], who["监管"]) == ("worker", "clerk", "supervisor")
    times = [step["at"] for step in course["stages"]]
    assert times == sorted(times)


def test_what_a_citizen_reports_was_found_by_no_patrol(walk: Walk) -> None:
    lon, lat = 117.0 + 0.015, 35.4 + 0.005  # grid 2: nobody patrolled it
    walk.file(by="citizen", channel="app", title="楼道堆物", category="07001", lon=lon, lat=lat)
    assert marks(walk) == "–✓✓▶·······"
    walk.give("accept")
    assert marks(walk) == "–✓✓✓▶······"


def test_a_check_that_fails_sends_it_back_to_be_handled(walk: Walk) -> None:
    walk.file()
    to_check(walk)
    assert walk.refused("redo", "bad_report")["field"] == "reason"
    walk.give("redo", reason="现场仍有残留")
    assert marks(walk) == "✓✓✓✓✓▶·····"
    assert walk.ticket()["redos"] == 1
    walk.give("handle", by="worker", result="再次清理")
    walk.give("verify", note="复查合格")
    walk.give("close")
    assert marks(walk) == "✓✓✓✓✓✓✓✓✓▶·"


def test_an_inspection_that_fails_and_an_unsatisfied_rating_reopen_it(walk: Walk) -> None:
    walk.file(category="08001", title="消防设施损坏")
    to_check(walk)
    walk.give("verify", note="已看")
    walk.give("close")
    walk.give("inspect", by="supervisor", passed=False, finding="照片与现场不符")
    assert marks(walk) == "✓✓✓✓✓✓✓✓✓▶·"
    heard = walk.give("call_back", satisfaction="unsatisfied", solved="unsolved")
    assert (heard["status"], heard["supervision"], heard["closed_at"]) == ("reopened", "hard", None)
    assert walk.course()["status"]["name"] == "重新立案"
    assert marks(walk) == "✓✓✓▶·······"
    walk.give("accept")
    to_check(walk)
    walk.give("verify", note="设施已更换")
    walk.give("close")
    assert marks(walk) == "✓✓✓✓✓✓✓✓✓▶·"


def test_the_catalogue_has_225_matters_on_two_levels_and_says_that_it_is_made_up(walk: Walk) -> None:
    told = walk.asked("GET", "/api/loop/catalogue", "worker").json()
    codes = [kind["code"] for row in told["classes"] for kind in row["kinds"]]
    names = [kind["name"] for row in told["classes"] for kind in row["kinds"]]
    assert (told["count"], len(set(codes)), len(set(names))) == (225, 225, 225)
    assert all(kind["code"].startswith(row["code"]) for row in told["classes"] for kind in row["kinds"])
    assert told["assumed"] and "自拟" in told["source"]["name"] and "made up" in told["source"]["name_en"]
    departments = {department.code for department in profiles.load("liaoyang").departments}
    assert {kind["department"] for row in told["classes"] for kind in row["kinds"]} <= departments
