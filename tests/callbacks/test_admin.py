"""The callbacks of the admin screen on a real database: what lies outside of an administrator's areas is not there."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
from dash import Dash
from flask import Flask

import profiles
from callbacks.admin.register import ACTS, RULES, act, find, register, show
from callbacks.admin.sessions import browser_of
from geodata.pool import make_pool
from geodata.queries.access import client_of
from geodata.scope import EVERYTHING, scoped
from geodata.servers import Stores
from screens.admin import TABS, open_tabs
from services import audit
from services.access import ROLES, Right, Viewer, walls
from services.runtime import Runtime
from settings import Settings
from tests.small_place import grid_no
from tests.viewers import county, of_town, sessions_of

WHOLE, TOWN = county("administrator"), of_town(1, "administrator")
AREAS = {
    "whole": ["370883"],
    "inside": ["370883001"],
    "outside": ["370883002"],
    "both": ["370883001", "370883002"],
}


@pytest.fixture(scope="module")
def runtime(module_clone: Stores) -> Iterator[Runtime]:
    """A process on the small place."""
    client = redis.Redis.from_url(module_clone.redis_url)
    with make_pool(module_clone.app_url, size=3) as pool:
        yield Runtime(
            Settings(), profiles.load("zoucheng"), module_clone, pool, client, None, None, None,  # type: ignore[arg-type]
            sessions_of(module_clone), None, None,  # type: ignore[arg-type]
        )  # fmt: skip
    client.close()


@pytest.fixture(scope="module")
def ids(runtime: Runtime) -> dict[str, str]:
    """An account for each of AREAS, by the ids of their rows."""
    for name, areas in AREAS.items():
        answer = do(runtime, WHOLE, "account_add", login=name, name=name, role="dispatcher", areas=areas)
        assert answer["ok"], answer
    return {row["login"]: row["key"] for row in rows(runtime, WHOLE, "accounts")}


def do(runtime: Runtime, viewer: Viewer, what: str, **values: Any) -> Any:
    """The answer of the tab's callback to a dialog."""
    tab = next(tab for tab, acts in ACTS.items() if what in acts)
    return act(runtime, viewer, tab, {"do": what, "lang": "en", "n": 1, **values})


def rows(runtime: Runtime, viewer: Viewer, tab: str, **query: Any) -> list[dict[str, Any]]:
    """The rows of a tab's table."""
    return show(runtime, viewer, tab, {"lang": "en", **query})[0]


def written(runtime: Runtime, action: str) -> list[audit.AuditRow]:
    """What the audit holds of an action."""
    with scoped(runtime.pool, EVERYTHING, "audit") as conn:
        return audit.search(conn, action=action)


# --- accounts


def test_an_administrator_of_one_town_sees_accounts_of_that_town_only(
    runtime: Runtime, ids: dict[str, str]
) -> None:
    assert {"whole", "inside", "outside", "both"} <= ids.keys()
    assert {row["login"] for row in rows(runtime, TOWN, "accounts")} == {"inside"}
    row = next(row for row in rows(runtime, WHOLE, "accounts", lang="zh-CN") if row["login"] == "both")
    assert row["places"] == "钢山街道、千泉街道"
    assert row["edit"]["areas"][0] == {"value": "370883001", "label": "钢山街道"}


@pytest.mark.parametrize(
    "what", ["account_change", "account_disable", "account_enable", "account_password", "account_factor"]
)
@pytest.mark.parametrize("whose", ["whole", "outside", "both"])
def test_accounts_outside_cannot_be_changed(
    runtime: Runtime, ids: dict[str, str], what: str, whose: str
) -> None:
    before = rows(runtime, WHOLE, "accounts")
    answer = do(runtime, TOWN, what, id=ids[whose], name="x", role="operator", areas=["370883001"])
    unknown = do(runtime, TOWN, what, id=999_999, name="x", role="operator", areas=["370883001"])
    assert (
        answer
        == unknown
        == {"ok": False, "n": 1, "errors": {"": "No such account, or not yours to administer"}}
    )
    assert rows(runtime, WHOLE, "accounts") == before


@pytest.mark.parametrize("what", ["account_change", "account_disable", "account_password", "account_factor"])
def test_an_account_whose_sessions_cannot_be_ended_stays_as_it_is(
    runtime: Runtime, ids: dict[str, str], what: str
) -> None:
    before = rows(runtime, WHOLE, "accounts")
    nowhere = replace(runtime, redis=redis.Redis(port=1))
    answer = do(nowhere, WHOLE, what, id=ids["inside"], name="x", role="analyst", areas=["370883002"])
    assert not answer["ok"] and answer["errors"].keys() == {""}
    assert rows(runtime, WHOLE, "accounts") == before


@pytest.mark.parametrize("areas", [["370883"], ["370883002"], ["370883001", "370883002001"], ["999"]])
@pytest.mark.parametrize("role", ROLES)
def test_nobody_gives_an_area_that_is_not_theirs(
    runtime: Runtime, ids: dict[str, str], areas: list[str], role: str
) -> None:
    wider = {"name": "x", "role": role, "areas": areas}
    for what, more in (("account_add", {"login": "wider"}), ("account_change", {"id": ids["inside"]})):
        answer = do(runtime, TOWN, what, **wider, **more)
        assert answer["errors"] == {"areas": "No such area, or not yours to give"}, what
    assert "wider" not in {row["login"] for row in rows(runtime, WHOLE, "accounts")}


def test_an_account_from_first_password_to_disabled(runtime: Runtime) -> None:
    added = do(
        runtime, TOWN, "account_add", login=" New.One ", name="New", role="mediator", areas=["370883001001"]
    )
    assert added["ok"], added
    assert added["say"] == "Added "
    first = added["secret"]["value"]
    assert len(first) >= 12
    row = next(row for row in rows(runtime, TOWN, "accounts") if row["login"] == "new.one")
    assert (row["state"], row["off"], row["actions"]) == (
        "First password", False, ["account_change", "account_password", "account_disable"],
    )  # fmt: skip
    again = do(
        runtime, TOWN, "account_add", login="new.one", name="New", role="mediator", areas=["370883001"]
    )
    assert again["errors"] == {"login": "Somebody has this login"}

    session = sessions_of(runtime.stores)
    viewer = Viewer("account", int(row["key"]), "new.one", "mediator", TOWN.scope)
    token = session.open(viewer, ip="10.0.0.9", agent="tests")
    changed = do(
        runtime, TOWN, "account_change", id=row["key"], name="Newer", role="operator", areas=["370883001"]
    )
    assert changed["ok"], changed
    assert session.of(int(row["key"])) == [], "whoever may do something else signs in again"
    session.end(token)
    assert do(runtime, TOWN, "account_disable", id=row["key"])["ok"]
    row = next(row for row in rows(runtime, TOWN, "accounts") if row["login"] == "new.one")
    assert (row["name"], row["state"], row["off"], "account_enable" in row["actions"]) == (
        "Newer",
        "Disabled",
        True,
        True,
    )
    kept = [row.detail for row in written(runtime, "account_added") + written(runtime, "account_changed")]
    assert first not in str(kept)


@pytest.mark.parametrize(
    ("values", "field"),
    [({"login": "ß"}, "login"), ({"name": ""}, "name"), ({"role": "god"}, "role"), ({"role": "wall"}, "role"),
     ({"areas": []}, "areas"), ({"areas": "370883001"}, "areas"), ({"areas": [1, None]}, "areas"), ({"login": None}, "login")],  # noqa: E501
)  # fmt: skip
def test_what_is_not_as_it_must_be_is_told_at_its_field(
    runtime: Runtime, values: dict[str, Any], field: str
) -> None:
    good = {"login": "fine", "name": "Fine", "role": "operator", "areas": ["370883001"]}
    answer = do(runtime, TOWN, "account_add", **{**good, **values})
    assert list(answer["errors"]) == [field]


# --- devices


def test_devices_of_the_own_town_only(runtime: Runtime) -> None:
    def worker(town: int) -> str:
        found = find(runtime, WHOLE, {"text": f"W{grid_no(town, 1, 1)}", "lang": "en"})["found"]
        return str(found[0]["value"])

    assert find(runtime, TOWN, {"text": "W1001"})["found"]
    assert find(runtime, TOWN, {"text": f"W{grid_no(2, 1, 1)}"})["found"] == []
    assert find(runtime, TOWN, {"text": "千泉街道"})["found"] == []
    assert find(runtime, TOWN, {"text": ""})["found"] == []
    with_app = Flask("tests")
    with with_app.test_request_context("http://centre.example:8050/admin/"):
        inside = do(runtime, TOWN, "device_add", worker=worker(1), label="Phone 7")
        outside = do(runtime, TOWN, "device_add", worker=worker(2), label="Phone")
        nobody = do(runtime, TOWN, "device_add", worker="999999", label="Phone")
        other = do(runtime, WHOLE, "device_add", worker=worker(2), label="Phone 8")
    assert (
        outside
        == nobody
        == {
            "ok": False,
            "n": 1,
            "errors": {"": "No longer there, or not yours to administer. Load the page again."},
        }
    )
    secret = inside["secret"]
    assert secret["facts"] == [["Server", "http://centre.example:8050/api/positions/osmand"]]
    assert secret["qr"].startswith("data:image/svg+xml")
    key = hashlib.sha256(secret["value"].encode()).hexdigest()
    mine = rows(runtime, TOWN, "devices")
    assert [(row["key"], row["name"]) for row in mine] == [(key, "Phone 7")]
    assert "钢山街道" in mine[0]["place"]
    theirs = hashlib.sha256(other["secret"]["value"].encode()).hexdigest()
    assert {row["key"] for row in rows(runtime, WHOLE, "devices")} == {key, theirs}
    assert [row["key"] for row in rows(runtime, WHOLE, "devices", text="千泉")] == [theirs]
    assert rows(runtime, WHOLE, "devices", text="100%_") == []
    assert not do(runtime, TOWN, "device_revoke", device=theirs)["ok"]
    assert do(runtime, TOWN, "device_revoke", device=key)["ok"]
    assert not do(runtime, TOWN, "device_revoke", device=key)["ok"], "it was revoked before"
    row = rows(runtime, TOWN, "devices")[0]
    assert (row["off"], row["actions"]) == (True, [])
    assert [row.detail["label"] for row in written(runtime, "device_revoked")] == ["Phone 7"]
    assert secret["value"] not in str(written(runtime, "device_added"))


def test_a_device_needs_a_worker_and_a_label(runtime: Runtime) -> None:
    assert do(runtime, WHOLE, "device_add", label="x")["errors"] == {"worker": "Choose a worker"}
    assert list(do(runtime, WHOLE, "device_add", worker="1", label="  ")["errors"]) == ["label"]


# --- walls


def pairing(runtime: Runtime) -> str:
    """The code that a new wall shows."""
    return walls.begin(runtime.redis, runtime.stores.key_prefix).code


def test_walls_of_the_own_town_only(runtime: Runtime) -> None:
    code = pairing(runtime)
    values = {"screen": "East wall", "wall_lang": "en", "tour": "off"}
    refused = do(runtime, TOWN, "wall_pair", code=code, area="370883002", **values)
    assert refused["errors"] == {"area": "No such area, or not yours to give"}
    assert do(runtime, TOWN, "wall_pair", code=code, area="370883", **values)["errors"] == refused["errors"]
    assert list(do(runtime, TOWN, "wall_pair", code=code, area="", **values)["errors"]) == ["area"]
    assert list(do(runtime, TOWN, "wall_pair", code="0000-0000", area="370883001", **values)["errors"]) == [
        "code"
    ]
    assert do(runtime, TOWN, "wall_pair", code=code.lower(), area="370883001", **values)["ok"]
    assert do(runtime, WHOLE, "wall_pair", code=pairing(runtime), area="370883002", **values)["ok"]
    mine, all_ = rows(runtime, TOWN, "walls"), rows(runtime, WHOLE, "walls")
    assert [(row["name"], row["place"], row["view"]) for row in mine] == [
        ("East wall", "Gangshan", "English · Still")
    ]
    other = next(row["key"] for row in all_ if row["key"] != mine[0]["key"])
    assert do(runtime, TOWN, "wall_revoke", id=other)["errors"].keys() == {""}
    assert do(runtime, TOWN, "wall_revoke", id=mine[0]["key"])["ok"]
    assert rows(runtime, TOWN, "walls")[0]["off"]
    assert not next(row for row in rows(runtime, WHOLE, "walls") if row["key"] == other)["off"]


# --- clients


def test_clients_are_for_administrators_of_the_whole_place(runtime: Runtime) -> None:
    assert "clients" not in open_tabs(TOWN)
    assert not do(runtime, TOWN, "client_add", client="Hotline", days="90")["ok"]
    added = do(runtime, WHOLE, "client_add", client="Hotline  12345", days="90")
    assert added["ok"], added
    digest = hashlib.sha256(added["secret"]["value"].encode()).digest()
    with scoped(runtime.pool, EVERYTHING, "access") as conn:
        client = client_of(conn, digest)
    assert client is not None
    assert client.name == "Hotline 12345"
    assert do(runtime, WHOLE, "client_add", client="Hotline 12345", days="never")["errors"] == {
        "client": "This name is or was in use"
    }
    assert list(do(runtime, WHOLE, "client_add", client=" ", days="never")["errors"]) == ["client"]
    assert rows(runtime, TOWN, "clients") == []
    row = rows(runtime, WHOLE, "clients")[0]
    assert row["expires_at"] is not None
    assert not do(runtime, TOWN, "client_revoke", id=row["key"])["ok"]
    assert do(runtime, WHOLE, "client_revoke", id=row["key"])["ok"]
    with scoped(runtime.pool, EVERYTHING, "access") as conn:
        assert client_of(conn, digest) is None
    assert len(written(runtime, "client_revoked")) == 1


# --- sessions


def test_sessions_of_accounts_within_reach_only(runtime: Runtime, ids: dict[str, str]) -> None:
    sessions = runtime.sessions
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
    for name in ("inside", "outside"):
        viewer = Viewer("account", int(ids[name]), name, "dispatcher", TOWN.scope)
        sessions.open(viewer, ip="10.0.0.7", agent=agent)
    mine = rows(runtime, TOWN, "sessions")
    assert [(row["name"], row["agent"], row["ip"]) for row in mine] == [
        ("inside", "Chrome 131 · Windows", "10.0.0.7")
    ]
    other = next(row for row in rows(runtime, WHOLE, "sessions") if row["name"] == "outside")
    assert not do(runtime, TOWN, "session_end", session=other["key"])["ok"]
    assert sessions.of(int(ids["outside"]))
    assert do(runtime, TOWN, "session_end", session=mine[0]["key"])["ok"]
    assert sessions.of(int(ids["inside"])) == []
    assert rows(runtime, TOWN, "sessions") == []
    assert written(runtime, "session_ended")[0].detail == {"login": "inside", "from": "10.0.0.7"}
    assert do(runtime, TOWN, "session_end", session=mine[0]["key"])["errors"] == {
        "": "This session has already ended."
    }


@pytest.mark.parametrize(
    ("agent", "told"),
    [("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 · Linux"),
     ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0.0.0 Safari/537.36 Edg/130.0", "Edge 130 · Windows"),
     ("curl/8", "curl/8"), ("", "–")],
)  # fmt: skip
def test_browsers_in_two_words(agent: str, told: str) -> None:
    assert browser_of(agent) == told


# --- audit


def test_the_audit_shows_the_own_town_only(runtime: Runtime, ids: dict[str, str]) -> None:
    with scoped(runtime.pool, EVERYTHING, "access") as conn:
        for town in (1, 2):
            audit.record(
                conn, of_town(town), audit.Action.care_opened, object_kind="care", object_id=f"C{town}",
                reason=f"visit {town}", detail={"code": f"C{town}"},
            )  # fmt: skip
    supervisor = of_town(2, "supervisor")
    assert open_tabs(supervisor) == ["audit"]
    mine = rows(runtime, supervisor, "audit", action="care_opened")
    assert [(row["object"], row["reason"], row["place"]) for row in mine] == [
        ("Care record C2", "visit 2", "Qianquan")
    ]
    assert len(rows(runtime, county("supervisor"), "audit", action="care_opened")) == 2
    assert rows(runtime, supervisor, "audit", text="visit 1") == []
    assert rows(runtime, supervisor, "audit", period="days", since="2020-01-01", until="2020-01-31") == []
    assert rows(runtime, supervisor, "audit", period="today", actor="town_official2")
    assert rows(runtime, supervisor, "audit", period="today", actor="town_official") == []
    assert rows(runtime, supervisor, "audit", period="days", since="soon", until="never")


def test_pages_of_the_audit_meet_without_gap(runtime: Runtime) -> None:
    with scoped(runtime.pool, EVERYTHING, "access") as conn:
        for n in range(130):
            audit.record(conn, WHOLE, audit.Action.export, object_kind="ticket", object_id=str(n))
    first, said = show(runtime, WHOLE, "audit", {"lang": "en", "action": "export"})
    assert (len(first), said) == (100, "100 rows, more before")
    second = rows(runtime, WHOLE, "audit", action="export", before=first[-1]["key"])
    assert [row["object"] for row in first + second] == [f"Ticket {n}" for n in reversed(range(130))]


def test_the_chain_is_verified_for_who_sees_the_whole_place(runtime: Runtime) -> None:
    answer = do(runtime, county("supervisor"), "verify")
    assert answer["ok"], answer
    assert answer["chain"]["whole"]
    assert answer["say"].startswith("Verified up to row ")
    assert do(runtime, of_town(1, "supervisor"), "verify")["errors"] == {
        "": "Only for those who see the whole place."
    }


def test_a_change_of_an_account_is_told_before_and_after(runtime: Runtime, ids: dict[str, str]) -> None:
    assert do(
        runtime, WHOLE, "account_change", id=ids["both"], name="both", role="analyst", areas=AREAS["both"]
    )["ok"]
    row = rows(runtime, WHOLE, "audit", action="account_changed", text="both")[0]
    assert row["object"] == "Account both"
    assert ["Role", "Dispatcher \u2192 Analyst"] in row["facts"]
    assert ["Areas", "370883001, 370883002"] in row["facts"]


# --- rights and odd requests


def test_tabs_by_role() -> None:
    assert {role: open_tabs(county(role)) for role in ROLES if open_tabs(county(role))} == {
        "supervisor": ["audit"], "administrator": list(TABS),
    }  # fmt: skip
    wall = Viewer("wall", 1, "wall", "administrator", EVERYTHING)
    assert open_tabs(wall) == []


def test_every_callback_has_a_right_and_asks_for_it(runtime: Runtime) -> None:
    app = Dash("tests", server=Flask("tests"))
    register(app, runtime)
    served = {output for output, callback in app.callback_map.items() if "callback" in callback}
    assert served == set(RULES)
    assert {RULES[output] for output in served if "audit" not in output} == {Right.ADMIN}
    assert {RULES[output] for output in served if "audit" in output} == {Right.AUDIT}


@pytest.mark.parametrize("tab", TABS)
def test_who_lacks_the_right_gets_nothing(runtime: Runtime, tab: str) -> None:
    for viewer in (county("dispatcher"), of_town(1, "town_official")):
        assert show(runtime, viewer, tab, {}) == ([], "")
        for what in ACTS[tab]:
            assert not act(runtime, viewer, tab, {"do": what, "id": 1})["ok"]


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        7,
        {"do": 1},
        {"do": "__class__"},
        {"lang": ["en"], "do": {}, "id": -1, "text": "\x00" * 9},
    ],
)
def test_odd_bodies_are_refused_in_words(runtime: Runtime, tab: str, body: Any) -> None:
    assert not act(runtime, WHOLE, tab, body)["ok"]
    assert isinstance(show(runtime, WHOLE, tab, body)[0], list)


@pytest.mark.parametrize("tab", TABS)
def test_odd_values_are_refused_in_words(runtime: Runtime, tab: str) -> None:
    odd: tuple[Any, ...] = (
        None,
        -1,
        10**30,
        "9" * 400,
        "\x00",
        "\ud800",
        {"a": 1},
        [["x"]],
        True,
        1.5,
        "' OR 1=1",
    )
    with Flask("tests").test_request_context("http://a/"):
        for what in set(ACTS[tab]) - {"verify"}:
            for value in odd:
                names = ("id", "login", "name", "role", "areas", "code", "screen", "area", "worker", "label", "device",
                         "session", "client", "days", "wall_lang", "tour", "about")  # fmt: skip
                answer = act(runtime, WHOLE, tab, {"do": what, "n": value} | dict.fromkeys(names, value))
                assert isinstance(answer["ok"], bool), (what, value)
