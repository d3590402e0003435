"""Video stations: each state is really probed, changes become live events, the demo camera never stands still."""

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import httpx
import psycopg
import pytest
import redis

from geodata.pool import make_pool
from geodata.servers import Stores
from services.demo_camera import A_WEEK, SEGMENT_S, SEGMENTS, demo_playlist
from services.video import NoSignal, Prober, media_playlist
from tests.small_place import centre, grid_no

Answer = tuple[int, bytes]


class Source:
    """A server of streams that a test turns on and off."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], Answer]] = {}
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = source.answers.get(self.path, lambda: (404, b""))()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path: str, body: str | bytes, status: int = 200) -> None:
        raw = body.encode() if isinstance(body, str) else body
        self.answers[path] = lambda: (status, raw)


@pytest.fixture
def source() -> Iterator[Source]:
    made = Source()
    yield made
    made.server.shutdown()
    made.server.server_close()


def playlist(first: int, count: int = 3, target: int = 2, more: str = "") -> str:
    lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{target}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for number in range(first, first + count):
        lines += [f"#EXTINF:{target},", f"s{number}.ts"]
    return "\n".join(lines) + f"\n{more}"


def add_station(conn: Any, number: int, url: str | None) -> str:
    own = f"370883010013200{number:05d}"
    x, y = centre(1, 1, 1)
    conn.execute(
        "INSERT INTO video_station (id, name, site_kind, area_no, geom, stream_url, generated)"
        " VALUES (%s, 's', 'hall', %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), %s, true)",
        (own, grid_no(1, 1, 1), x, y, url),
    )
    return own


def test_each_state_is_found_and_told_once(clone: Stores, source: Source) -> None:
    source.put("/live/a.m3u8", playlist(10))
    source.put("/live/s12.ts", b"\x47" * 188)
    source.put("/page.m3u8", "<html>log in</html>")
    source.put("/empty.m3u8", "#EXTM3U\n")
    source.put("/ended.m3u8", playlist(0, more="#EXT-X-ENDLIST\n"))
    source.put("/broken.m3u8", playlist(0))
    source.put("/denied.m3u8", "", 403)
    urls = ["/live/a.m3u8", None, "/page.m3u8", "/empty.m3u8", "/ended.m3u8", "/broken.m3u8", "/denied.m3u8",
            "/missing.m3u8", "http://127.0.0.1:9/x.m3u8", "http://[bad"]  # fmt: skip
    with (
        psycopg.connect(clone.database_url, autocommit=True) as conn,
        make_pool(clone.database_url, size=2) as pool,
    ):
        ids = [add_station(conn, i, url) for i, url in enumerate(urls)]
        prober = Prober(pool, redis.Redis.from_url(clone.redis_url), clone.key_prefix, source.url)
        assert sorted(prober.probe_all()) == ids, "each was unknown before"
        rows = conn.execute(
            "SELECT state::text, state_reason, checked_at FROM video_station ORDER BY id"
        ).fetchall()
        assert [(row[0], row[1]) for row in rows] == [
            ("live", None), ("no_signal", "not_connected"), ("no_signal", "not_hls"), ("no_signal", "no_segments"),
            ("no_signal", "ended"), ("no_signal", "segment_missing"), ("no_signal", "http_403"),
            ("no_signal", "http_404"), ("no_signal", "unreachable"), ("no_signal", "unreachable"),
        ]  # fmt: skip
        assert all(row[2] is not None for row in rows)
        told = conn.execute("SELECT body FROM outbox WHERE kind = 'station' ORDER BY id").fetchall()
        assert [row[0]["id"] for row in told] == ids
        assert prober.probe_all() == [], "nothing changed, nothing is told"
        source.put("/live/a.m3u8", "", 500)
        assert prober.probe_all() == [ids[0]]


def test_a_playlist_that_does_not_move_has_no_signal(
    clone: Stores, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put("/a.m3u8", playlist(10))
    for number in range(10, 20):
        source.put(f"/s{number}.ts", b"\x47" * 188)
    now = 1000.0
    monkeypatch.setattr("services.video.time.monotonic", lambda: now)
    with (
        psycopg.connect(clone.database_url, autocommit=True) as conn,
        make_pool(clone.database_url, size=2) as pool,
    ):
        own = add_station(conn, 1, "/a.m3u8")
        prober = Prober(pool, redis.Redis.from_url(clone.redis_url), clone.key_prefix, source.url)
        assert prober.probe_all() == [own]
        now += 5
        assert prober.probe_all() == []
        now += 30
        assert prober.probe_all() == [own]
        assert conn.execute("SELECT state_reason FROM video_station").fetchone() == ("stalled",)
        source.put("/a.m3u8", playlist(13))
        assert prober.probe_all() == [own]
        assert conn.execute("SELECT state::text FROM video_station").fetchone() == ("live",)


def test_a_master_playlist_leads_to_its_first_variant_but_not_in_circles(source: Source) -> None:
    source.put("/m.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/a.m3u8\n")
    source.put("/low/a.m3u8", playlist(4))
    source.put("/loop.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nloop.m3u8\n")
    source.put("/huge.m3u8", "#EXTM3U\n" + "x" * 600_000)
    with httpx.Client(trust_env=False) as client:
        assert media_playlist(client, f"{source.url}/m.m3u8").last == (6, "s6.ts")
        for path in ("/loop.m3u8", "/huge.m3u8"):
            with pytest.raises(NoSignal, match="not_hls"):
                media_playlist(client, source.url + path)


def test_one_of_several_processes_takes_a_round(clone: Stores) -> None:
    client = redis.Redis.from_url(clone.redis_url)
    with make_pool(clone.database_url, size=1) as pool:
        first = Prober(pool, client, clone.key_prefix, "http://127.0.0.1:9")
        second = Prober(pool, client, clone.key_prefix, "http://127.0.0.1:9")
        assert first._our_turn() and not second._our_turn()
        away = Prober(pool, redis.Redis(port=1), clone.key_prefix, "http://127.0.0.1:9")
        assert away._our_turn(), "without Redis everybody probes"


def segments(text: str) -> list[tuple[int, int]]:
    """Sequence number and index of each segment listed."""
    match = re.search(r"MEDIA-SEQUENCE:(\d+)", text)
    assert match
    return [(int(match[1]) + i, int(index)) for i, index in enumerate(re.findall(r"^s(\d)\.ts$", text, re.M))]


def test_the_demo_camera_moves_with_the_clock_and_never_contradicts_itself() -> None:
    known: dict[int, int] = {}
    breaks: dict[int, int] = {}
    for step in range(60):
        text = demo_playlist("hall", 1_790_000_000 + step, "s{index}.ts")
        listed = segments(text)
        assert len(listed) == 5
        assert listed[-1][0] == ((1_790_000_000 + step) // SEGMENT_S - 1) % A_WEEK
        for number, index in listed:
            assert known.setdefault(number, index) == index
        before = int(re.search(r"DISCONTINUITY-SEQUENCE:(\d+)", text)[1])  # type: ignore[index]
        assert breaks.setdefault(listed[0][0], before) == before
        tags = text.split("#EXT-X-DISCONTINUITY\n")
        assert len(tags) - 1 == sum(index == 0 for _, index in listed)
    numbers = sorted(breaks)
    for one, other in pairwise(numbers):
        assert breaks[other] - breaks[one] == (known[one] == 0), "a break that left the list is counted"
    assert {known[number] for number in known} == set(range(SEGMENTS))


def test_the_numbers_of_a_demo_camera_stay_small_for_the_player() -> None:
    """hls.js fills an array up to the number of the discontinuity and walks over all of it at each playlist."""
    for now in (0x7FFFFFFF, 1_790_208_000 - 1, 1_790_208_000, 1_790_208_000 + 11):
        text = demo_playlist("hall", now, "s{index}.ts")
        assert int(re.search(r"DISCONTINUITY-SEQUENCE:(\d+)", text)[1]) <= A_WEEK // SEGMENTS + 1  # type: ignore[index]
        assert 0 <= segments(text)[0][0] < A_WEEK
    assert A_WEEK % SEGMENTS == 0, "the loop goes on where a week begins"


def test_names_of_demo_cameras_show_different_moments() -> None:
    assert segments(demo_playlist("a", 1e9, "s{index}.ts")) != segments(
        demo_playlist("b", 1e9, "s{index}.ts")
    )
