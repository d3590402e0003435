"""The intake of positions in the protocols of phone apps."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
import redis
from prometheus_client import REGISTRY

from geodata.servers import Stores
from services.positions.fix import latest_key, unpack
from tests.live_app import make_app, served
from tests.small_place import SOUTH, WEST, centre, grid_no

LON, LAT = centre(1, 1, 1)


class Phones:
    """A server with one worker a token: token-1 … in grids 1 … of community 1 of town 1."""

    def __init__(self, http: httpx.Client, stores: Stores, ids: dict[int, int]) -> None:
        self.http, self.stores, self.ids = http, stores, ids

    def latest(self, token: str) -> Any:
        with redis.Redis.from_url(self.stores.redis_url) as client:
            packed = client.hget(latest_key(self.stores.key_prefix), str(self.worker(token)))
        return None if packed is None else unpack(packed)[0].reading

    def worker(self, token: str) -> int:
        return self.ids[grid_no(1, 1, int(token[-1]))]


@pytest.fixture(scope="module")
def phones(module_clone: Stores) -> Iterator[Phones]:
    with psycopg.connect(module_clone.database_url) as conn:
        ids = dict(conn.execute("SELECT area_no, id FROM worker").fetchall())
        for number in range(1, 10):
            conn.execute(
                "INSERT INTO device VALUES (sha256(%s), %s, 'test')",
                (f"token-{number}".encode(), ids[grid_no(1, 1, number)]),
            )
        conn.execute("UPDATE worker SET shift_days = 0 WHERE id = %s", (ids[grid_no(1, 1, 9)],))
    with served(make_app(module_clone)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield Phones(client, module_clone, ids)


def seconds(ago_s: float = 0) -> int:
    return int(time.time() - ago_s)


def test_osmand_query_string(phones: Phones) -> None:
    at = seconds()
    query = {
        "id": "token-1",
        "lat": LAT,
        "lon": LON,
        "timestamp": at,
        "speed": 10,
        "bearing": 90,
        "accuracy": 8,
        "batt": 77,
    }
    answer = phones.http.get("/api/positions/osmand", params=query)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "refused": []})
    reading = phones.latest("token-1")
    assert (reading.at_ms, reading.lon, reading.lat) == (at * 1000, LON, LAT)
    assert reading.speed_mps == pytest.approx(5.144, abs=1e-3) and reading.battery_pct == 77


@pytest.mark.parametrize(
    ("token", "when"),
    [
        ("token-2", str),
        ("token-3", lambda at: str(at * 1000)),
        ("token-4", lambda at: datetime.fromtimestamp(at, UTC).isoformat()),
    ],
)
def test_osmand_times_in_three_forms(phones: Phones, token: str, when: Callable[[int], str]) -> None:
    at = seconds()
    query = {
        "deviceid": token,
        "lat": LAT,
        "lon": LON,
        "timestamp": when(at),
        "hdop": "1.5",
        "course": "12.5",
    }
    assert phones.http.post("/api/positions/osmand", params=query).json()["accepted"] == 1
    reading = phones.latest(token)
    assert reading.at_ms == at * 1000 and reading.accuracy_m == 7.5 and reading.course_deg == 12.5


def test_traccar_client_json(phones: Phones) -> None:
    at = datetime.now(UTC)
    body = {
        "location": {
            "timestamp": at.isoformat().replace("+00:00", "Z"),
            "coords": {"latitude": LAT, "longitude": LON, "accuracy": 5, "speed": 1.5, "heading": -1, "altitude": 3},
            "is_moving": True, "battery": {"level": 0.5, "is_charging": False},
        },
        "device_id": "token-5",
    }  # fmt: skip
    assert phones.http.post("/api/positions/osmand", json=body).json()["accepted"] == 1
    reading = phones.latest("token-5")
    assert (reading.speed_mps, reading.course_deg, reading.battery_pct) == (1.5, None, 50)


@pytest.mark.parametrize("way", ["password", "header", "limit-d"])
def test_owntracks(phones: Phones, way: str) -> None:
    token = {"password": "token-6", "header": "token-7", "limit-d": "token-8"}[way]
    message = {
        "_type": "location",
        "tst": seconds(),
        "lat": LAT,
        "lon": LON,
        "acc": 12,
        "vel": 18,
        "cog": 200,
        "batt": 60,
    }
    auth = httpx.BasicAuth("worker", token) if way == "password" else None
    headers = {"header": {"X-Device-Token": token}, "limit-d": {"X-Limit-D": token}}.get(way)
    answer = phones.http.post("/api/positions/owntracks", json=message, auth=auth, headers=headers)
    assert (answer.status_code, answer.json()) == (200, [])
    assert phones.latest(token).speed_mps == pytest.approx(5)
    waypoint = {"_type": "waypoint", "desc": "home"}
    assert (
        phones.http.post("/api/positions/owntracks", json=waypoint, auth=auth, headers=headers).json() == []
    )


def test_a_batch_names_what_it_refuses(phones: Phones) -> None:
    now_ms = seconds() * 1000
    fixes = [
        {"id": "token-1", "at": now_ms + 5000, "lon": LON, "lat": LAT},
        {"id": "nobody", "at": now_ms, "lon": LON, "lat": LAT},
        {"id": "token-2", "at": "now", "lon": LON, "lat": LAT},
        {"id": "token-2", "at": now_ms + 5000, "lon": LON, "lat": LAT, "accuracy_m": 900},
        "what",
    ]
    for body in (fixes, {"fixes": fixes}):
        answer = phones.http.post("/api/positions/batch", json=body)
        assert answer.status_code == 200
        reasons = {item["index"]: item["reason"] for item in answer.json()["refused"]}
        assert reasons.pop(0, "duplicate") == "duplicate"  # the second time it is known
        assert reasons == {1: "unknown_token", 2: "malformed", 3: "inaccurate", 4: "malformed"}


REFUSED = [
    ("null_island", {"lon": 0, "lat": 0}),
    ("outside", {"lon": WEST - 1, "lat": SOUTH}),
    ("impossible", {"lon": 190, "lat": SOUTH}),
    ("future", {"at_s": 600}),
    ("too_old", {"at_s": -25 * 3600}),
    ("inaccurate", {"accuracy": 201}),
    ("off_shift", {"id": "token-9"}),
    ("jump", {"lon": LON + 0.1, "at_s": 1}),
    ("duplicate", {"at_s": 0}),
]


@pytest.mark.parametrize(("reason", "change"), REFUSED, ids=[reason for reason, _ in REFUSED])
def test_each_bad_fix_is_refused_with_its_reason_and_counted(
    phones: Phones, reason: str, change: dict[str, Any]
) -> None:
    base = seconds(30)
    token = "token-3"
    good = {"id": token, "lon": LON, "lat": LAT, "timestamp": base}
    with redis.Redis.from_url(phones.stores.redis_url) as client:
        known = client.hget(latest_key(phones.stores.key_prefix), str(phones.worker(token)))
    if known is None or unpack(known)[0].reading.at_ms != base * 1000:
        phones.http.get("/api/positions/osmand", params=good)
    base = phones.latest(token).at_ms // 1000
    query = good | {k: v for k, v in change.items() if k != "at_s"}
    query["timestamp"] = base + change.get("at_s", 2)
    if reason in ("future", "too_old"):
        query["timestamp"] = seconds() + change["at_s"]
    before = REGISTRY.get_sample_value("wangge_positions_refused_total", {"reason": reason})
    answer = phones.http.get("/api/positions/osmand", params=query)
    assert answer.status_code == 200 and answer.headers["x-refused"] == reason
    assert answer.json() == {"accepted": 0, "refused": [{"index": 0, "reason": reason}]}
    assert REGISTRY.get_sample_value("wangge_positions_refused_total", {"reason": reason}) == before + 1
    assert phones.latest(token).at_ms == base * 1000


def test_three_far_fixes_that_agree_are_believed(phones: Phones) -> None:
    base = seconds(60)
    there = {"id": "token-4", "lon": LON + 0.1, "lat": LAT}
    here = {"id": "token-4", "lon": LON, "lat": LAT, "timestamp": base - 20}
    phones.http.get("/api/positions/osmand", params=here)
    start = phones.latest("token-4").at_ms // 1000
    taken = [
        phones.http.get("/api/positions/osmand", params=there | {"timestamp": start + i}).json()["accepted"]
        for i in (1, 2, 3, 4)
    ]
    assert taken == [0, 0, 1, 1]


def test_an_unknown_token_is_401(phones: Phones) -> None:
    query = {"id": "nobody", "lon": LON, "lat": LAT, "timestamp": seconds()}
    assert phones.http.get("/api/positions/osmand", params=query).status_code == 401
    message = {"_type": "location", "tst": seconds(), "lat": LAT, "lon": LON}
    for auth in (None, httpx.BasicAuth("worker", "nobody")):
        assert phones.http.post("/api/positions/owntracks", json=message, auth=auth).status_code == 401


@pytest.mark.parametrize(
    "change",
    [{"lat": ""}, {"lat": "nan"}, {"lon": "inf"}, {"lat": "1e400"}, {"lon": "x"}, {"timestamp": ""},
     {"timestamp": "soon"}, {"timestamp": -5}, {"timestamp": "9" * 400}, {"speed": "fast"}],
)  # fmt: skip
def test_what_no_phone_sends_is_400_with_its_field(phones: Phones, change: dict[str, Any]) -> None:
    query = {"id": "token-1", "lon": LON, "lat": LAT, "timestamp": seconds()} | change
    answer = phones.http.get("/api/positions/osmand", params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["field"] in change


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("osmand", b"{", 400), ("osmand", b'{"location": 1}', 400), ("owntracks", b"[]", 400),
     ("owntracks", b"x" * 20_000, 413), ("batch", b'{"fixes": 3}', 400), ("batch", b"[" + b"1," * 10_001 + b"1]", 400)],
)  # fmt: skip
def test_a_body_of_another_kind_is_refused(phones: Phones, path: str, body: bytes, status: int) -> None:
    answer = phones.http.post(f"/api/positions/{path}", content=body, headers={"X-Device-Token": "token-1"})
    assert answer.status_code == status and answer.json()["error"]["message"]
