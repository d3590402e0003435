"""Signing in over HTTP: cookies, forged requests, rotation, limits, and what ends a session."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pyotp
import pytest

from app import create_app
from geodata.scope import EVERYTHING, scoped
from geodata.servers import Stores
from services.access import SYSTEM, accounts, passwords
from services.access.demo import make_demo_accounts
from settings import Settings
from tests.live_app import served
from tests.viewers import sessions_of

PASSWORD = "correct horse battery"
SETTINGS = Settings(secret="s" * 40)


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    with served(create_app(SETTINGS, module_clone)) as address:
        yield address


@contextmanager
def conn_of(stores: Stores):
    """A connection in the hat of accounts."""
    from geodata.pool import make_pool

    with make_pool(stores.app_url, 2) as pool, scoped(pool, EVERYTHING, "access") as conn:
        yield conn


def add(stores: Stores, login: str, role: str = "dispatcher", *codes: str, first: bool = False) -> str:
    """An account; its first password, or the one that it chose."""
    from geodata.queries import accounts as queries

    with conn_of(stores) as conn:
        given = accounts.add_account(conn, SYSTEM, login, "测试员", role, codes or ("370883",))
        if not first:
            found = accounts.find_account(conn, login)
            queries.set_password(conn, found, passwords.hash_of(PASSWORD), must_change=False)
    return given if first else PASSWORD


def client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, timeout=30)


def enter(
    client: httpx.Client, login: str, password: str = PASSWORD, code: str | None = None
) -> httpx.Response:
    """Sign in as the page does: with the token of the session that the browser had, if any."""
    headers = {"X-CSRFToken": client.cookies["_csrf_token"]} if "_csrf_token" in client.cookies else {}
    return client.post(
        "/api/session", json={"login": login, "password": password, "code": code}, headers=headers
    )


def token(client: httpx.Client) -> dict[str, str]:
    return {"X-CSRFToken": client.cookies["_csrf_token"]}


def cookies_set(answer: httpx.Response) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}


def test_who_signs_in_is_told_who_they_are(url: str, module_clone: Stores) -> None:
    add(module_clone, "official", "town_official", "370883001")
    with client(url) as browser:
        assert browser.get("/api/session").status_code == 401
        answer = enter(browser, "official")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["login"], body["role"], body["name"]) == ("official", "town_official", "测试员")
        assert body["areas"] == [{"code": "370883001", "name": "钢山街道"}]
        assert body["home"] == "/area/370883001" and body["pending"] == [] and "map" in body["rights"]
        assert answer.headers["cache-control"] == "no-store"
        assert browser.get("/api/session").json() == body
        assert browser.get("/api/map/areas/grid?within=370883001").status_code == 200
        assert browser.get("/api/map/areas/grid?within=370883002").status_code == 404


def test_the_cookies_are_sealed_off(url: str, module_clone: Stores) -> None:
    add(module_clone, "cookies")
    with client(url) as browser:
        found = cookies_set(enter(browser, "cookies"))
        session, csrf = found["wangge_session"].lower(), found["_csrf_token"].lower()
        assert "httponly" in session and "samesite=lax" in session and "path=/" in session
        assert "secure" not in session and "domain" not in session and "max-age" not in session
        assert "httponly" not in csrf and "samesite=lax" in csrf
        assert browser.get("/api/session").json()["csrf"] == browser.cookies["_csrf_token"]


def test_over_https_cookies_are_secure_and_of_this_host(clone: Stores) -> None:
    add(clone, "secure")
    app = create_app(SETTINGS.model_copy(update={"secure_cookies": True}), clone)
    with served(app) as url, client(url) as browser:
        answer = enter(browser, "secure")
        found = cookies_set(answer)
        line = found["__Host-wangge_session"].lower()
        assert "secure" in line and "httponly" in line and "path=/" in line and "domain" not in line
        assert "secure" in found["_csrf_token"].lower()
        value = found["__Host-wangge_session"].partition("=")[2].partition(";")[0]
        assert (
            browser.get("/api/session", headers={"Cookie": f"__Host-wangge_session={value}"}).status_code
            == 200
        )
        assert browser.get("/api/session", headers={"Cookie": f"wangge_session={value}"}).status_code == 401


def test_a_session_is_a_new_one_at_every_sign_in(url: str, module_clone: Stores) -> None:
    add(module_clone, "rotate")
    with client(url) as browser:
        browser.cookies.set("wangge_session", "planted-by-somebody", domain="127.0.0.1", path="/")
        enter(browser, "rotate")
        first = browser.cookies["wangge_session"]
        assert first != "planted-by-somebody"
        enter(browser, "rotate")
        second = browser.cookies["wangge_session"]
        assert first != second
    with client(url) as other:
        assert other.get("/api/session", headers={"Cookie": f"wangge_session={first}"}).status_code == 401
        assert other.get("/api/session", headers={"Cookie": f"wangge_session={second}"}).status_code == 200


def test_wrong_login_and_wrong_password_are_told_alike(url: str, module_clone: Stores) -> None:
    add(module_clone, "alike")
    with client(url) as browser:
        wrong = [enter(browser, "alike", "not it"), enter(browser, "nobody-has-this", "not it")]
    assert [answer.status_code for answer in wrong] == [401, 401]
    assert wrong[0].json() == wrong[1].json() and wrong[0].json()["error"]["code"] == "wrong_credentials"
    assert not wrong[0].headers.get_list("set-cookie")


def test_a_locked_account_says_when(url: str, module_clone: Stores) -> None:
    add(module_clone, "locked")
    with client(url) as browser:
        for login in ("locked", "not-there"):
            for _ in range(SETTINGS.sign_in_tries):
                assert enter(browser, login, "not it").status_code == 401
            answer = enter(browser, login)
            assert answer.status_code == 429 and answer.json()["error"]["code"] == "locked"
            assert 800 < int(answer.headers["retry-after"]) <= 900


def test_a_login_that_is_tried_too_often_waits(url: str) -> None:
    with client(url) as browser:
        codes = [enter(browser, "hammered", "x").json()["error"]["code"] for _ in range(30)]
    assert codes[:5] == ["wrong_credentials"] * 5 and codes[5] == "locked" and "too_many" in codes


def test_a_request_that_another_site_causes_is_refused(url: str, module_clone: Stores) -> None:
    add(module_clone, "forged")
    with client(url) as browser:
        enter(browser, "forged")
        change = {"current": PASSWORD, "new": "another good sentence"}
        for headers in (
            {}, {"X-CSRFToken": "guessed"}, token(browser) | {"Origin": "https://elsewhere.example"},
            token(browser) | {"Origin": "null", "X-CSRFToken": ""},
        ):  # fmt: skip
            refused = browser.post("/api/session/password", json=change, headers=headers)
            assert refused.status_code == 403 and refused.json()["error"]["code"] == "forged"
            assert browser.request("DELETE", "/api/session", headers=headers).status_code == 403
        assert browser.get("/api/session").status_code == 200
        assert browser.post("/api/session/password", json=change, headers=token(browser)).status_code == 200
    with client(url) as browser:  # signing somebody in as another, from a form of another site
        asked = {"login": "forged", "password": "another good sentence"}
        assert (
            browser.post("/api/session", json=asked, headers={"Origin": "https://e.example"}).status_code
            == 403
        )
        text = '{"login": "forged", "password": "another good sentence"}'
        plain = browser.post("/api/session", content=text, headers={"Content-Type": "text/plain"})
        assert plain.status_code == 422 and not plain.headers.get_list("set-cookie")


def test_a_first_password_opens_nothing_but_its_change(url: str, module_clone: Stores) -> None:
    first = add(module_clone, "fresh", first=True)
    with client(url) as browser:
        assert enter(browser, "fresh", first).json()["pending"] == ["password"]
        assert browser.get("/api/figures").status_code == 403
        assert browser.get("/area/", follow_redirects=False).headers["location"].startswith("/sign-in")
        weak = browser.post(
            "/api/session/password", json={"current": first, "new": "password1234"}, headers=token(browser)
        )
        assert weak.status_code == 422 and weak.json()["error"]["details"][0]["rule"] == "common"
        was = browser.cookies["wangge_session"]
        done = browser.post(
            "/api/session/password", json={"current": first, "new": PASSWORD}, headers=token(browser)
        )
        assert done.status_code == 200 and done.json()["pending"] == []
        assert browser.cookies["wangge_session"] != was
        assert browser.get("/api/figures").status_code == 200
        old = {"Cookie": f"wangge_session={was}"}
        assert httpx.get(f"{url}/api/session", headers=old, trust_env=False).status_code == 401


def test_a_new_password_ends_the_sessions_elsewhere(url: str, module_clone: Stores) -> None:
    add(module_clone, "twice")
    with client(url) as here, client(url) as there:
        enter(here, "twice")
        enter(there, "twice")
        asked = {"current": PASSWORD, "new": "quite another sentence"}
        assert here.post("/api/session/password", json=asked, headers=token(here)).status_code == 200
        assert here.get("/api/session").status_code == 200 and there.get("/api/session").status_code == 401


def test_an_administrator_sets_up_a_second_factor(url: str, module_clone: Stores) -> None:
    add(module_clone, "admin", "administrator")
    with client(url) as browser:
        assert enter(browser, "admin").json()["pending"] == ["second_factor"]
        assert browser.get("/api/walls").status_code == 403
        path = "/api/session/second-factor"
        wrong = browser.post(path, json={"password": "not it"}, headers=token(browser))
        assert wrong.status_code == 401
        begun = browser.post(path, json={"password": PASSWORD}, headers=token(browser)).json()
        assert (
            begun["uri"].startswith("otpauth://totp/")
            and begun["key"] in begun["uri"]
            and "<svg" in begun["svg"]
        )
        for enrolment in (begun["enrolment"][:-8] + "AAAAAAA=", "AAAA", "no base64!"):
            asked = {"enrolment": enrolment, "code": pyotp.TOTP(begun["key"]).now()}
            assert browser.post(path, json=asked, headers=token(browser)).status_code == 401
        now = int(time.time())
        asked = {"enrolment": begun["enrolment"], "code": pyotp.TOTP(begun["key"]).at(now)}
        done = browser.post(path, json=asked, headers=token(browser))
        assert done.status_code == 200 and done.json()["has_factor"] and done.json()["pending"] == []
        assert browser.get("/api/walls").status_code == 200
        assert browser.post(path, json={"password": PASSWORD}, headers=token(browser)).status_code == 409
    with client(url) as other:
        assert enter(other, "admin").json()["error"]["code"] == "code_needed"
        used = enter(other, "admin", code=asked["code"])
        assert used.status_code == 401 and used.json()["error"]["code"] == "wrong_code"
        assert enter(other, "admin", code=pyotp.TOTP(begun["key"]).at(now + 30)).status_code == 200


def test_signing_out_ends_the_session(url: str, module_clone: Stores) -> None:
    add(module_clone, "leaver")
    with client(url) as browser:
        enter(browser, "leaver")
        kept = browser.cookies["wangge_session"]
        assert browser.delete("/api/session", headers=token(browser)).status_code == 204
        assert "wangge_session" not in browser.cookies and "_csrf_token" not in browser.cookies
        assert browser.get("/api/session", headers={"Cookie": f"wangge_session={kept}"}).status_code == 401
        assert browser.delete("/api/session").status_code == 204
    with psycopg.connect(module_clone.database_url) as conn:
        rows = conn.execute("SELECT action FROM audit WHERE actor_name = 'leaver' ORDER BY id").fetchall()
    assert [row[0] for row in rows] == ["sign_in", "sign_out"]


def test_ending_all_sessions_of_a_disabled_account(url: str, module_clone: Stores) -> None:
    add(module_clone, "closed")
    with client(url) as browser:
        enter(browser, "closed")
        with conn_of(module_clone) as conn:
            found = accounts.find_account(conn, "closed")
            accounts.set_disabled(conn, SYSTEM, found, True)
        assert sessions_of(module_clone).end_all(found) == 1
        assert browser.get("/api/session").status_code == 401
        assert enter(browser, "closed").status_code == 401


@pytest.mark.parametrize(
    "body", [{}, {"login": "x"}, {"login": "x", "password": "y" * 2000}, {"login": "", "password": "y"},
             {"login": "x", "password": "y", "role": "administrator"}, [], "x"],
)  # fmt: skip
def test_a_body_that_is_none_is_refused_without_its_content(url: str, body: object) -> None:
    with client(url) as browser:
        answer = browser.post("/api/session", json=body)
    assert answer.status_code == 422 and "yyyy" not in answer.text


def test_odd_texts_are_wrong_logins(url: str) -> None:
    with client(url) as browser:
        for login in ("a\0b", "' OR 1=1 --", "\u202e", "王", "x" * 99):
            assert enter(browser, login, "p\0").status_code == 401


def test_demo_accounts_are_shown_in_a_demo_only(clone: Stores, url: str) -> None:
    with conn_of(clone) as conn:
        account = make_demo_accounts(conn)[1]
    demo = create_app(SETTINGS.model_copy(update={"demo": True}), clone)
    with served(demo) as address, client(address) as browser:
        assert account.password in browser.get("/sign-in").text
        assert enter(browser, account.login, account.password).status_code == 200
    with client(url) as browser:
        assert account.password not in browser.get("/sign-in").text


@pytest.mark.parametrize(
    ("to", "kept"),
    [
        ("/area/370883001?period=week", True), ("/wall/", True), ("//elsewhere.example/", False),
        ("https://elsewhere.example/", False), ("/\\elsewhere.example", False), ("javascript:alert(1)", False),
        ("/api/session/oidc", False), ("/sign-in", False), ("area", False), ("/x\nY", False), ("/\t/e.example", False),
        ("///e.example", False), ("//[", False), ("/[", True), ("", True),
    ],
)  # fmt: skip
def test_only_paths_of_this_site_are_gone_on_to(url: str, module_clone: Stores, to: str, kept: bool) -> None:
    from screens.sign_in import way_back

    assert way_back(to) == (to if kept else "")
    with client(url) as browser:
        page = browser.get("/sign-in", params={"to": to})
    assert page.status_code == 200 and ("elsewhere" in page.text) is False


def test_the_page_is_as_safe_as_others(url: str) -> None:
    with client(url) as browser:
        page = browser.get("/sign-in", params={"to": "/area/<script>\"'", "lang": "en", "error": "<b>"})
        assert "<script>\"'" not in page.text and "<b>" not in page.text.replace("<b><", "")
        assert "no-store" in page.headers["cache-control"] and 'lang="en"' in page.text
        for name in ("sign-in.css", "sign-in.js"):
            assert browser.get(f"/area/assets/pages/{name}").status_code == 200


def test_the_language_goes_along(url: str) -> None:
    from screens.sign_in import in_language

    assert in_language("/area/1?period=week&lang=zh-CN", "en") == "/area/1?period=week&lang=en"
    assert in_language("/area/1?q=%E7%AC%AC", "") == "/area/1?q=%E7%AC%AC"
    assert in_language("/area/", "fr") == "/area/"
    with client(url) as browser:
        page = browser.get("/sign-in", params={"to": "/area/1?period=week", "lang": "en"})
    assert "/area/1?period=week\\u0026lang=en" in page.text


@pytest.mark.parametrize(
    "body", [b'{"login": "\\ud800", "password": "\\ud800"}', b'{"login": "a", "password": "\\u0000"}']
)
def test_texts_that_are_no_texts_are_refused_calmly(url: str, body: bytes) -> None:
    with client(url) as browser:
        answer = browser.post("/api/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (401, 422)
