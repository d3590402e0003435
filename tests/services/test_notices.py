"""Status call-backs out: signed, in order, at least once, given up and tried again, never where they must not go."""

import ipaddress
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest

import profiles
from geodata.queries import notices as queries
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Pool, scoped
from geodata.servers import Stores
from services import notices, tickets
from services.care.sealing import Seals
from services.intake.signing import SIGNATURE, TIMESTAMP, BadSignature, check
from services.jobs import Work
from services.jobs.worker import Worker
from services.notices import guard
from services.notices.jobs import send_notices
from services.notices.sending import WAITS_S, Sender
from services.tickets import Report
from settings import Settings
from tests.small_place import centre
from tests.ticket_steps import give
from tests.viewers import DISPATCHER, county, of_town

ZOUCHENG = profiles.load("zoucheng")
PROFILE = ZOUCHENG.model_copy(
    update={"loop": ZOUCHENG.loop.model_copy(update={"verify": False, "needs": {}, "accepted_by_hand": []})}
)
SETTINGS = Settings(demo=True, secret="s" * 40)
CLIENT = replace(DISPATCHER, kind="client", id=7, name="12345", role="client")
ADMIN = county("administrator")


class Receiver:
    """Another system: keeps what it is told, and answers as it is bidden."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.wait_s = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(receiver.wait_s)
                status = receiver.answers.pop(0) if receiver.answers else 204
                if status < 300:
                    receiver.told.append((dict(self.headers), body))
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/told?who=us"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.told]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def secret(clone: Stores, pool: Pool, receiver: Receiver) -> str:
    """A client that is told at the receiver; the secret."""
    with psycopg.connect(clone.database_url) as conn:
        conn.execute(
            "INSERT INTO api_client (name, token_sha256, created_by) VALUES ('12345', sha256('x'), 't')"
        )
    with scoped(pool, EVERYTHING, "access") as conn:
        return notices.register(conn, ADMIN, "client", "12345", receiver.url, SETTINGS).secret


def file(pool: Pool, title: str = "路灯不亮", viewer: Any = CLIENT, source: str | None = None) -> Ticket:
    lon, lat = centre(1, 1, 1)
    report = Report(channel="12345", category="01001", title=title, lon=lon, lat=lat, source_id=f"H-{title}")
    with scoped(pool, EVERYTHING) as conn:
        return tickets.file_ticket(conn, PROFILE, viewer, report, source=source).ticket


def do(pool: Pool, ticket: Ticket, *commands: str, viewer: Any = DISPATCHER, **carried: Any) -> Ticket:
    for command in commands:
        with scoped(pool, viewer.scope) as conn:
            ticket = give(conn, PROFILE, tickets.read(conn, ticket.id), command, viewer=viewer, **carried)
    return ticket


def send(clone: Stores, pool: Pool) -> None:
    with scoped(pool, EVERYTHING, "jobs") as conn:
        ids = [row.id for row in queries.targets(conn)]
    for target in ids:
        send_notices(Work(SETTINGS, PROFILE, clone, pool), target=target)


def rows(clone: Stores) -> list[dict[str, Any]]:
    with psycopg.connect(clone.database_url, row_factory=psycopg.rows.dict_row) as conn:
        return conn.execute("SELECT * FROM notice ORDER BY seq").fetchall()


def test_each_change_of_state_is_told_signed_and_in_order(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    ticket = file(pool)
    do(pool, ticket, "dispatch", "sign", "remark")
    do(pool, ticket, "handle", result="已修复，联系人13812345678", note="内部说明")
    do(pool, file(pool, "别人的", viewer=DISPATCHER), "dispatch")
    assert receiver.told == []  # nothing is sent within the ticket's own transaction
    send(clone, pool)
    assert [body["event"] for body in receiver.bodies] == ["dispatch", "sign", "handle"]
    headers, body = receiver.told[2]
    check(secret.encode(), headers[TIMESTAMP], headers[SIGNATURE], body, time.time())
    with pytest.raises(BadSignature):
        check(b"another", headers[TIMESTAMP], headers[SIGNATURE], body, time.time())
    told = json.loads(body)
    assert headers["X-Wangge-Delivery"] == told["delivery"] and headers["Content-Type"] == "application/json"
    assert told["ticket"] == {
        "id": ticket.id, "number": tickets.number(ticket.id, ticket.reported_at, "Asia/Shanghai"),
        "source_id": "H-路灯不亮", "channel": "12345", "version": 5, "status": "handled", "was": "signed",
        "status_name": PROFILE.statuses["handled"].name,
    }  # fmt: skip
    assert told["words"].startswith("已修复") and "13812345678" not in told["words"]
    assert "内部" not in body.decode() and told["master"] is None
    send(clone, pool)
    assert len(receiver.told) == 3 and all(row["sent_at"] and row["answer"] == 204 for row in rows(clone))


def test_what_did_not_happen_is_not_told(clone: Stores, pool: Pool, secret: str) -> None:
    ticket = file(pool)
    with pytest.raises(RuntimeError), scoped(pool, EVERYTHING) as conn:
        give(conn, PROFILE, ticket, "dispatch")
        raise RuntimeError("the transaction is rolled back")
    assert rows(clone) == []


def test_merged_ones_are_told_of_their_master(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    one, master = file(pool, "甲"), file(pool, "乙", viewer=DISPATCHER)
    do(pool, one, "merge", into=master.id)
    do(pool, master, "dispatch", "sign", "handle", "close", "reopen")
    send(clone, pool)
    assert [(body["event"], body["ticket"]["status"], body["master"]["id"]) for body in receiver.bodies] == [
        ("merge", "merged", master.id), ("closed_with", "merged", master.id), ("reopened_with", "merged", master.id),
    ]  # fmt: skip
    assert [body["master"]["status"] for body in receiver.bodies][1:] == ["closed", "reopened"]


def test_what_is_not_taken_is_tried_again_and_keeps_its_order(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    late, other = file(pool, "甲"), file(pool, "乙")
    do(pool, late, "dispatch", "sign")
    do(pool, other, "dispatch")
    receiver.answers = [500]
    send(clone, pool)
    assert [body["ticket"]["source_id"] for body in receiver.bodies] == ["H-乙"]  # another ticket's goes on
    first, second, _ = rows(clone)
    assert (first["tries"], first["answer"], first["error"]) == (1, 500, "answered 500")
    assert timedelta(seconds=25) < first["next_at"] - datetime.now(UTC) < timedelta(seconds=31)
    assert second["tries"] == 0  # waits for the one before
    with psycopg.connect(clone.database_url) as conn:
        planned = conn.execute(
            "SELECT scheduled_at FROM procrastinate_jobs WHERE queueing_lock LIKE 'notices:%:again' AND status = 'todo'"
        ).fetchone()
        assert planned == (first["next_at"],)
        conn.execute("UPDATE notice SET next_at = now()")
    send(clone, pool)
    assert [body["event"] for body in receiver.bodies[1:]] == ["dispatch", "sign"]


@pytest.mark.parametrize("answer", [302, 404, 410, 500])
def test_after_eight_tries_within_a_day_it_is_dead_and_can_be_sent_again(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str, answer: int
) -> None:
    assert len(WAITS_S) == 7 and 0.9 * 86_400 < sum(WAITS_S) <= 86_400
    ticket = file(pool)
    do(pool, ticket, "dispatch")
    receiver.answers = [answer] * 8
    for _ in range(8):
        send(clone, pool)
        with psycopg.connect(clone.database_url) as conn:
            conn.execute("UPDATE notice SET next_at = now()")
    assert receiver.answers == [] and receiver.told == []
    with scoped(pool, EVERYTHING, "access") as conn:
        (gone,) = notices.dead(conn, ADMIN)
        assert (gone.tries, gone.answer, gone.ticket_id, gone.name) == (8, answer, ticket.id, "12345")
        assert notices.dead(conn, of_town(1, "administrator")) == []
        with pytest.raises(notices.UnknownNotice):
            notices.again(conn, of_town(1, "administrator"), gone.id)
    do(pool, ticket, "sign")
    send(clone, pool)  # the dead one stops nothing
    with scoped(pool, EVERYTHING, "access") as conn:
        notices.again(conn, ADMIN, gone.id)
        with pytest.raises(notices.UnknownNotice):
            notices.again(conn, ADMIN, gone.id)
    send(clone, pool)
    assert [body["ticket"]["version"] for body in receiver.bodies] == [3, 2]
    assert receiver.bodies[1]["delivery"] == str(gone.id)


def test_a_worker_that_dies_in_the_middle_tells_twice_rather_than_never(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    do(pool, file(pool), "dispatch", "sign")
    with scoped(pool, EVERYTHING, "jobs") as conn:
        (target,) = queries.targets(conn)
        taken = queries.take(conn, target.id, 90)  # and nothing more is heard of it
        assert taken is not None and queries.take(conn, target.id, 90) is None
        assert (queries.next_due(conn, target.id) or datetime.now(UTC)) > datetime.now(UTC) + timedelta(
            seconds=60
        )
    send(clone, pool)
    assert receiver.told == []
    with psycopg.connect(clone.database_url) as conn:
        conn.execute("UPDATE notice SET leased_until = now() WHERE leased_until IS NOT NULL")
    send(clone, pool)
    assert [body["event"] for body in receiver.bodies] == ["dispatch", "sign"]


def test_several_workers_at_once_keep_the_order(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    for title in "甲乙丙":
        do(pool, file(pool, title), "dispatch", "sign", "handle")
    receiver.wait_s = 0.05
    threads = [threading.Thread(target=send, args=(clone, pool)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send(clone, pool)
    events: dict[str, list[str]] = {}
    for body in receiver.bodies:
        events.setdefault(body["ticket"]["source_id"], []).append(body["event"])
    assert events == {f"H-{title}": ["dispatch", "sign", "handle"] for title in "甲乙丙"}


def test_a_webhook_channel_is_told_of_its_own(clone: Stores, pool: Pool, receiver: Receiver) -> None:
    with psycopg.connect(clone.database_url) as conn:
        conn.execute(
            "INSERT INTO webhook_channel (name, form, channel, key_sealed, key_id, created_by)"
            " VALUES ('city-hotline', 'hotline', '12345', 'x', 1, 't')"
        )
    with scoped(pool, EVERYTHING, "access") as conn:
        notices.register(conn, ADMIN, "webhook", "city-hotline", receiver.url, SETTINGS)
    do(pool, file(pool, "甲", source="webhook:city-hotline"), "dispatch")
    do(pool, file(pool, "乙", source="webhook:another"), "dispatch")
    send(clone, pool)
    assert [body["ticket"]["source_id"] for body in receiver.bodies] == ["H-甲"]


def test_the_job_is_planned_by_the_event_itself(clone: Stores, pool: Pool, secret: str) -> None:
    ticket = file(pool)
    query = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_notices' AND status = 'todo'"
    with psycopg.connect(clone.database_url) as conn:
        assert conn.execute(query).fetchone() == (0,)
    do(pool, ticket, "dispatch", "sign", viewer=of_town(1, "dispatcher"))  # who may not see notices at all
    with psycopg.connect(clone.database_url) as conn:
        assert conn.execute(query).fetchone() == (1,)


def test_a_target_that_ended_is_told_nothing(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    ticket = file(pool)
    do(pool, ticket, "dispatch")
    with scoped(pool, EVERYTHING, "access") as conn:
        (target,) = notices.targets(conn, ADMIN)
        assert (target.waiting, target.dead) == (1, 0)
        notices.end(conn, ADMIN, target.id)
        with pytest.raises(notices.UnknownTarget):
            notices.end(conn, ADMIN, target.id)
        assert notices.targets(conn, ADMIN) == []
    send_notices(Work(SETTINGS, PROFILE, clone, pool), target=target.id)
    do(pool, ticket, "sign")
    assert receiver.told == [] and [row["error"] for row in rows(clone)] == ["the target has ended"]


def test_a_new_address_takes_the_place_of_the_old_one(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    with scoped(pool, EVERYTHING, "access") as conn:
        notices.register(conn, ADMIN, "client", "12345", receiver.url + "&new", SETTINGS)
        (target,) = notices.targets(conn, ADMIN)
        assert target.url.endswith("&new")
        sealed = queries.targets(conn)[0]
        assert secret.encode() not in sealed.secret_sealed
        assert Seals.of(SETTINGS).open(sealed.secret_sealed, sealed.key_id) != secret
        with pytest.raises(notices.BadTarget, match="name"):
            notices.register(conn, ADMIN, "client", "nobody", receiver.url, SETTINGS)
        with pytest.raises(notices.UnknownTarget):
            notices.register(conn, of_town(1, "administrator"), "client", "12345", receiver.url, SETTINGS)


def test_no_other_role_reads_them(pool: Pool, secret: str) -> None:
    for hat in ("facts", "wall", "care", "audit"):
        for table in ("notice", "notice_target"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(pool, EVERYTHING, hat) as conn:
                conn.execute(f"SELECT FROM {table}")


# --- where they may go

OUTSIDE = Settings(demo=False)
INSIDE = Settings(demo=False, callback_private=True)


@pytest.mark.parametrize(
    ("address", "outside", "inside"),
    [
        ("93.184.216.34", True, True), ("2606:2800:220:1::1", True, True), ("10.1.2.3", False, True),
        ("192.168.1.9", False, True), ("172.16.0.1", False, True), ("fd00::1", False, True),
        ("127.0.0.1", False, False),
        ("::1", False, False), ("169.254.169.254", False, False), ("fe80::1", False, False), ("0.0.0.0", False, False),
        ("224.0.0.1", False, False), ("::ffff:127.0.0.1", False, False), ("::ffff:169.254.169.254", False, False),
        ("::", False, False), ("100.64.0.1", False, True), ("2002:7f00:1::", False, False),
    ],
)  # fmt: skip
def test_addresses_that_call_backs_may_go_to(address: str, outside: bool, inside: bool) -> None:
    given = ipaddress.ip_address(address)
    assert (not guard.why_not(given, OUTSIDE)) == outside
    assert (not guard.why_not(given, INSIDE)) == inside


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "https://", "https://user:pass@example.com/", "https://example.com/#x",
        "https://exa mple.com/", "javascript:alert(1)", "https://example.com:99999/", "https://[::1/", "https://例子.com/",
        "http://example.com/", "https://example.com/" + "x" * 500,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(guard.Forbidden):
        guard.checked(url, OUTSIDE)


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*addresses: str) -> None:
        answer = [(2, 1, 6, "", (address, 443)) for address in addresses]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answer)

    found("93.184.216.34")
    assert guard.way_to("https://example.com/a?b=c", OUTSIDE) == (
        "https://93.184.216.34:443/a?b=c", "example.com", "example.com",
    )  # fmt: skip
    found("93.184.216.34", "127.0.0.1")  # one of several is enough
    with pytest.raises(guard.Forbidden, match="this machine itself"):
        guard.way_to("https://example.com/", OUTSIDE)
    found("93.184.216.34")
    with pytest.raises(guard.Forbidden, match="private networks only"):
        guard.way_to("http://example.com/", INSIDE)
    found("10.0.0.5")
    assert guard.way_to("http://hotline.county/", INSIDE).url == "http://10.0.0.5:80/"


def test_a_forbidden_address_counts_as_not_taken(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    do(pool, file(pool), "dispatch")
    with scoped(pool, EVERYTHING, "jobs") as conn:
        (target,) = queries.targets(conn)
    away = SETTINGS.model_copy(update={"demo": False, "callback_private": True})
    assert Sender(pool, PROFILE, away, target).send_due(5) == 1
    (row,) = rows(clone)
    assert receiver.told == [] and "this machine itself" in row["error"] and row["tries"] == 1


def test_a_worker_of_the_queue_sends_it_by_itself(
    clone: Stores, pool: Pool, receiver: Receiver, secret: str
) -> None:
    worker = Worker(Work(SETTINGS, PROFILE, clone, pool))
    worker.start()
    try:
        do(pool, file(pool), "dispatch", "sign")
        until = time.monotonic() + 30
        while len(receiver.told) < 2 and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        worker.stop()
    assert [body["event"] for body in receiver.bodies] == ["dispatch", "sign"]
