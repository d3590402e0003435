"""The queue, alarms and the handover over HTTP: from an urgent ticket to a shift that two people signed."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from geodata.servers import Stores
from tests.desk_app import served_desks
from tests.small_place import centre
from tests.viewers import DISPATCHER, client_args

TAKER = replace(DISPATCHER, id=2, name="taker")


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """The product on the small place, with accounts of two dispatchers."""
    with served_desks(module_clone, (DISPATCHER, TAKER)) as address:
        yield address


@pytest.fixture(scope="module")
def urgent(desk: httpx.Client) -> int:
    """An urgent ticket in the first grid."""
    lon, lat = centre(1, 1, 1)
    report = {
        "channel": "12345",
        "category": "01001",
        "title": "垃圾",
        "lon": lon,
        "lat": lat,
        "severity": "urgent",
    }
    return int(desk.post("/api/tickets", json=report).json()["id"])


def test_the_queue_tells_what_is_next_and_why(desk: httpx.Client, urgent: int) -> None:
    told = desk.get("/api/dispatch/queue", params={"town": "370883001", "limit": 10}).json()
    row = next(row for row in told["rows"] if row["id"] == urgent)
    assert row["reason"] == {"key": "severe", "args": {"severity": "urgent"}} and row["needs_decision"]
    assert (row["stage"], row["town_code"], row["claim"], row["incident"]) == (
        "decide",
        "370883001",
        None,
        None,
    )
    assert row["stage_due"] - row["reported_at"] == 10 * 60_000 and told["as_of"] >= row["reported_at"]
    assert (
        told["total"] == told["counts"]["decide"] == told["figures"]["waiting"]
        and told["counts"]["mine"] == 0
    )
    assert told["facets"]["town"] == {"370883001": told["total"]} and "370883002" in told["towns"]
    assert told["town_numbers"].keys() == told["towns"].keys()
    spots = desk.get("/api/dispatch/queue/spots", params={"town": "370883001"}).json()
    here = [dict(zip(spots["columns"], spot, strict=True)) for spot in spots["rows"]]
    assert (spots["total"], spots["nowhere"], len(here)) == (told["total"], 0, told["total"])
    assert {(spot["id"], spot["due"]) for spot in here} >= {(urgent, row["stage_due"])}
    assert desk.get("/api/dispatch/queue/spots?bbox=1,2,3").json()["error"]["code"] == "bad_filter"
    assert desk.get("/api/dispatch/queue?bbox=1,2,3").json()["error"]["code"] == "bad_filter"
    assert desk.get("/api/dispatch/queue?tab=nothing").status_code == 422


def test_an_alarm_is_acknowledged_by_name(desk: httpx.Client, urgent: int) -> None:
    (row,) = [row for row in desk.get("/api/dispatch/alarms").json()["rows"] if row["ticket"]["id"] == urgent]
    assert (row["kind"], row["sound"], row["town"]) == ("arrived", "urgent", "钢山街道")
    done = desk.post(f"/api/dispatch/alarms/{row['id']}/acknowledge", json={"note": "已派人"}).json()
    assert (
        done["by_name"] == "x" and done["mine"] and done["how"] == "acknowledged" and done["note"] == "已派人"
    )
    told = desk.get("/api/dispatch/alarms").json()
    assert told["counts"] == {"open": 0, "escalated": 0} and told["rows"] == []
    assert desk.post("/api/dispatch/alarms/999/acknowledge", json={}).status_code == 404


def test_a_shift_is_given_and_taken(desk: httpx.Client, url: str, urgent: int) -> None:
    note = {"kind": "promised", "words": "三点前答复", "ticket_id": urgent}
    assert desk.post("/api/dispatch/handover/notes", json=note).status_code == 201
    given = desk.post("/api/dispatch/handover/give", json={"words": "平安"})
    assert given.status_code == 201, given.text
    made = given.json()
    assert desk.post("/api/dispatch/handover/give", json={}).json()["error"]["code"] == "not_signed"
    with httpx.Client(**client_args(url, TAKER)) as taker:
        (waiting,) = taker.get("/api/dispatch/handover").json()["to_take"]
        assert (
            waiting["snapshot"]["promised"][0]["words"] == "三点前答复"
            and waiting["digest"] == made["digest"]
        )
        signed = {"digest": waiting["digest"]}
        taken = taker.post(f"/api/dispatch/handover/{made['id']}/take", json=signed).json()
        assert (taken["state"], taken["taken_by"], taken["intact"]) == ("taken", "taker", True)
        assert taker.get("/api/dispatch/handover").json()["shift"]["why"] == "taken_over"
    book = desk.post("/api/dispatch/handover/export", json={"lang": "en", "whose": "desk"})
    assert book.status_code == 200, book.text
    with zipfile.ZipFile(io.BytesIO(book.content)) as pages:
        text = pages.read("xl/sharedStrings.xml").decode()
    for words in (
        "Gave the shift",
        "Took the shift",
        "Noted a promise",
        "Acknowledged",
        "Reported",
        "Log of the desk",
    ):
        assert words in text, words
