"""Twenty dispatchers, the same tickets, the product killed in between: one owner each, nothing lost, all told.

WANGGE_TEST_ASSIGNMENTS sets how many tickets there are: 2,000 is the promise, 40 in every run.
"""

import http.client
import json
import os
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
import pytest

from geodata.scope import EVERYTHING, Db
from geodata.servers import Stores
from services.access import Viewer
from services.tickets.check import faults
from tests.faults.killed_app import KilledApp
from tests.small_place import centre, grid_no
from tests.viewers import sessions_of

TICKETS = int(os.environ.get("WANGGE_TEST_ASSIGNMENTS", "40"))
DISPATCHERS = 20
RIVALS = 3  # dispatchers who want the same ticket
KILLS = max(1, TICKETS // 300)
AGAIN_S = 0.2  # after a request without an answer
CLAIMED_FIRST = 0.4  # share of attempts that begin with a claim


class Told(NamedTuple):
    """An answer that somebody was refused with."""

    dispatcher: str
    ticket: int
    code: str
    detail: dict[str, Any]


class Dispatcher(threading.Thread):
    """Decides its tickets one after the other, each request sent until it is answered."""

    def __init__(self, port: int, viewer: Viewer, token: str, worker: str, wanted: list[int]) -> None:
        super().__init__(daemon=True, name=viewer.name)
        self.worker, self._wanted = worker, wanted
        self.acknowledged: dict[int, int] = {}  # ticket → version
        self.told: list[Told] = []
        self.wrong: list[str] = []
        self.answers: Counter[int] = Counter()  # by status; 0 = none came
        self._chance = random.Random(viewer.name)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        self._headers = {
            "Content-Type": "application/json", "X-CSRFToken": viewer.csrf,
            "Cookie": f"wangge_session={token}; _csrf_token={viewer.csrf}",
        }  # fmt: skip

    def run(self) -> None:
        """Every ticket of its list, by map or by queue: some claimed first, some not."""
        for ticket in self._wanted:
            path, claims = f"/api/dispatch/tickets/{ticket}", self._chance.random() < CLAIMED_FIRST
            if claims and not self._done("POST", f"{path}/claim", ticket, {}):
                continue
            order = {"version": 1, "to": {"kind": "worker", "code": self.worker}}
            told = self._done("POST", f"{path}/assign", ticket, order, f"{self.name} {ticket}")
            if told:
                self.acknowledged[ticket] = told["ticket"]["version"]
            elif claims:
                self._done("DELETE", f"{path}/claim", ticket, None)  # leaves it to whoever was quicker

    def _done(self, method: str, path: str, ticket: int, body: Any, key: str = "") -> dict[str, Any] | None:
        """The answer; None when it was refused with a reason."""
        while True:
            status, told = self._sent(method, path, body, key)
            self.answers[status] += 1
            if status == 200:
                return told
            if status == 409:
                self.told.append(Told(self.name, ticket, told["error"]["code"], told["error"]["details"][0]))
                return None
            if status and status < 500:
                self.wrong.append(f"{method} {path}: {status} {told}")
                return None
            time.sleep(AGAIN_S)

    def _sent(self, method: str, path: str, body: Any, key: str) -> tuple[int, Any]:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self._connection.close()
            return 0, None


@pytest.fixture
def app(clone: Stores) -> Iterator[KilledApp]:
    product = KilledApp(clone)
    try:
        yield product
    finally:
        product.end()


def seeded(conn: Db) -> list[int]:
    """Ids of the tickets: half of them new, half taken up, all at version 1."""
    ids = []
    for status in ("reported", "accepted"):
        x, y = centre(1, 1, 1)
        ids += [
            int(row[0])
            for row in conn.execute(
                "INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status)"
                " SELECT clock_timestamp(), 1, c.id, 't', %s, 'exact', %s, %s"
                " FROM category c, generate_series(1, %s) WHERE c.code = '01001' RETURNING id",
                (f"SRID=4326;POINT({x} {y})", grid_no(1, 1, 1), status, TICKETS // 2),
            )
        ]
    random.Random(5).shuffle(ids)
    return ids


def at_work(stores: Stores, port: int, ids: list[int]) -> list[Dispatcher]:
    """The dispatchers, signed in, each with a worker of their own to send."""
    wanted: dict[int, list[int]] = defaultdict(list)
    chance = random.Random(7)
    for ticket in ids:
        for number in chance.sample(range(DISPATCHERS), RIVALS):
            wanted[number].append(ticket)
    workers = [f"W{grid_no(town, 1, grid)}" for grid in range(1, 10) for town in (1, 2)]
    workers += [f"W{grid_no(1, 2, grid)}" for grid in (1, 2)]
    crowd = []
    with psycopg.connect(stores.database_url) as conn:
        for number in range(DISPATCHERS):
            login = f"dispatcher-{number:02d}"
            viewer = Viewer(
                "account", 500 + number, login, "dispatcher", EVERYTHING, ("370883",), csrf="csrf"
            )
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, %s, 'dispatcher', 'tests')",
                (viewer.id, login, f"派遣员{number:02d}"),
            )
            token = sessions_of(stores).open(viewer, ip="127.0.0.1", agent="tests")
            crowd.append(Dispatcher(port, viewer, token, workers[number], wanted[number]))
    return crowd


@pytest.mark.timeout(900)
def test_one_owner_nothing_lost_and_every_loser_told(app: KilledApp, clone: Stores) -> None:
    with psycopg.connect(clone.database_url) as conn:
        ids = seeded(conn)
    crowd = at_work(clone, app.port, ids)
    began = time.monotonic()
    app.start()
    up_s = time.monotonic() - began
    began, kills = time.monotonic(), 0
    for one in crowd:
        one.start()
    while any(one.is_alive() for one in crowd):
        if kills < KILLS and sum(len(one.acknowledged) for one in crowd) > len(ids) * (kills + 1) / (
            KILLS + 1
        ):
            app.kill()
            kills += 1
            app.start()
        time.sleep(0.01)
    took_s = time.monotonic() - began

    answers = sum((one.answers for one in crowd), Counter())
    assert [wrong for one in crowd for wrong in one.wrong] == []
    assert kills == KILLS and answers[0] >= 1
    owners: dict[int, list[Dispatcher]] = defaultdict(list)
    for one in crowd:
        for ticket in one.acknowledged:
            owners[ticket].append(one)
    assert set(owners) == set(ids) and {len(of) for of in owners.values()} == {1}
    _holds(clone, {ticket: of[0] for ticket, of in owners.items()})
    refused = [told for one in crowd for told in one.told]
    _all_told(refused, {ticket: of[0] for ticket, of in owners.items()})
    assert len(ids) + len({(told.dispatcher, told.ticket) for told in refused}) == len(ids) * RIVALS
    codes = Counter(told.code for told in refused)
    print(
        f"{len(ids)} tickets, {DISPATCHERS} dispatchers, {kills} kills, {up_s:.1f} + {took_s:.1f} s, one owner each,"
    )
    print(f"losers told {dict(codes)}, answers {dict(answers)}")


def _holds(stores: Stores, owner: dict[int, Dispatcher]) -> None:
    """The database has each acknowledged assignment, once, in row, history and audit, and no other."""
    with psycopg.connect(stores.database_url) as conn:
        rows = conn.execute(
            "SELECT t.id, w.code, t.version, count(*), min(e.actor), min(e.key) FROM ticket t"
            " JOIN worker w ON w.id = t.worker_id JOIN ticket_event e ON e.ticket_id = t.id AND e.kind = 'dispatch'"
            " GROUP BY 1, 2, 3"
        ).fetchall()
        assert {row[0]: row[1:] for row in rows} == {
            ticket: (one.worker, one.acknowledged[ticket], 1, one.name, f"{one.name} {ticket}")
            for ticket, one in owner.items()
        }
        audited = conn.execute(
            "SELECT object_id::bigint, actor_name FROM audit WHERE action = 'assignment' ORDER BY 1"
        ).fetchall()
        assert audited == sorted((ticket, one.name) for ticket, one in owner.items())
        assert list(faults(conn)) == []
        assert conn.execute(
            "SELECT count(*) FROM ticket_claim WHERE until > clock_timestamp()"
        ).fetchone() == (0,)


def _all_told(refused: list[Told], owner: dict[int, Dispatcher]) -> None:
    """Who came too late knows who was quicker and who has it; who met a claim, whose it is."""
    for told in refused:
        detail, winner = told.detail, owner[told.ticket]
        assert detail["by_name"] == f"派遣员{detail['by'][-2:]}" and detail["by"] != told.dispatcher
        if told.code == "claimed":
            assert detail["since"] < detail["until"]
        else:
            assert told.code == "stale_version"
            assert (detail["by"], detail["holder"]["code"], detail["last"]) == (
                winner.name, winner.worker, "dispatch",
            )  # fmt: skip
