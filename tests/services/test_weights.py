"""Weights, leaves and latest positions: who may set what, what it changes, and what the routes tell whom."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

import api.dispatch_candidates
import api.dispatch_rules
import api.errors
import api.gate
from geodata.pool import make_pool
from geodata.queries.positions import PositionRow, forget_latest, keep_latest
from geodata.scope import Db
from geodata.servers import Stores
from profiles.dispatch import Dispatch, Weights
from services.access import Viewer
from services.dispatch import weights
from services.dispatch.preview import preview
from services.dispatch.weight_errors import BadWeights, StaleWeights
from tests.live_app import served
from tests.services.situations import COMMUNITY, FAR, NOW, PROFILE, Who, asked, east, place, ticket
from tests.viewers import DISPATCHER, county, of_town

SUPERVISOR = county("supervisor")
ALL_DAY = ("00:00", "24:00")


class Site:
    """The routes, asked by whoever is named; a ticket of either town, and two workers around the first."""

    def __init__(self, stores: Stores, client: httpx.Client, app: FastAPI, ticket: int, other: int) -> None:
        self.stores, self.client, self.app, self.ticket, self.other = stores, client, app, ticket, other

    def ask(self, viewer: Viewer, method: str, path: str, **body: Any) -> Any:
        """The answer's status and JSON."""
        self.app.dependency_overrides[api.gate.seer] = lambda: viewer
        answer = self.client.request(method, f"/api/dispatch/{path}", json=body or None)
        return answer.status_code, answer.json() if answer.content else None


@pytest.fixture(scope="module")
def site(module_clone: Stores) -> Iterator[Site]:
    with make_pool(module_clone.app_url, 2) as pool:
        app = FastAPI()
        api.errors.install(app)
        runtime: Any = SimpleNamespace(profile=PROFILE, pool=pool, stores=module_clone)
        app.include_router(api.dispatch_candidates.router(runtime))
        app.include_router(api.dispatch_rules.router(runtime))
        app.dependency_overrides[api.gate.guard] = lambda: (
            None
        )  # there is no gate in front that says who asks
        app.state.runtime = runtime
        with psycopg.connect(module_clone.database_url) as conn:
            now = datetime.now(UTC)
            place(conn, [Who("A", m=3000, shift=ALL_DAY), Who("B", COMMUNITY, 100, shift=ALL_DAY)], now)
            tickets = ticket(conn).id, ticket(conn, area=FAR).id
        with served(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            yield Site(module_clone, client, app, *tickets)


# --- the rules themselves


def test_the_profiles_weights_hold_until_the_place_sets_its_own(conn: Db) -> None:
    first = weights.setting(conn, PROFILE)
    assert (first.version, first.weights, first.changed_by) == (0, PROFILE.dispatch.weights, None)
    then = weights.change(conn, PROFILE, SUPERVISOR, 0, Weights(way=60))
    assert (then.version, then.weights.way, then.weights.ground, then.changed_by) == (1, 60, 30, "supervisor")
    row = conn.execute("SELECT actor_name, detail FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    assert row == ("supervisor", {"changed": [["way", 25, 60]]})
    news = conn.execute("SELECT kind, body FROM outbox ORDER BY id DESC LIMIT 1").fetchone()
    assert news == ("desk", {"desk": "weights", "id": 1})  # for all open desks


def test_who_saw_older_weights_is_told_who_was_quicker(conn: Db) -> None:
    weights.change(conn, PROFILE, SUPERVISOR, 0, Weights(way=60))
    with pytest.raises(StaleWeights) as refused:
        weights.change(conn, PROFILE, county("administrator"), 0, Weights(way=10))
    assert refused.value.details == [{"field": "version", "given": 0, "expected": 1, "by": "supervisor"}]
    assert weights.setting(conn, PROFILE).weights.way == 60


def test_weights_once_set_are_never_rewritten(conn: Db) -> None:
    weights.change(conn, PROFILE, SUPERVISOR, 0, Weights(way=60))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        conn.execute("UPDATE dispatch_weights SET weights = '{}'")


def test_a_part_that_there_is_no_more_counts_nothing(conn: Db) -> None:
    conn.execute("INSERT INTO dispatch_weights VALUES (1, '{\"way\": 40, \"gone\": 99}', now(), 't')")
    found = weights.setting(conn, PROFILE)
    assert found.weights == PROFILE.dispatch.weights.model_copy(update={"way": 40})


def test_weights_change_who_comes_first(conn: Db) -> None:
    people: list[Any] = [Who("A", m=3000), Who("B", COMMUNITY, 100)]
    place(conn, people)
    one = ticket(conn)
    assert [row.code for row in asked(conn, one, people).rows] == ["A", "B", "urban"]
    weights.change(conn, PROFILE, SUPERVISOR, 0, Weights(ground=0, way=100))
    then = asked(conn, one, people)
    assert then.weights_version == 1
    assert [row.code for row in then.rows if row.kind == "worker"] == ["B", "A"]
    assert "ground" not in {part.name for part in then.rows[0].score.parts}


def test_a_preview_tells_what_would_change_and_keeps_nothing(conn: Db) -> None:
    place(conn, [Who("A", m=3000), Who("B", COMMUNITY, 100)])
    conn.execute("DELETE FROM ticket WHERE status = 'accepted'")
    here, _ = ticket(conn), ticket(conn, area=FAR)
    conn.execute("UPDATE ticket SET due_at = %s WHERE id = %s", (NOW, here.id))
    found = preview(conn, PROFILE, Weights(ground=0, way=60, skill=0, refused=0), NOW)
    assert (found.total, found.tickets) == (2, 2)
    first = found.examples[0]
    assert first.ticket_id == here.id
    assert (first.was and first.was.key, first.now and first.now.key) == ("worker:A", "worker:B")
    assert preview(conn, PROFILE, PROFILE.dispatch.weights, NOW).changed == 0
    assert weights.setting(conn, PROFILE).version == 0
    with pytest.raises(BadWeights):
        preview(conn, PROFILE, Weights(**dict.fromkeys(Weights.model_fields, 0)), NOW)


def test_a_profile_names_the_capacity_of_every_kind() -> None:
    with pytest.raises(ValidationError, match="capacity names"):
        Dispatch(capacity={"full_time": 5})


# --- latest positions


def test_a_place_moves_with_25_metres_and_only_forward(conn: Db) -> None:
    row = conn.execute("SELECT id, area_no FROM worker LIMIT 1").fetchone()
    assert row is not None

    def seen(metres: float, seconds: float) -> None:
        at, (lon, lat) = NOW + timedelta(seconds=seconds), east(metres)
        keep_latest(conn, [PositionRow(row[0], at, at, lon, lat, 5, 1, 0, 80, row[1])])

    def known() -> tuple[datetime, float]:
        found = conn.execute(
            "SELECT at, ST_X(geom) FROM worker_position WHERE worker_id = %s", (row[0],)
        ).fetchone()
        assert found is not None
        return found[0], found[1]

    seen(0, 0)
    seen(20, 5)  # strolls: as fresh, in the same place
    assert known() == (NOW + timedelta(seconds=5), pytest.approx(east(0)[0], abs=1e-9))
    seen(40, 10)
    assert known() == (NOW + timedelta(seconds=10), pytest.approx(east(40)[0], abs=1e-9))
    seen(500, 7)  # comes late
    assert known()[1] == pytest.approx(east(40)[0], abs=1e-9)
    assert forget_latest(conn, NOW) == 0
    assert forget_latest(conn, NOW + timedelta(hours=12)) == 1


# --- over HTTP


def test_candidates_over_http(site: Site) -> None:
    status, told = site.ask(DISPATCHER, "GET", f"tickets/{site.ticket}/candidates?limit=2")
    assert status == 200
    assert [row["key"] for row in told["rows"]] == ["worker:A", "worker:B"]
    first = told["rows"][0]
    assert (first["rank"], first["name"], first["role"], first["distance_m"]) == (
        1,
        "Name A",
        "full_time",
        3000,
    )
    assert first["minutes"] == pytest.approx(9.8, abs=0.1)
    assert sum(part["points"] for part in first["parts"]) == pytest.approx(first["score"])
    assert told["departments"][0] == {
        "code": "urban", "name": "综合执法局", "name_en": "Urban management", "owner": True, "refused": False
    }  # fmt: skip
    assert (told["method"], told["factor"], told["version"], told["weights_version"]) == (
        "straight",
        1.3,
        1,
        0,
    )


def test_names_are_for_who_may_see_people(site: Site) -> None:
    client = replace(DISPATCHER, kind="client", role="client")
    _, told = site.ask(client, "GET", f"tickets/{site.ticket}/candidates")
    names = {row["kind"]: row["name"] for row in told["rows"]}
    assert names == {"worker": None, "department": "综合执法局"}


def test_tickets_of_another_town_are_not_there(site: Site) -> None:
    status, told = site.ask(of_town(1, "dispatcher"), "GET", f"tickets/{site.other}/candidates")
    assert (status, told["error"]["code"]) == (404, "unknown_ticket")


@pytest.mark.parametrize(
    ("viewer", "body", "expected"),
    [
        (SUPERVISOR, {"version": 7, "weights": {}}, (409, "stale_version")),
        (SUPERVISOR, {"version": 0, "weights": dict.fromkeys(Weights.model_fields, 0)}, (422, "bad_weights")),
        (SUPERVISOR, {"version": 0, "weights": {"way": 101}}, (422, "invalid")),
        (SUPERVISOR, {"version": 0, "weights": {"luck": 1}}, (422, "invalid")),
        (of_town(1, "supervisor"), {"version": 0, "weights": {"way": 1}}, (403, "forbidden")),
    ],
    ids=["stale", "all zero", "too much", "unknown part", "of a part of the place"],
)
def test_weights_refused(site: Site, viewer: Viewer, body: dict[str, Any], expected: tuple[int, str]) -> None:
    status, told = site.ask(viewer, "PUT", "weights", **body)
    assert (status, told["error"]["code"]) == expected
    assert site.ask(DISPATCHER, "GET", "weights")[1]["version"] == 0


def test_weights_and_their_preview_over_http(site: Site) -> None:
    _, told = site.ask(DISPATCHER, "GET", "weights")
    assert (told["may_edit"], told["weights"] == told["defaults"], told["changed_at"]) == (False, True, None)
    assert site.ask(SUPERVISOR, "GET", "weights")[1]["may_edit"]
    wish = {"weights": {"ground": 0, "way": 60, "skill": 0, "refused": 0}}
    status, told = site.ask(DISPATCHER, "POST", "weights/preview", **wish)
    assert status == 200
    mine = next(one for one in told["examples"] if one["ticket"]["id"] == site.ticket)
    assert (mine["was"]["key"], mine["now"]["key"], mine["ticket"]["title"]) == ("worker:A", "worker:B", "t")
    status, told = site.ask(county("administrator"), "POST", "weights/preview", **wish)
    assert (status, told["examples"], told["changed"] > 0) == (200, [], True)  # counts, and nobody's ticket


def test_a_leave_is_entered_overlaps_nothing_and_is_ended(site: Site) -> None:
    clerk = county("community_clerk")
    begins, ends = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(days=1)
    body = {"worker": "A", "begins": begins.isoformat(), "ends": ends.isoformat()}
    status, made = site.ask(clerk, "POST", "leaves", **body)
    assert status == 201
    _, told = site.ask(DISPATCHER, "GET", f"tickets/{site.ticket}/candidates")
    assert [row["key"] for row in told["rows"]] == ["worker:B", "department:urban"]
    assert told["left_out"][0] | {"lon": 0, "lat": 0} == {
        "key": "worker:A", "name": "Name A", "why": "on_leave", "args": {"until": round(ends.timestamp() * 1000)},
        "lon": 0, "lat": 0,
    }  # fmt: skip
    for wrong in (body, body | {"worker": "nobody"}, body | {"ends": begins.isoformat()}):
        status, told = site.ask(clerk, "POST", "leaves", **wrong)
        assert (status, told["error"]["code"]) == (422, "bad_leave")
    _, told = site.ask(DISPATCHER, "GET", "leaves")
    assert [(one["code"], one["name"]) for one in told["rows"]] == [("A", "Name A")] and told["may_edit"]
    for q in ("ame a", "a"):
        _, told = site.ask(clerk, "GET", f"workers?q={q}")
        found = {one["code"]: one for one in told["rows"]}
        assert (found["A"]["name"], found["A"]["away_until"]) == ("Name A", round(ends.timestamp() * 1000))
    assert site.ask(of_town(2, "community_clerk"), "GET", "workers?q=Name A")[1]["rows"] == []
    assert site.ask(of_town(2, "community_clerk"), "DELETE", f"leaves/{made['id']}")[0] == 404
    assert site.ask(clerk, "DELETE", f"leaves/{made['id']}")[0] == 204
    assert site.ask(DISPATCHER, "GET", "leaves")[1]["rows"] == []
    _, told = site.ask(DISPATCHER, "GET", f"tickets/{site.ticket}/candidates")
    assert told["rows"][0]["key"] == "worker:A"
    assert site.ask(clerk, "DELETE", f"leaves/{made['id']}")[0] == 404
    later = {"begins": ends.isoformat(), "ends": (ends + timedelta(days=1)).isoformat()}
    _, coming = site.ask(clerk, "POST", "leaves", worker="A", **later)
    assert site.ask(clerk, "DELETE", f"leaves/{coming['id']}")[0] == 204
    with psycopg.connect(site.stores.database_url) as conn:
        kept = conn.execute("SELECT count(*) FROM audit WHERE object_kind = 'leave'").fetchone()
        stays = conn.execute(
            "SELECT lower(during) = %s, upper(during) <= now(), entered_by FROM worker_leave", (begins,)
        ).fetchall()
        assert kept == (4,)
        assert stays == [(True, True, "community_clerk")]  # what was of it; the one to come never was
