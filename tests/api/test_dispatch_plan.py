"""Plans and incidents over HTTP: what is answered when a line is accepted, refused, and when a perimeter goes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from geodata.servers import Stores
from tests.desk_app import served_desks
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, client_args


@pytest.fixture(scope="module")
def desk(module_clone: Stores) -> Iterator[httpx.Client]:
    """A dispatcher of the product; the workers of grids 1 and 2 are where their grids are."""
    with psycopg.connect(module_clone.database_url) as conn:
        for grid in (1, 2):
            conn.execute(
                "INSERT INTO worker_position (worker_id, at, geom, area_no)"
                " SELECT id, %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), area_no FROM worker WHERE area_no = %s",
                (datetime.now(UTC), *centre(1, 1, grid), grid_no(1, 1, grid)),
            )
    with served_desks(module_clone, (DISPATCHER,)) as url, httpx.Client(**client_args(url)) as client:
        yield client


def filed(desk: httpx.Client, grid: int) -> dict[str, Any]:
    """A ticket in the middle of a grid of the first community."""
    lon, lat = centre(1, 1, grid)
    body = {"channel": "grid", "category": "01001", "title": "垃圾未清运", "lon": lon, "lat": lat}
    told: dict[str, Any] = desk.post("/api/tickets", json=body).json()
    return told


def test_a_plan_from_the_proposal_to_who_was_quicker(desk: httpx.Client) -> None:
    one, other = filed(desk, 1), filed(desk, 2)
    made = desk.post("/api/dispatch/plans", json={"tickets": [one["id"], other["id"]]})
    assert made.status_code == 201, made.text
    plan = made.json()
    assert {line["ticket"]["id"]: line["worker"]["code"] for line in plan["lines"]} == {
        one["id"]: f"W{grid_no(1, 1, 1)}", other["id"]: f"W{grid_no(1, 1, 2)}",
    }  # fmt: skip
    quicker = desk.post(
        f"/api/dispatch/tickets/{other['id']}/assign",
        json={"version": other["version"], "to": {"kind": "department", "code": "urban"}},
    )
    assert quicker.status_code == 200, quicker.text
    address = f"/api/dispatch/plans/{plan['id']}"
    seen = {line["ticket"]["id"]: line["changed"] for line in desk.get(address).json()["lines"]}
    assert seen == {one["id"]: False, other["id"]: True}
    body, headers = {"lines": [one["id"], other["id"]]}, {"Idempotency-Key": "plan-1"}
    told = desk.post(f"{address}/accept", json=body, headers=headers).json()
    (done,), (refused,) = told["assigned"], told["refused"]
    assert done["id"] == one["id"] and done["to"]["code"] == f"W{grid_no(1, 1, 1)}" and done["version"] > 1
    assert refused["id"] == other["id"] and refused["why"]["code"] == "stale_version"
    assert refused["by"] and refused["at"] <= round(datetime.now(UTC).timestamp() * 1000)
    again = desk.post(f"{address}/accept", json=body, headers=headers).json()
    assert [row["version"] for row in again["assigned"]] == [done["version"]]
    walk = desk.get(f"/api/dispatch/workers/W{grid_no(1, 1, 1)}/round").json()
    assert [stop["ticket"]["id"] for stop in walk["stops"]] == [one["id"]] and walk["method"] == "exact"
    assert desk.delete(address).status_code == 204
    over = desk.post(f"{address}/accept", json={"lines": [one["id"]]})
    assert over.status_code == 409 and over.json()["error"]["details"][0]["state"] == "dropped"


def test_an_incident_from_its_tickets_to_its_file(desk: httpx.Client) -> None:
    one, other = filed(desk, 4), filed(desk, 5)
    (x, y), half = centre(1, 1, 5), 0.005
    ring = [
        [x - half, y - half],
        [x + half, y - half],
        [x + half, y + half],
        [x - half, y + half],
        [x - half, y - half],
    ]
    made = desk.post(
        "/api/incidents",
        json={
            "title": "管网爆裂",
            "tickets": [one["id"]],
            "perimeter": {"type": "Polygon", "coordinates": [ring]},
        },
    )
    assert made.status_code == 201, made.text
    told = made.json()
    assert told["figures"]["people"]["least"] == 660 and [row["id"] for row in told["near"]] == [other["id"]]
    address = f"/api/incidents/{told['id']}"
    changed = desk.patch(address, json={"version": 1, "perimeter": None, "add": [other["id"]]}).json()
    assert not changed["drawn"] and len(changed["tickets"]) == 2 and changed["title"] == "管网爆裂"
    taken = desk.post("/api/incidents", json={"title": "t", "tickets": [one["id"]]})
    assert taken.status_code == 409 and taken.json()["error"]["code"] == "in_incident"
    given = desk.post(f"{address}/assign", json={"to": {"kind": "department", "code": "urban"}}).json()
    assert given["done"] == 2 and {row["status"] for row in given["rows"]} == {"dispatched"}
    closed = desk.post(f"{address}/close", json={"version": 2}).json()
    assert not closed["closed"] and sorted(closed["left"]) == sorted([one["id"], other["id"]])
    assert {row["code"] for row in closed["rows"]} == {"not_allowed"}
    book = desk.get(f"{address}/export?lang=en")
    assert book.content[:2] == b"PK" and "incident-" in book.headers["content-disposition"]
    assert [row["id"] for row in desk.get("/api/incidents").json()["rows"]] == [told["id"]]
