"""A ticket's card at a desk: everything of one ticket, for whoever may see it, with the commands they may give."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.small_place import centre, grid_no
from tests.viewers import client_args, county

LON, LAT = centre(1, 1, 1)
REPORT = {"channel": "grid", "category": "01001", "title": "路口堆放垃圾", "lon": LON, "lat": LAT}
WORKER = f"W{grid_no(1, 1, 1)}"


def filed(desk: httpx.Client, *commands: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    ticket = desk.post("/api/tickets", json=REPORT).raise_for_status().json()
    for command, carried in commands:
        answer = desk.post(
            f"/api/tickets/{ticket['id']}/{command}", json={"version": ticket["version"]} | carried
        )
        ticket = answer.raise_for_status().json()
    return ticket


def card(desk: httpx.Client, ticket: dict[str, Any]) -> dict[str, Any]:
    answer = desk.get(f"/api/tickets/{ticket['id']}/card")
    assert answer.status_code == 200, answer.text
    return answer.json()


def fields(shown: dict[str, Any], command: str) -> dict[str, dict[str, Any]]:
    found = next(one for one in shown["commands"] if one["command"] == command)
    return {field["name"]: field for field in found["fields"]}


def test_the_card_holds_course_clock_steps_and_what_may_be_done(desk: httpx.Client) -> None:
    shown = card(desk, filed(desk, ("dispatch", {"worker": WORKER}), ("sign", {})))
    assert shown["ticket"]["status"] == "signed" and shown["ticket"]["title"] == REPORT["title"]
    assert [event["kind"] for event in shown["history"]] == ["report", "dispatch", "sign"]
    assert shown["holders"][0]["code"] == WORKER and shown["holders"][0]["name"]
    assert shown["clock"]["due"] == shown["ticket"]["due_at"] and shown["stages"]["current"]
    needs = fields(shown, "handle")
    assert needs["result"]["required"] and needs["result"]["kind"] == "words"
    assert needs["pictures"]["kind"] == "pictures" and not needs["note"]["required"]
    until = fields(shown, "suspend")["until"]
    assert until["kind"] == "moment" and until["required"]
    offered = [option["value"] for option in fields(shown, "transfer")["worker"]["options"]]
    assert offered[0] == WORKER  # the grid's own worker first
    assert {"urban"} <= {option["value"] for option in fields(shown, "transfer")["department"]["options"]}


def test_each_field_of_each_command_has_a_kind_and_words() -> None:
    from screens.words import t
    from services.tickets import ORDERS, TRANSITIONS
    from services.tickets.forms import KINDS, NOT_ASKED

    for command, order in ORDERS.items():
        if TRANSITIONS[command].right is None:
            continue
        for lang in ("zh-CN", "en"):
            assert t(lang, f"command.{command}") != f"command.{command}"
            for name in order.model_fields:
                if name not in NOT_ASKED:
                    assert name in KINDS and t(lang, f"ticket.field.{name}") != f"ticket.field.{name}"


def test_a_whistle_offers_whom_it_may_call_and_its_answers_are_offered_after_it(desk: httpx.Client) -> None:
    ticket = filed(desk, ("dispatch", {"worker": WORKER}), ("sign", {}))
    asked = fields(card(desk, ticket), "whistle")
    assert next(iter(asked)) == "lead" or next(iter(asked)) == "tier"
    assert {"department:urban", f"worker:{WORKER}"} <= {
        option["value"] for option in asked["lead"]["options"]
    }
    lead = {"kind": "department", "code": "urban"}
    called = filed(desk, ("dispatch", {}), ("whistle", {"tier": 2, "reason": "需部门到场", "lead": lead}))
    assert {"respond", "refuse"} <= {one["command"] for one in card(desk, called)["commands"]}
    assert "respond" not in {one["command"] for one in card(desk, ticket)["commands"]}


def test_the_past_of_the_place_is_told(desk: httpx.Client) -> None:
    before = card(desk, filed(desk))["spot"]
    after = card(desk, filed(desk))["spot"]
    assert after["tickets"] == before["tickets"] + 1 and after["same_kind"] == before["same_kind"] + 1
    assert after["latest"][0]["distance_m"] == 0


def test_who_may_only_look_gets_no_commands(url: str, desk: httpx.Client) -> None:
    ticket = filed(desk)
    with httpx.Client(**client_args(url, county("operator"))) as operator:
        shown = card(operator, ticket)
    assert shown["commands"] == [] and shown["ticket"]["title"]


def test_a_pause_shows_on_the_clock(desk: httpx.Client) -> None:
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    ticket = filed(desk, ("dispatch", {}), ("sign", {}), ("suspend", {"reason": "等待备件", "until": until}))
    shown = card(desk, ticket)
    assert shown["clock"]["state"] in ("paused", "overdue") and "resume" in [
        one["command"] for one in shown["commands"]
    ]


@pytest.mark.parametrize("ticket_id", ["0", "999999", str(2**63)])
def test_a_ticket_that_is_not_there(desk: httpx.Client, ticket_id: str) -> None:
    assert desk.get(f"/api/tickets/{ticket_id}/card").status_code == 404
