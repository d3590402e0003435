"""Messages of other systems: signed, in time, one ticket for each number, and mapped as their form says."""

import json
import re
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from typer.testing import CliRunner

import profiles
from app import create_app
from cli import app
from geodata.queries.intake import sender
from geodata.scope import EVERYTHING, enter
from geodata.servers import Stores
from services.access import SYSTEM
from services.care.sealing import Seals
from services.intake import senders
from services.intake.signing import SIGNATURE, TIMESTAMP, BadSignature, check, signature
from settings import Settings
from tests.live_app import served
from tests.small_place import centre, grid_no

LON, LAT = centre(1, 1, 1)
SENDERS = {"hotline": "12345", "petition": "petition", "opinion": "opinion", "group": "utility"}
CALLER = {"name": "欧阳小明", "phone": "13812345678"}
HOTLINE = {
    "order_no": "HL-1", "order_type": "complaint", "urgency": "urgent", "content": "路灯不亮。电话13812345678",
    "category_name": "路灯不亮", "lon": LON, "lat": LAT, "caller": CALLER,
}  # fmt: skip


@pytest.fixture(scope="module")
def keys(module_clone: Stores) -> dict[str, bytes]:
    """A sender of each form, and its key."""
    profile, seals = profiles.load("zoucheng"), Seals.of(Settings())
    with psycopg.connect(module_clone.database_url) as conn:
        enter(conn, EVERYTHING, "access")
        return {
            form: bytes.fromhex(senders.add(conn, SYSTEM, profile, seals, f"test-{form}", form, channel))
            for form, channel in SENDERS.items()
        }


@pytest.fixture(scope="module")
def client(module_clone: Stores, keys: dict[str, bytes]) -> Iterator[httpx.Client]:
    with (
        served(create_app(Settings(), module_clone)) as url,
        httpx.Client(base_url=f"{url}/api/webhooks", trust_env=False, timeout=20) as client,
    ):
        yield client


@pytest.fixture
def send(client: httpx.Client, keys: dict[str, bytes]) -> Any:
    """Send a message as its sender signs it."""

    def sent(
        form: str, message: dict[str, Any], *, name: str | None = None, off_s: int = 0
    ) -> httpx.Response:
        body = json.dumps(message).encode()
        at = int(time.time()) + off_s
        headers = {TIMESTAMP: str(at), SIGNATURE: signature(keys[form], at, body)}
        return client.post(f"/{name or f'test-{form}'}", content=body, headers=headers)

    return sent


def row_of(stores: Stores, ticket_id: int) -> dict[str, Any]:
    """What is stored of a ticket."""
    with psycopg.connect(stores.database_url) as conn:
        found = conn.execute(
            "SELECT to_jsonb(t) || jsonb_build_object('channel', c.code, 'category', k.code, 'source', e.source,"
            " 'actor', e.actor) FROM ticket t JOIN channel c ON c.id = t.channel_id JOIN category k"
            " ON k.id = t.category_id JOIN ticket_event e ON e.ticket_id = t.id AND e.version = 1 WHERE t.id = %s",
            (ticket_id,),
        ).fetchone()
    assert found is not None
    return dict(found[0])


def test_an_order_of_the_hotline_becomes_a_ticket(send: Any, module_clone: Stores) -> None:
    answer = send("hotline", HOTLINE)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["created"] and told["category"] == "05003" and told["area"] == "370883001001001"
    row = row_of(module_clone, told["id"])
    assert (row["channel"], row["source_id"], row["nature"], row["severity"]) == (
        "12345",
        "HL-1",
        "complaint",
        "urgent",
    )
    assert (row["title"], row["description"]) == ("路灯不亮", "路灯不亮。电话138****5678")
    assert row["source"] == row["actor"] == "webhook:test-hotline"
    with psycopg.connect(module_clone.database_url) as conn:
        kept = conn.execute(
            "SELECT name_masked, phone_masked FROM ticket_reporter WHERE ticket_id = %s", (told["id"],)
        ).fetchone()
    assert kept == ("欧**", "138****5678")


def test_a_number_makes_one_ticket_however_often_it_is_sent(send: Any) -> None:
    first, again = (send("hotline", {**HOTLINE, "order_no": "HL-2"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] and not again.json()["created"]


def test_a_petition_waits_for_a_hand_and_tells_nothing_of_who_wrote_it(
    send: Any, module_clone: Stores
) -> None:
    message = {
        "matter_no": "XF-1", "way": "letter", "content": "我叫欧阳小明，拖欠工资，身份证370883199001011239",
        "category": "04003", "address": "钢山街道甲社区", "visitor": CALLER,
        "registered_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    told = send("petition", message).json()
    row = row_of(module_clone, told["id"])
    assert (told["status"], told["location"], told["area"]) == ("reported", "by_name", "370883001001")
    assert row["description"] == "我叫欧**，拖欠工资，身份证37****1239" and row["geom"] is None


def test_an_opinion_keeps_where_it_stands_and_goes_to_the_unsorted(send: Any, module_clone: Stores) -> None:
    message = {
        "item_no": "YQ-1", "platform": "微博", "url": "https://example.com/p/1", "content": "垃圾没人管！",
        "category_name": "看不懂的类别",
    }  # fmt: skip
    told = send("opinion", message).json()
    row = row_of(module_clone, told["id"])
    assert (told["category"], told["location"], row["area_no"]) == ("08006", "none", grid_no(0, 0, 0))
    assert row["description"] == "垃圾没人管！\n微博 https://example.com/p/1" and row["title"] == "垃圾没人管"


def test_a_groups_name_places_what_is_said_in_it(send: Any, module_clone: Stores) -> None:
    message = {"message_id": "m-1", "group": "钢山街道甲社区便民群", "text": "3号楼停水了", "sender": CALLER}
    told = send("group", message).json()
    assert (told["area"], told["location"]) == ("370883001001", "by_name")
    assert row_of(module_clone, told["id"])["channel"] == "utility"


@pytest.mark.parametrize("off_s", [-301, 301, -86_400])
def test_a_message_out_of_time_is_refused(send: Any, off_s: int) -> None:
    answer = send("hotline", {**HOTLINE, "order_no": "late"}, off_s=off_s)
    assert answer.status_code == 401 and "5 minutes" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["test-petition", "nobody", "%00", "x" * 300])
def test_the_key_of_another_does_not_open(send: Any, name: str) -> None:
    answer = send("hotline", HOTLINE, name=name)
    assert answer.status_code == 401 and answer.json()["error"]["code"] == "bad_signature"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {TIMESTAMP: "now", SIGNATURE: "v1=00"},
        {TIMESTAMP: "9" * 100, SIGNATURE: "v1=00"},
        {SIGNATURE: "v1="},
    ],
)
def test_what_is_not_signed_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post("/test-hotline", json=HOTLINE, headers=headers)
    assert answer.status_code == 401 and answer.json()["error"]["code"] == "bad_signature"


def test_an_altered_body_is_refused(client: httpx.Client, keys: dict[str, bytes]) -> None:
    at = int(time.time())
    headers = {TIMESTAMP: str(at), SIGNATURE: signature(keys["hotline"], at, b"{}")}
    assert client.post("/test-hotline", content=b"{ }", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order_no": None}, "order_no"), ({"order_no": ""}, "order_no"), ({"content": ""}, "content"),
        ({"ethnicity": "x"}, "ethnicity"), ({"petition_history": []}, "petition_history"),
        ({"order_type": "riddle"}, "order_type"), ({"caller": {"id_number": "1"}}, "caller.id_number"),
        ({"lat": None}, "body"), ({"lon": 100.0}, "lon"), ({"category": "99999"}, "category"),
        ({"accepted_at": "2001-01-01T00:00:00Z"}, "reported_at"), ({"area": "000", "lon": None, "lat": None}, "area"),
        ({"content": "x" * 4001}, "content"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(send: Any, change: dict[str, Any], field: str) -> None:
    answer = send("hotline", {**HOTLINE, "order_no": secrets.token_hex(4), **change})
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["details"][0]["field"] == field


def test_a_body_that_is_no_json_or_too_large_is_refused(client: httpx.Client, keys: dict[str, bytes]) -> None:
    for body, status in ((b"{", 400), (b"[]", 422), (b'"' + b"x" * 70_000 + b'"', 413)):
        at = int(time.time())
        headers = {TIMESTAMP: str(at), SIGNATURE: signature(keys["hotline"], at, body)}
        assert client.post("/test-hotline", content=body, headers=headers).status_code == status


def test_one_who_guesses_is_asked_to_wait(module_clone: Stores) -> None:
    settings = Settings(trusted_proxies=1)
    headers = {"X-Forwarded-For": "10.7.7.7", TIMESTAMP: "1", SIGNATURE: "v1=00"}
    with served(create_app(settings, module_clone)) as url, httpx.Client(trust_env=False) as guesser:
        answers = [
            guesser.post(f"{url}/api/webhooks/test-hotline", headers=headers, content=b"{}")
            for _ in range(90)
        ]
    assert {one.status_code for one in answers} == {401, 429}


def test_a_revoked_sender_may_send_no_more(module_clone: Stores, client: httpx.Client) -> None:
    profile, seals = profiles.load("zoucheng"), Seals.of(Settings())
    with psycopg.connect(module_clone.database_url) as conn:
        enter(conn, EVERYTHING, "access")
        key = bytes.fromhex(senders.add(conn, SYSTEM, profile, seals, "passing", "group", "mediation"))
        for name, form, channel in (
            ("passing", "group", "grid"), ("other", "group", "mediation"), ("Other", "group", "grid"),
            ("other", "letter", "grid"), ("other", "group", "nothing"),
        ):  # fmt: skip
            with pytest.raises(senders.BadSender):
                senders.add(conn, SYSTEM, profile, seals, name, form, channel)
    body, at = json.dumps({"message_id": "1", "text": "停水"}).encode(), int(time.time())
    headers = {TIMESTAMP: str(at), SIGNATURE: signature(key, at, body)}
    assert client.post("/passing", content=body, headers=headers).status_code == 201
    with psycopg.connect(module_clone.database_url) as conn:
        enter(conn, EVERYTHING, "access")
        senders.revoke(conn, SYSTEM, "passing")
        with pytest.raises(senders.UnknownSender):
            senders.revoke(conn, SYSTEM, "passing")
    assert client.post("/passing", content=body, headers=headers).status_code == 401


def test_a_changed_secret_seals_keys_anew(clone: Stores) -> None:
    old, new = Seals(bytes(32)), Seals(bytes(range(32)), bytes(32))
    with psycopg.connect(clone.database_url) as conn:
        enter(conn, EVERYTHING, "access")
        key = senders.add(conn, SYSTEM, profiles.load("zoucheng"), old, "hotline", "hotline", "12345")
        assert senders.reseal(conn, new) == 1 and senders.reseal(conn, new) == 0
        found = sender(conn, "hotline")
        assert found and senders.key_of(Seals(bytes(range(32))), found).hex() == key


def test_the_signature_is_the_documented_one() -> None:
    """As docs/reference/intake.md computes it with openssl."""
    signed = signature(bytes.fromhex("00" * 32), 1790000000, b'{"order_no":"1"}')
    assert signed == "v1=27b692be6cada9a5faa96d600afa63dc0ba469268981ee79561fd35b1ba522da"
    check(bytes(32), "1790000000", signed, b'{"order_no":"1"}', 1790000299.0)
    with pytest.raises(BadSignature):
        check(bytes(32), "1790000000", signed, b'{"order_no":"1"}', 1790000301.0)


def test_each_place_sends_the_unsorted_somewhere_or_says_that_it_does_not() -> None:
    for name in profiles.built_in():
        profile = profiles.load(name)
        assert profile.intake.unsorted is None or profile.kind(profile.intake.unsorted)


def test_the_command_adds_lists_and_revokes(clone: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", clone.database_url)
    monkeypatch.setenv("REDIS_URL", clone.redis_url)

    def run(*words: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, ["channel", *words])
        return done.exit_code, done.output, str(done.exception)

    assert "Nobody sends yet" in run("list")[1]
    code, told, _ = run("add", "hotline-1", "--form", "hotline", "--channel", "12345")
    key = re.findall(r"^[0-9a-f]{64}$", told, re.MULTILINE)
    assert code == 0 and len(key) == 1 and "/api/webhooks/hotline-1" in told
    assert "has a sender already" in run("add", "hotline-2", "--form", "hotline", "--channel", "12345")[2]
    assert "hotline-1" in run("list")[1] and "in use" in run("list")[1] and key[0] not in run("list")[1]
    assert run("revoke", "hotline-1")[0] == 0 and "revoked" in run("list")[1]
    assert "no sender of that name" in run("revoke", "hotline-1")[2]
