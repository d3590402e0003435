"""The live feed at the edge: WebSocket, snapshot and polling of a real server."""

import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from geodata.servers import Stores
from tests.live_app import make_app, served
from tests.small_place import centre, grid_no


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    with psycopg.connect(module_clone.database_url) as conn:
        worker = conn.execute("SELECT id FROM worker WHERE area_no = %s", (grid_no(1, 1, 1),)).fetchone()[0]
        conn.execute("INSERT INTO device VALUES (sha256('token'), %s, 'test')", (worker,))
    with served(make_app(module_clone)) as url:
        while httpx.get(f"{url}/api/live/snapshot", trust_env=False).json()["as_of"] is None:
            time.sleep(0.1)
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def socket(url: str, query: str = "") -> ClientConnection:
    return connect(f"{url.replace('http', 'ws')}/api/live{query}", compression=None, proxy=None)


def read_until(ws: ClientConnection, kind: str, brings: str = "tickets", timeout_s: float = 10) -> list[Any]:
    """Frames up to the first of that kind; of deltas, the first that tells of a ticket (others bring figures …)."""
    frames: list[Any] = []
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        frame = ws.recv(timeout=timeout_s)
        frames.append(json.loads(frame) if isinstance(frame, str) else frame)
        if isinstance(frame, str) and frames[-1]["t"] == kind and (kind != "delta" or brings in frames[-1]):
            return frames
    raise AssertionError(frames)


def file(client: httpx.Client, place: tuple[int, int, int] = (1, 1, 1)) -> dict[str, Any]:
    lon, lat = centre(*place)
    report = {"channel": "grid", "category": "01001", "title": "事项", "lon": lon, "lat": lat}
    return client.post("/api/tickets", json=report).json()


def test_hello_then_all_workers_then_changes_then_beats(url: str, client: httpx.Client) -> None:
    with socket(url) as ws:
        hello = json.loads(ws.recv(timeout=5))
        assert hello["t"] == "hello" and hello["v"] >= 0
        assert struct.unpack_from("<B3xI", ws.recv(timeout=5))[0] == 2
        started = time.monotonic()
        ticket = file(client)
        delta = read_until(ws, "delta")[-1]
        assert time.monotonic() - started < 5  # well below a second on an idle machine
        assert delta["tickets"][0]["id"] == ticket["id"] and "title" not in delta["tickets"][0]
        later = read_until(ws, "delta", "grids")[-1]  # the colours follow, of the same version
        assert [row[0] for row in later["grids"]] == [ticket["area"]["no"]] and later["v"] == delta["v"]
        beat = read_until(ws, "beat")[-1]
        assert beat["v"] == delta["v"] and beat["postgres"] and beat["redis"]


def test_a_screen_that_comes_back_is_played_what_it_missed(url: str, client: httpx.Client) -> None:
    with socket(url) as ws:
        hello = json.loads(ws.recv(timeout=5))
        version, channel = hello["v"], hello["of"]
    ticket = file(client, (2, 1, 1))
    while client.get("/api/live/snapshot").json()["v"] == version:
        time.sleep(0.05)
    with socket(url, f"?since={version}&of={channel}") as ws:
        hello, delta = json.loads(ws.recv(timeout=5)), read_until(ws, "delta")[-1]
    assert hello["t"] == "hello" and delta["tickets"][0]["id"] == ticket["id"]
    with socket(url, f"?since=123456789&of={channel}") as ws:
        assert read_until(ws, "gap")


def test_a_scope_hears_of_itself_only(url: str, client: httpx.Client) -> None:
    with socket(url, "?within=370883001") as ws:
        file(client, (2, 2, 2))
        inside = file(client, (1, 2, 2))
        delta = read_until(ws, "delta")[-1]
    assert [item["id"] for item in delta["tickets"]] == [inside["id"]]
    snapshot = client.get("/api/live/snapshot", params={"within": "370883001"}).json()
    assert {row[0] // 1_000_000 for row in snapshot["grids"]} == {grid_no(1, 0, 0) // 1_000_000}


def test_an_unknown_area_is_said(url: str, client: httpx.Client) -> None:
    for path in ("snapshot", "poll"):
        answer = client.get(f"/api/live/{path}", params={"within": "nowhere"})
        assert answer.status_code == 404 and answer.json()["error"]["code"] == "unknown_area"
    with socket(url, "?within=nowhere") as ws, pytest.raises(ConnectionClosed) as closed:
        ws.recv(timeout=5)
    assert closed.value.rcvd.code == 4404


def test_polling_brings_changes_and_positions(url: str, client: httpx.Client) -> None:
    first = client.get("/api/live/poll").json()
    file(client)
    fix = {"id": "token", "at": int(time.time() * 1000), "lon": 117.005, "lat": 35.405}
    assert client.post("/api/positions/batch", json=[fix]).json()["accepted"] == 1
    until = time.monotonic() + 5
    while time.monotonic() < until:
        polled = client.get(
            "/api/live/poll", params={"since": first["v"]} | {key: first[key] for key in ("of", "turn")}
        ).json()
        if polled["positions"] and any("tickets" in frame for frame in polled["frames"]):
            break
        time.sleep(0.05)
    assert [row[1:3] for row in polled["positions"]] == [[117.005, 35.405]]
    assert polled["as_of"] <= polled["now"] and polled["turn"] > first["turn"]


def test_what_a_screen_says_is_ignored(url: str) -> None:
    with socket(url) as ws:
        for _ in range(50):
            ws.send("x" * 1000)
        assert read_until(ws, "beat")


def test_a_stopping_server_lets_go_of_its_screens(module_clone: Stores) -> None:
    with served(make_app(module_clone)) as other:
        ws = socket(other)
        ws.recv(timeout=5)
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            ws.recv(timeout=5)
    assert closed.value.rcvd.code == 1012
