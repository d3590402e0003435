"""The map's interfaces over HTTP: boundaries, heat, points, cards that hide people, search, video, the demo camera."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import brotli
import httpx
import psycopg
import pytest

from app import create_app
from geodata.servers import Stores
from services.heat.body import HEADER
from settings import Settings
from tests.live_app import served
from tests.small_place import COUNTY_NO, centre, grid_no
from tests.viewers import client_args

NAME, PHONE, WORDS, ADDRESS = "\u5f20\u4e09\u4e30", "13712345678", "some words of a caller", "12 Some Road"
STATION = "37088301001320000001"
X, Y = centre(1, 1, 1)


@pytest.fixture(scope="module")
def client(module_clone: Stores) -> Iterator[httpx.Client]:
    """The whole product on the small place with one of everything."""
    with psycopg.connect(module_clone.database_url) as conn:
        now = datetime.now(UTC)
        for minutes, quality in ((10, "exact"), (20, "exact"), (30, "shared_point")):
            conn.execute(
                """
                INSERT INTO ticket (reported_at, channel_id, category_id, title, description, address, geom, location,
                                    area_no, status, due_at)
                SELECT %s, c.id, k.id, %s, %s, %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), %s, %s, 'in_progress', %s
                FROM channel c, category k WHERE c.code = 'grid' AND k.code = '01001'
                """,
                (now - timedelta(minutes=minutes), WORDS, WORDS, ADDRESS, X, Y, quality, grid_no(1, 1, 1),
                 now - timedelta(minutes=5)),
            )  # fmt: skip
        conn.execute("UPDATE worker SET name = %s, phone = %s", (NAME, PHONE))
        conn.execute(
            """
            INSERT INTO key_person (kind, code, name, role, area_no, geom, phone, duty, generated)
            VALUES ('post', 'P1', %s, 'grid_leader', %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), %s, 'duty', true)
            """,
            (NAME, grid_no(1, 1, 1), X, Y, PHONE),
        )
        conn.execute(
            """
            INSERT INTO care_record (code, category, area_no, name_masked, name_sealed, key_id, every_days,
                                     next_visit_on, started_on, generated)
            SELECT code, 'elderly_alone', %s, '赵**', '\\x00', 0, 30, current_date - 2, current_date - 40, true
            FROM (VALUES ('C1'), ('C2')) AS rows (code)
            """,
            (grid_no(1, 1, 1),),
        )
        conn.execute(
            "INSERT INTO video_station (id, name, site_kind, area_no, geom, stream_url, state, generated)"
            " VALUES (%s, 'hall', 'hall', %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326),"
            " '/demo-camera/hall/live.m3u8', 'live', true)",
            (STATION, grid_no(1, 1, 1), X, Y),
        )
    with (
        served(create_app(Settings(), module_clone)) as url,
        httpx.Client(**client_args(url)) as client,
    ):
        yield client


def rows_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]


def test_boundaries_are_compressed_named_and_kept_for_ever_by_revision(client: httpx.Client) -> None:
    first = client.get("/api/map/areas/grid", params={"detail": "low"})
    assert first.headers["content-encoding"] == "br" and first.headers["vary"] == "Accept-Encoding, Cookie"
    assert first.headers["cache-control"] == "private, no-cache"
    assert len(first.json()["features"]) == 36
    kept = client.get("/api/map/areas/grid", params={"detail": "low", "v": first.json()["revision"]})
    assert "immutable" in kept.headers["cache-control"]
    again = client.get(
        "/api/map/areas/grid", params={"detail": "low"}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304 and not again.content
    for offered, coding in (("gzip", "gzip"), ("identity", None), ("br;q=0, gzip", "gzip")):
        answer = client.get("/api/map/areas/town", headers={"Accept-Encoding": offered})
        assert answer.headers.get("content-encoding") == coding and len(answer.json()["features"]) == 2
    town = client.get("/api/map/areas/grid", params={"within": "370883001"}).json()
    assert len(town["features"]) == 18


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/map/areas/street", 422),
        ("/api/map/areas/grid?within=999", 404),
        ("/api/map/tickets", 422),
        ("/api/map/tickets?bbox=1,2,3", 422),
        ("/api/map/tickets?bbox=nan,0,1,1", 422),
        ("/api/map/tickets?bbox=3,0,1,1", 422),
        ("/api/map/tickets?bbox=0,0,1e309,1", 422),
        ("/api/heat?from=yesterday", 422),
        ("/api/cards/area/5", 404),
        ("/api/cards/ticket/999999", 404),
        ("/api/cards/worker/999999", 404),
        ("/api/cards/post/999999", 404),
        ("/api/cards/station/00000000000000000000", 404),
        ("/api/video/00000000000000000000", 404),
        ("/api/video/x", 422),
        ("/demo-camera/segment/6.ts", 422),
        ("/demo-camera/..%2f/live.m3u8", 404),
    ],
)
def test_what_cannot_be_answered_is_refused_in_the_house_s_shape(
    client: httpx.Client, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    if path.startswith("/api"):
        assert set(answer.json()["error"]) == {"code", "message", "details"}


def heat(client: httpx.Client, **params: Any) -> httpx.Response:
    for _ in range(100):
        answer = client.get("/api/heat", params=params)
        if answer.status_code != 503:
            break
        assert answer.json()["error"]["code"] == "heat_loading"
        asyncio.run(asyncio.sleep(0.1))
    return answer


def test_heat_counts_exact_places_by_window_and_filter(client: httpx.Client) -> None:
    def tickets(**params: Any) -> int:
        answer = heat(client, **params)
        assert answer.status_code == 200 and answer.headers["content-encoding"] == "br"
        return int(HEADER.unpack_from(answer.content)[7])

    unknown = heat(client, category="nonsense")
    assert (unknown.status_code, set(unknown.json()["error"])) == (422, {"code", "message", "details"})
    quarter = (datetime.now(UTC) - timedelta(minutes=15)).isoformat()
    assert tickets() == 2, "the one on a shared point has no place"
    assert tickets(**{"from": quarter}) == 1
    assert tickets(to=quarter) == 1
    assert tickets(category=["01"], channel="grid") == 2
    assert tickets(category="02") == tickets(channel="12345") == tickets(within="370883002") == 0
    plain = client.get("/api/heat", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.content[:4] == b"WGH1"


def test_single_tickets_in_a_box_say_nothing_of_people(client: httpx.Client) -> None:
    answer = client.get("/api/map/tickets", params={"bbox": "117,35.4,117.01,35.41"})
    found = rows_of(answer)
    assert len(found) == 2 and not answer.json()["cut"]
    assert (
        found[0]["category"] == "01001"
        and found[0]["lon"] == X
        and found[0]["due_at"] < answer.json()["as_of"]
    )
    assert rows_of(client.get("/api/map/tickets", params={"bbox": "118,35.4,118.1,35.41"})) == []


def test_posts_stations_and_care_as_points(client: httpx.Client) -> None:
    (post,) = rows_of(client.get("/api/map/posts"))
    assert set(post) == {"id", "lon", "lat", "role", "area_no", "on_duty"}
    (station,) = rows_of(client.get("/api/map/stations"))
    assert station["id"] == STATION and station["area_no"] == grid_no(1, 1, 1)
    (care,) = rows_of(client.get("/api/map/care"))
    assert care == {"area_no": grid_no(1, 1, 1), "people": "<3", "visits_overdue": "<3"}
    for path in ("posts", "stations", "care"):
        assert rows_of(client.get(f"/api/map/{path}", params={"within": "370883002"})) == []


def test_nothing_names_a_person_unless_a_desk_asks(client: httpx.Client) -> None:
    """All that a wall can ask for, searched for a name, a phone, an address and what was said."""
    ticket = rows_of(client.get("/api/map/tickets", params={"bbox": "117,35.4,117.01,35.41"}))[0]["id"]
    post = rows_of(client.get("/api/map/posts"))[0]["id"]
    snapshot = client.get("/api/live/snapshot").text
    walls = [snapshot]
    walls += [client.get(f"/api/map/{path}").text for path in ("posts", "stations", "care", "areas/grid")]
    walls += [client.get("/api/map/tickets", params={"bbox": "117,35.4,117.01,35.41"}).text]
    cards = [f"area/{grid_no(1, 1, 1)}", f"ticket/{ticket}", "worker/1", f"post/{post}", f"station/{STATION}"]
    walls += [client.get(f"/api/cards/{card}").raise_for_status().text for card in cards]
    for text in walls:
        for secret in (NAME, PHONE, WORDS, ADDRESS):
            assert secret not in text and json.dumps(secret) not in text
    desk = {"people": 1}
    told = client.get(f"/api/cards/ticket/{ticket}", params=desk).json()
    assert told["title"] == WORDS and told["address"] == ADDRESS
    for card in ("worker/1", f"post/{post}"):
        told = client.get(f"/api/cards/{card}", params=desk).json()
        assert (told["name"], told["phone"]) == (NAME, PHONE)


def test_the_card_of_an_area_sums_what_lies_below(client: httpx.Client) -> None:
    grid = client.get(f"/api/cards/area/{grid_no(1, 1, 1)}").json()
    assert (grid["open"], grid["overdue"], grid["reported_today"] <= 3) == (3, 3, True)
    assert [step["level"] for step in grid["path"]] == ["county", "town", "community", "grid"]
    assert grid["households"] == 220 and grid["per_1000"] == round(3000 / 660, 2) and grid["care"] == "<3"
    county = client.get(f"/api/cards/area/{COUNTY_NO}").json()
    assert (county["grids"], county["open"], county["workers"], county["population"]) == (36, 3, 36, 36 * 660)
    assert county["frequent"][0]["code"] == "01" and county["frequent"][0]["tickets"] == 3


@pytest.mark.parametrize(
    ("q", "first", "count"),
    [
        ("370883001", "370883001", 12),
        ("\u94a2\u5c71", "370883001", 1),
        (
            "  \uff13\uff17\uff10\uff18\uff18\uff13\uff10\uff10\uff11\uff10\uff10\uff11\uff10\uff10\uff12 ",
            "370883001001002",
            1,
        ),
        ("gsjd", "370883001", 1),
        ("%", None, 0),
        ("_", None, 0),
        ("   ", None, 0),
        ("\u0000", None, 0),
    ],
)
def test_search_by_name_code_and_initials(
    client: httpx.Client, module_clone: Stores, q: str, first: str | None, count: int
) -> None:
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("UPDATE area SET initials = 'gsjd' WHERE code = '370883001'")
    found = client.get("/api/search", params={"q": q}).json()
    assert len(found) == count and (found[0]["code"] if found else None) == first
    assert client.get("/api/search", params={"q": q, "within": "370883002"}).json() == []


def test_the_demo_camera_streams_to_a_player(client: httpx.Client) -> None:
    """What a player does: playlist, segments, and the playlist moves."""
    answer = client.get("/demo-camera/hall/live.m3u8")
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    names = re.findall(r"^\.\./segment/\d\.ts$", answer.text, re.M)
    assert len(names) == 5
    for name in names:
        segment = client.get(f"/demo-camera/hall/{name}")
        assert segment.headers["content-type"] == "video/mp2t" and len(segment.content) % 188 == 0
        assert segment.content[0] == 0x47 and segment.content[188] == 0x47


def test_a_station_gives_its_address_only_while_it_is_live(
    client: httpx.Client, module_clone: Stores
) -> None:
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("UPDATE video_station SET state = 'live', state_reason = NULL")
    live = client.get(f"/api/video/{STATION}").json()
    assert live["state"] == "live" and live["stream_url"] == "/demo-camera/hall/live.m3u8"
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("UPDATE video_station SET state = 'no_signal', state_reason = 'stalled'")
    off = client.get(f"/api/video/{STATION}").json()
    assert off["stream_url"] is None and off["state_reason"] == "stalled"


def test_bodies_are_really_brotli(client: httpx.Client) -> None:
    with client.stream("GET", "/api/map/areas/county") as answer:
        raw = b"".join(answer.iter_raw())
    assert json.loads(brotli.decompress(raw))["type"] == "FeatureCollection"
