"""The list over HTTP: pages, refusals that say what is wrong, commands for many, kept filters, export."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

import api.ticket_list
from geodata.servers import Stores
from services.access import Viewer
from tests.live_app import As, make_app, served
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, county, of_town

CLERK = replace(of_town(1, "community_clerk"), id=101, name="clerk1")
OTHER = replace(of_town(2, "dispatcher"), id=102, name="dispatcher2")


class AsNamed:
    """ASGI middleware: the header X-Who says which of the viewers asks."""

    def __init__(self, app: Any, viewers: dict[str, Viewer]) -> None:
        self.app, self.viewers = app, viewers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            who = dict(scope["headers"]).get(b"x-who", b"dispatcher").decode()
            scope.setdefault("state", {}).update(viewer=self.viewers[who], away=False, ip="")
        await self.app(scope, receive, send)


VIEWERS = {
    "dispatcher": replace(DISPATCHER, id=100), "clerk": CLERK, "other": OTHER, "analyst": county("analyst"),
    "client": replace(DISPATCHER, kind="client", role="client"),
    "town": replace(of_town(1, "dispatcher"), id=103, name="dispatcher1"),
}  # fmt: skip


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    app: FastAPI = make_app(module_clone)
    app.include_router(api.ticket_list.router(app.state.runtime))
    app.user_middleware = [one for one in app.user_middleware if one.cls is not As]
    app.add_middleware(AsNamed, viewers=VIEWERS)
    with psycopg.connect(module_clone.database_url) as conn:
        for number, viewer in {one.id: one for one in VIEWERS.values() if one.kind == "account"}.items():
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, %s, %s, 'tests') ON CONFLICT DO NOTHING",
                (number, f"account{number}", viewer.name, viewer.role),
            )
        for n in range(12):
            town = 1 + n % 2
            x, y = centre(town, 1, 1)
            conn.execute(
                "INSERT INTO ticket (reported_at, channel_id, category_id, title, address, geom, location, area_no,"
                " status, due_at) SELECT now() - %s * interval '1 hour', 1, id, %s, '=SUM(A1)',"
                " ST_SetSRID(ST_MakePoint(%s, %s), 4326), 'exact', %s, 'accepted', now() + %s * interval '1 hour'"
                " FROM category WHERE code = '01001'",
                (n, f"第{n}号路灯不亮", x, y, grid_no(town, 1, 1), n - 3),
            )
    with served(app) as address:
        yield address


def ask(url: str, path: str, who: str = "dispatcher", **parameters: Any) -> httpx.Response:
    return httpx.get(url + path, params=parameters, headers={"X-Who": who}, trust_env=False, timeout=30)


def post(url: str, path: str, body: Any, who: str = "dispatcher", **headers: str) -> httpx.Response:
    return httpx.post(url + path, json=body, headers={"X-Who": who, **headers}, trust_env=False, timeout=30)


def rows(url: str, who: str = "dispatcher", **parameters: Any) -> list[dict[str, Any]]:
    return list(ask(url, "/api/tickets", who, **parameters).json()["rows"])


def test_pages_lead_to_the_next(url: str) -> None:
    first = ask(url, "/api/tickets", limit=5, q="路灯").json()
    assert (first["total"], first["more"], first["late"], first["looked_at"]) == (12, False, 4, None)
    seen = [row["id"] for row in first["rows"]]
    after = first["next"]
    while after:
        page = ask(url, "/api/tickets", limit=5, q="路灯", after=after).json()
        seen += [row["id"] for row in page["rows"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == 12
    row = first["rows"][0]
    assert row["number"].endswith(f"-{row['id']}") and row["area"]["code"].startswith("370883")
    assert isinstance(row["due_at"], int)


def test_each_sees_their_own(url: str) -> None:
    assert len(rows(url, "clerk")) == 6 and len(rows(url, "other")) == 6
    assert {row["area"]["no"] for row in rows(url, "clerk")} == {grid_no(1, 1, 1)}
    assert ask(url, "/api/tickets", "clerk", area="370883002").status_code == 404
    assert len(rows(url, area="370883002")) == 6


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"status": "nope"}, "status"), ({"category": "99999"}, "category"), ({"channel": "x,y"}, "channel"),
        ({"flag": "wet"}, "flag"), ({"worker": "nobody"}, "worker"), ({"sort": "colour"}, "sort"),
        ({"after": "zzz"}, "after"), ({"after": "WyJkdWUiLDEsMl0"}, "after"), ({"located": "x"}, "located"),
        ({"since": "0001-01-01"}, "since, until"), ({"q": "a\x01b"}, "q"), ({"severity": "x"}, "severity"),
        ({"department": "x"}, "department"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_named(url: str, given: dict[str, str], field: str) -> None:
    answer = ask(url, "/api/tickets", **given)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["details"][0]["field"] == field


def test_a_key_of_another_kind_is_refused(url: str) -> None:
    import base64

    after = base64.urlsafe_b64encode(b'["due","soon","x"]').decode()
    assert ask(url, "/api/tickets", after=after).status_code == 422


def test_who_does_not_see_words_gets_none_and_searches_none(url: str) -> None:
    assert all(row["title"] is None and row["address"] is None for row in rows(url, "client"))
    assert ask(url, "/api/tickets", "client", q="路灯").status_code == 403


def test_commands_for_many_answer_one_by_one(url: str) -> None:
    mine = rows(url, "town", sort="reported")[:3]
    foreign = rows(url, "other")[0]
    items = [{"id": row["id"], "version": row["version"]} for row in (*mine, foreign)]
    items[2]["version"] += 5
    items.append({"id": 10**12, "version": 1})
    offered = post(url, "/api/tickets/bulk/commands", {"ids": [one["id"] for one in items]}, "town").json()
    dispatch = next(one for one in offered["commands"] if one["command"] == "dispatch")
    assert (dispatch["tickets"], dispatch["undoable"]) == (3, True)
    key = {"Idempotency-Key": "b-1"}
    given = {"command": "dispatch", "order": {"department": "urban"}, "tickets": items}
    told = post(url, "/api/tickets/bulk", given, "town", **key).json()
    assert told["done"] == 2
    assert [row["ok"] for row in told["rows"]] == [True, True, False, False, False]
    assert [row.get("code") for row in told["rows"][2:]] == [
        "stale_version",
        "unknown_ticket",
        "unknown_ticket",
    ]
    again = post(url, "/api/tickets/bulk", given, "town", **key).json()
    assert [(row["ok"], row.get("version")) for row in again["rows"][:2]] == [(True, 2), (True, 2)]
    done = [{"id": row["id"], "version": row["version"]} for row in told["rows"][:2]]
    undone = post(url, "/api/tickets/bulk", {"command": "undo", "tickets": done}, "town").json()
    assert undone["done"] == 2 and {row["status"] for row in undone["rows"]} == {"accepted"}


def test_an_order_that_none_could_take_is_refused_as_a_whole(url: str) -> None:
    item = {"id": rows(url)[0]["id"], "version": 1}
    for body, field in (
        ({"command": "reject", "tickets": [item]}, "order.reason"),
        ({"command": "tick", "tickets": [item]}, "command"),
        ({"command": "fly", "tickets": [item]}, "command"),
    ):
        answer = post(url, "/api/tickets/bulk", body)
        assert answer.status_code == 422
        assert answer.json()["error"]["details"][0]["field"] == field
    assert post(url, "/api/tickets/bulk", {"command": "accept", "tickets": []}).status_code == 422
    assert post(url, "/api/tickets/bulk", {"command": "accept", "tickets": [item] * 201}).status_code == 422


def test_filters_are_kept_and_shared_inside_of_an_area(url: str) -> None:
    body = {"name": "超期", "filters": {"flag": ["overdue"], "sort": "-reported"}, "share": "370883001"}
    assert post(url, "/api/ticket-filters", body, "town").status_code == 201
    private = post(url, "/api/ticket-filters", {"name": "mine", "filters": {}}, "town").json()["id"]
    own = ask(url, "/api/ticket-filters", "town").json()
    assert [(one["name"], one["own"], one["area"]) for one in own] == [
        ("mine", True, None),
        ("超期", True, "370883001"),
    ]
    assert own[1]["query"] == {"flag": ["overdue"], "sort": "-reported"}
    assert [one["name"] for one in ask(url, "/api/ticket-filters", "clerk").json()] == ["超期"]
    for who in ("other", "dispatcher"):
        assert ask(url, "/api/ticket-filters", who).json() == []
    assert (
        httpx.delete(
            f"{url}/api/ticket-filters/{private}", headers={"X-Who": "clerk"}, trust_env=False
        ).status_code
        == 404
    )
    assert (
        httpx.delete(
            f"{url}/api/ticket-filters/{private}", headers={"X-Who": "town"}, trust_env=False
        ).status_code
        == 204
    )
    assert post(url, "/api/ticket-filters", {**body, "share": "370883002"}, "town").status_code == 404
    assert post(url, "/api/ticket-filters", body, "client").status_code == 403
    bad = {"name": "x", "filters": {"flag": ["wet"]}}
    assert post(url, "/api/ticket-filters", bad, "town").status_code == 422


def test_one_of_the_same_name_takes_its_place(url: str) -> None:
    for sort in ("reported", "-reported"):
        post(url, "/api/ticket-filters", {"name": "again", "filters": {"sort": sort}}, "other")
    kept = ask(url, "/api/ticket-filters", "other").json()
    assert [(one["name"], one["query"]) for one in kept] == [("again", {"sort": "-reported"})]


def test_an_export_is_what_is_filtered_marked_and_audited(url: str, module_clone: Stores) -> None:
    answer = post(url, "/api/tickets/export", {"filters": {"q": "第3号", "area": "370883002"}, "lang": "en"})
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    book = zipfile.ZipFile(io.BytesIO(answer.content))
    text = book.read("xl/sharedStrings.xml").decode()
    assert "第3号路灯不亮" in text and "第5号" not in text
    assert "'=SUM(A1)" in text and "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
    assert "Exported by dispatcher" in text and "q=第3号" in text
    with psycopg.connect(module_clone.database_url) as conn:
        row = conn.execute(
            "SELECT actor_name, detail FROM audit WHERE action = 'export' AND object_kind = 'tickets' ORDER BY id DESC"
        ).fetchone()
    assert row is not None and row[0] == "dispatcher" and row[1]["rows"] == 1


def test_an_analyst_takes_no_words_away(url: str) -> None:
    book = zipfile.ZipFile(io.BytesIO(post(url, "/api/tickets/export", {}, "analyst").content))
    text = book.read("xl/sharedStrings.xml").decode()
    assert "路灯" not in text and "SUM" not in text
    assert post(url, "/api/tickets/export", {"filters": {"q": "路灯"}}, "analyst").status_code == 403


def test_more_than_fits_is_not_taken_away(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ticket_list.export.MOST_ROWS", 3)
    answer = post(url, "/api/tickets/export", {})
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == "filters"
