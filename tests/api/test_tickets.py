"""The HTTP intake of tickets."""

from collections.abc import Iterator

import httpx
import pytest

from geodata.servers import Stores
from tests.live_app import make_app, served
from tests.small_place import COUNTY_NO, centre, grid_no

LON, LAT = centre(1, 1, 1)
REPORT = {"channel": "grid", "category": "01001", "title": "路口堆放垃圾", "lon": LON, "lat": LAT}


@pytest.fixture(scope="module")
def client(module_clone: Stores) -> Iterator[httpx.Client]:
    with served(make_app(module_clone)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_a_ticket_is_filed_read_and_moved_on(client: httpx.Client) -> None:
    answer = client.post("/api/tickets", json=REPORT)
    assert answer.status_code == 201
    ticket = answer.json()
    assert ticket["area"] == {"no": grid_no(1, 1, 1), "code": "370883001001001", "name": "第1网格"}
    assert ticket["status"] == "accepted" and ticket["version"] == 1 and ticket["due_at"]
    read = client.get(f"/api/tickets/{ticket['id']}").json()
    assert {"command": "dispatch", "needs": []} in read["commands"] and read | {"commands": []} == ticket | {
        "commands": []
    }
    order = {"version": 1, "worker": f"W{grid_no(1, 1, 1)}", "note": "请到现场"}
    moved = client.post(f"/api/tickets/{ticket['id']}/dispatch", json=order)
    assert moved.status_code == 200 and moved.json()["version"] == 2 and moved.json()["dispatched_at"]
    late = client.post(f"/api/tickets/{ticket['id']}/dispatch", json=order)
    assert late.status_code == 409 and late.json()["error"]["code"] == "stale_version"
    assert "dispatch by dispatcher" in late.json()["error"]["details"][0]["last"]
    wrong = client.post(f"/api/tickets/{ticket['id']}/close", json={"version": 2})
    assert wrong.status_code == 409 and wrong.json()["error"]["code"] == "not_allowed"
    assert "sign" in wrong.json()["error"]["details"][0]["expected"]
    history = client.get(f"/api/tickets/{ticket['id']}/history").json()
    assert [(event["kind"], event["actor"], event["source"]) for event in history] == [
        ("report", "dispatcher", "api"), ("dispatch", "dispatcher", "api")
    ]  # fmt: skip
    assert history[1]["before"]["status"] == "accepted" and history[1]["after"]["worker"] == order["worker"]


def test_a_command_that_comes_twice_with_its_key_is_given_once(client: httpx.Client) -> None:
    filed = [client.post("/api/tickets", json=REPORT, headers={"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert [answer.status_code for answer in filed] == [201, 200] and filed[0].json() == filed[1].json()
    path, key = f"/api/tickets/{filed[0].json()['id']}/dispatch", {"Idempotency-Key": "k-2"}
    first, second = (client.post(path, json={"version": 1}, headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 200 and first.json() == second.json()
    other = client.post(path, json={"version": 2, "note": "另一件事"}, headers=key)
    assert other.status_code == 422 and other.json()["error"]["details"][0]["field"] == "key"


def test_a_repeated_report_is_known(client: httpx.Client) -> None:
    first = client.post("/api/tickets", json=REPORT | {"source_id": "A-1"})
    second = client.post("/api/tickets", json=REPORT | {"source_id": "A-1"})
    assert (first.status_code, second.status_code) == (201, 200) and first.json() == second.json()


def test_a_ticket_without_a_place_is_kept(client: httpx.Client) -> None:
    ticket = client.post("/api/tickets", json={k: REPORT[k] for k in ("channel", "category", "title")}).json()
    assert (ticket["area"]["no"], ticket["location"]) == (COUNTY_NO, "none")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lon": 200}, "lon"), ({"lat": "north"}, "lat"), ({"lon": 1e308}, "lon"), ({"lon": 100.0}, "lon"),
        ({"channel": "?"}, "channel"), ({"category": "00000"}, "category"), ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"), ({"reported_at": "yesterday"}, "reported_at"),
        ({"reported_at": "2001-01-01T00:00:00Z"}, "reported_at"), ({"extra": 1}, "extra"), ({"lat": None}, "body"),
        ({"datum": "mars"}, "datum"), ({"description": "x" * 4001}, "description"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named_with_what_is_expected(
    client: httpx.Client, change: dict[str, object], field: str
) -> None:
    answer = client.post("/api/tickets", json=REPORT | change)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (
        error["code"] == "bad_report"
        and error["details"][0]["field"] == field
        and error["details"][0]["expected"]
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b"[]", 422), (b'{"lon": NaN}', 400), (b'{"lon": Infinity}', 400), (b"\xff\xfe", 400), (b"", 400),
        (b"[" * 10_000, 400), (b'{"title": "' + b"x" * 70_000 + b'"}', 413),
    ],
)  # fmt: skip
def test_a_body_that_is_no_report_is_refused(client: httpx.Client, body: bytes, status: int) -> None:
    answer = client.post("/api/tickets", content=body)
    assert answer.status_code == status and answer.json()["error"]["message"]


@pytest.mark.parametrize("ticket_id", ["999999", "0", "-1", str(2**63), str(10**30)])
def test_a_ticket_that_is_not_there_is_404(client: httpx.Client, ticket_id: str) -> None:
    assert client.get(f"/api/tickets/{ticket_id}").status_code == 404
    answer = client.post(f"/api/tickets/{ticket_id}/dispatch", json={"version": 1})
    assert answer.status_code == 404 and answer.json()["error"]["code"] == "unknown_ticket"
