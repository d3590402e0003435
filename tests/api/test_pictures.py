"""/api/pictures over HTTP: sent as a body or a form, shown to who may see people, refused in words."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest
from PIL import Image

import api.gate
import api.pictures
from geodata.servers import Stores
from services import pictures
from settings import Settings
from tests.live_app import As, make_app, served
from tests.small_place import centre, grid_no
from tests.viewers import of_town


def picture(size: tuple[int, int] = (400, 300)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "green").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="module")
def asked(module_clone: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    app = make_app(module_clone, Settings(data=tmp_path_factory.mktemp("data")))
    app.include_router(api.pictures.router(app.state.runtime))
    with served(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


def test_one_is_sent_and_shown(asked: httpx.Client) -> None:
    answer = asked.post("/api/pictures", content=picture(), headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 201, answer.text
    sent = answer.json()
    assert (sent["width"], sent["height"], sent["ticket_id"]) == (400, 300, None)
    shown = asked.get(sent["url"])
    assert (
        shown.headers["content-type"] == "image/jpeg"
        and shown.headers["cache-control"] == "private, no-cache"
    )
    assert Image.open(io.BytesIO(shown.content)).size == (400, 300) and len(shown.content) == sent["bytes"]
    thumb = asked.get(sent["thumbnail_url"])
    assert Image.open(io.BytesIO(thumb.content)).size == (320, 240)
    again = asked.get(sent["url"], headers={"If-None-Match": shown.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_a_form_is_taken_too(asked: httpx.Client) -> None:
    answer = asked.post("/api/pictures", files={"picture": ("any.exe", picture((30, 20)), "text/plain")})
    assert answer.status_code == 201 and answer.json()["width"] == 30


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"content": b"no picture"}, 415, "unknown_type"),
        ({"content": b""}, 415, "unknown_type"),
        ({"content": picture()[:200]}, 422, "bad_picture"),
        ({"content": b"\xff\xd8\xff" + bytes(11 << 20)}, 413, "too_large"),
        ({"content": picture((8000, 6000))}, 413, "picture_too_large"),
        ({"data": {"a": "b"}, "files": {}}, 415, "unknown_type"),
        ({"files": [("a", picture()), ("b", picture())]}, 400, "bad_request"),
        ({"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}}, 400, "bad_request"),
        (
            {"content": b"--x--", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            422,
            "invalid",
        ),
    ],
)
def test_what_is_none_is_refused(asked: httpx.Client, request_: dict, status: int, code: str) -> None:
    answer = asked.post("/api/pictures", **request_)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


def test_what_is_not_there_is_404(asked: httpx.Client) -> None:
    for end in ("", "/thumb"):
        answer = asked.get(f"/api/pictures/{uuid.uuid4()}{end}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_picture")
    for number in ("999999", "0", str(10**30)):
        assert asked.get(f"/api/tickets/{number}/pictures").status_code == 404


def test_of_a_ticket_for_its_own_town(asked: httpx.Client, module_clone: Stores, tmp_path: Path) -> None:
    sent = asked.post("/api/pictures", content=picture((60, 40))).json()
    with psycopg.connect(module_clone.database_url) as conn:
        row = conn.execute(
            "INSERT INTO ticket (reported_at, channel_id, category_id, title, location, area_no, status)"
            " SELECT now(), 1, id, 't', 'none', %s, 'accepted' FROM category WHERE code = '01001'"
            " RETURNING id, area_no",
            (grid_no(1, 1, 1),),
        ).fetchone()
        assert row is not None
        ticket = type("Ticket", (), {"id": row[0], "area": type("Area", (), {"no": row[1]})})
        pictures.claim(conn, ticket, [uuid.UUID(sent["id"])])
    listed = asked.get(f"/api/tickets/{row[0]}/pictures").json()
    assert [one["id"] for one in listed] == [sent["id"]] and listed[0]["ticket_id"] == row[0]
    viewers = {
        "dispatcher": (of_town(1, "dispatcher"), 410),  # the file lies in the folder of the other app
        "other town": (of_town(2, "dispatcher"), 404),
        "wall": (replace(of_town(1, "wall"), kind="wall"), 404),
        "analyst": (of_town(1, "analyst"), 404),
    }
    for name, (viewer, status) in viewers.items():
        app = make_app(module_clone, Settings(data=tmp_path), viewer)
        app.include_router(api.pictures.router(app.state.runtime))
        app.dependency_overrides[api.gate.guard] = lambda: (
            None
        )  # what the routes themselves give, were it not there
        if name == "wall":
            app.user_middleware = [one for one in app.user_middleware if one.cls is not As]
            app.add_middleware(AsWall, viewer=viewer)
        with served(app) as url:
            answer = httpx.get(url + sent["url"], trust_env=False)
            assert answer.status_code == status, (name, answer.text)


def test_a_command_ties_it_to_its_ticket(asked: httpx.Client) -> None:
    lon, lat = centre(1, 1, 2)
    report = {"channel": "grid", "category": "01001", "title": "路口堆放垃圾", "lon": lon, "lat": lat}
    one, other = (asked.post("/api/tickets", json=report).json()["id"] for _ in range(2))
    sent = asked.post("/api/pictures", content=picture((50, 40))).json()["id"]
    done = asked.post(f"/api/tickets/{one}/attach", json={"version": 1, "pictures": [sent]})
    assert done.status_code == 200, done.text
    assert [row["id"] for row in asked.get(f"/api/tickets/{one}/pictures").json()] == [sent]
    event = asked.get(f"/api/tickets/{one}/history").json()[-1]
    assert (event["kind"], event["data"]) == ("attach", {"pictures": [sent]})
    for body in ({"version": 1, "pictures": [sent]}, {"version": 1, "pictures": [str(uuid.uuid4())]}):
        refused = asked.post(f"/api/tickets/{other}/attach", json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_picture")
    assert asked.post(f"/api/tickets/{other}/attach", json={"version": 1, "pictures": [7]}).status_code == 422
    assert asked.get(f"/api/tickets/{other}").json()["version"] == 1


class AsWall(As):
    """A wall stays one."""

    def __init__(self, app, viewer) -> None:
        super().__init__(app, viewer)
        self.viewer = viewer
