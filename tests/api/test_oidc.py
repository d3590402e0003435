"""Signing in through a real OpenID Connect server, run in the test from the package oidc-provider-mock."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from oidc_provider_mock import User, run_server_in_thread

from app import create_app
from geodata.pool import make_pool
from geodata.scope import EVERYTHING, scoped
from geodata.servers import Stores
from services.access import SYSTEM, accounts
from settings import Settings
from tests.live_app import served

CLAIMS = {
    "preferred_username": "Ce.Shi", "name": "测试员", "wangge_role": "ZW-07", "wangge_areas": ["370883001"],
}  # fmt: skip


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    users = [
        User(sub="mapped", claims=CLAIMS),
        User(sub="unmapped", claims=CLAIMS | {"preferred_username": "b1", "wangge_role": "ZW-99"}),
        User(sub="nowhere", claims=CLAIMS | {"preferred_username": "b2", "wangge_areas": []}),
        User(sub="abroad", claims=CLAIMS | {"preferred_username": "b3", "wangge_areas": "370883001,999"}),
        User(sub="namesake", claims=CLAIMS | {"preferred_username": "local"}),
        User(sub="second", claims=CLAIMS | {"preferred_username": "second"}),
        User(sub="closed", claims=CLAIMS | {"preferred_username": "closed"}),
        User(sub="several", claims=CLAIMS | {"preferred_username": "b4", "wangge_role": ["x", "ZW-01", "ZW-07"],
                                             "wangge_areas": "370883001, 370883002"}),
    ]  # fmt: skip
    with run_server_in_thread(require_nonce=True, user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


def settings_of(provider: str) -> Settings:
    return Settings(
        secret="s" * 40, oidc_issuer=provider, oidc_client_id="wangge", oidc_client_secret="of-tests",
        oidc_name="统一认证", oidc_role_map={"ZW-07": "town_official", "ZW-01": "supervisor"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def url(module_clone: Stores, provider: str) -> Iterator[str]:
    with make_pool(module_clone.app_url, 2) as pool, scoped(pool, EVERYTHING, "access") as conn:
        accounts.add_account(conn, SYSTEM, "local", "本地", "operator", ["370883"])
    with served(create_app(settings_of(provider), module_clone)) as address:
        yield address


@contextmanager
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield client


def begin(client: httpx.Client, url: str, to: str = "") -> str:
    """The address at the provider to which the product sends the browser."""
    answer = client.get(f"{url}/api/session/oidc", params={"to": to})
    assert answer.status_code == 303
    return answer.headers["location"]


def agree(client: httpx.Client, there: str, sub: str) -> str:
    """Sign in at the provider as somebody; the address that it sends the browser back to."""
    answer = client.post(there, data={"sub": sub})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def through(client: httpx.Client, url: str, sub: str, to: str = "") -> httpx.Response:
    return client.get(agree(client, begin(client, url, to), sub))


def reason(answer: httpx.Response) -> str | None:
    """Why the way back led to the sign-in page; None when it did not."""
    where = urlsplit(answer.headers["location"])
    return parse_qs(where.query)["error"][0] if where.path == "/sign-in" else None


def test_a_mapped_person_comes_in_with_role_and_area(url: str, module_clone: Stores) -> None:
    with browser() as client:
        there = parse_qs(urlsplit(begin(client, url)).query)
        assert there["code_challenge_method"] == ["S256"] and len(there["code_challenge"][0]) == 43
        assert there["nonce"] and there["state"] and "openid" in there["scope"][0].split()
        done = through(client, url, "mapped", "/area/370883001?period=week")
        assert done.headers["location"] == "/area/370883001?period=week"
        who = client.get(f"{url}/api/session").json()
        assert (who["login"], who["name"], who["role"]) == ("ce.shi", "测试员", "town_official")
        assert (
            who["areas"] == [{"code": "370883001", "name": "钢山街道"}] and who["oidc"] and not who["pending"]
        )
        assert client.get(f"{url}/api/map/areas/grid?within=370883002").status_code == 404
    with psycopg.connect(module_clone.database_url) as conn:
        rows = conn.execute("SELECT action FROM audit WHERE actor_name = 'ce.shi'").fetchall()
    assert ("sign_in",) in rows


def test_of_several_roles_the_first_of_the_map_counts(url: str) -> None:
    with browser() as client:
        assert through(client, url, "several").headers["location"] == "/area/370883001"
        who = client.get(f"{url}/api/session").json()
        assert who["role"] == "town_official" and len(who["areas"]) == 2


@pytest.mark.parametrize(
    ("sub", "why"),
    [("unmapped", "role_unmapped"), ("nowhere", "area_missing"), ("abroad", "area_unknown"),
     ("namesake", "login_taken")],
)  # fmt: skip
def test_whom_the_claims_do_not_fit_is_refused_and_told_why(
    url: str, module_clone: Stores, sub: str, why: str
) -> None:
    with browser() as client:
        answer = through(client, url, sub)
        assert reason(answer) == why and "wangge_session" not in client.cookies
        page = client.get(url + answer.headers["location"]).text
        assert 'role="alert">统一身份认证' in page or 'role="alert">已有同名账号' in page
    with psycopg.connect(module_clone.database_url) as conn:
        rows = conn.execute("SELECT detail->>'wrong' FROM audit WHERE action = 'sign_in_failed'").fetchall()
        assert (why,) in rows
        known = conn.execute("SELECT count(*) FROM account WHERE oidc_subject = %s", (sub,)).fetchone()
    assert known == (0,)


def test_a_state_of_another_browser_or_none_is_refused(url: str) -> None:
    with browser() as mine, browser() as theirs:
        back = agree(theirs, begin(theirs, url), "mapped")
        assert reason(mine.get(back)) == "state"  # planted: they want me to be them
        begin(mine, url)
        assert reason(mine.get(back)) == "state"
        assert reason(mine.get(f"{url}/api/session/oidc/callback")) == "state"
        assert reason(mine.get(back.replace("state=", "state=x"))) == "state"
        assert "wangge_session" not in mine.cookies
        theirs.get(back)
        assert "wangge_session" in theirs.cookies
        theirs.cookies.set("wangge_oidc", parse_qs(urlsplit(back).query)["state"][0])
        assert reason(theirs.get(back)) == "state"  # taken up already


def test_a_code_that_is_none_and_a_refusal_there(url: str) -> None:
    with browser() as client:
        back = agree(client, begin(client, url), "mapped")
        code = parse_qs(urlsplit(back).query)["code"][0]
        assert reason(client.get(back.replace(code, "guessed"))) == "provider_refused"
        state = parse_qs(urlsplit(begin(client, url)).query)["state"][0]
        denied = client.get(f"{url}/api/session/oidc/callback?error=access_denied&state={state}")
        assert reason(denied) == "provider_refused"


def test_another_role_at_the_provider_ends_the_sessions_of_before(url: str, provider: str) -> None:
    with browser() as old, browser() as new:
        through(old, url, "second")
        changed = CLAIMS | {
            "preferred_username": "second",
            "wangge_role": "ZW-01",
            "wangge_areas": ["370883"],
        }
        assert httpx.put(f"{provider}/users/second", json=changed, trust_env=False).status_code == 204
        assert old.get(f"{url}/api/session").json()["role"] == "town_official"
        through(new, url, "second")
        assert new.get(f"{url}/api/session").json()["role"] == "supervisor"
        assert old.get(f"{url}/api/session").status_code == 401


def test_a_disabled_account_stays_out(url: str, module_clone: Stores) -> None:
    with browser() as client:
        through(client, url, "closed")
        with make_pool(module_clone.app_url, 2) as pool, scoped(pool, EVERYTHING, "access") as conn:
            accounts.set_disabled(conn, SYSTEM, accounts.find_account(conn, "closed"), True)
        assert reason(through(client, url, "closed")) == "disabled"


def test_a_token_of_another_audience_or_nonce_is_not_believed(provider: str) -> None:
    from services.access.oidc import OidcRefused, Provider

    here = Provider(settings_of(provider))
    with browser() as client:
        begun = here.begin("http://localhost/back")
        code = parse_qs(urlsplit(agree(client, begun.url, "mapped")).query)["code"][0]
        with pytest.raises(OidcRefused) as refused:
            here.finish("http://localhost/back", begun._replace(nonce="another"), code)
        assert refused.value.reason == "token"
        stranger = Provider(settings_of(provider).model_copy(update={"oidc_client_id": "other"}))
        begun = here.begin("http://localhost/back")
        code = parse_qs(urlsplit(agree(client, begun.url, "mapped")).query)["code"][0]
        with pytest.raises(OidcRefused):  # the mock hands a code to whom it was made for only
            stranger.finish("http://localhost/back", begun, code)


def test_a_provider_that_is_away_is_said(clone: Stores) -> None:
    app = create_app(settings_of("http://localhost:9"), clone)
    with served(app) as url, browser() as client:
        assert reason(client.get(f"{url}/api/session/oidc")) == "provider_away"
        assert "统一认证" in client.get(f"{url}/sign-in").text


def test_without_a_provider_there_is_no_such_way(clone: Stores) -> None:
    with served(create_app(Settings(secret="s" * 40), clone)) as url, browser() as client:
        assert client.get(f"{url}/api/session/oidc").status_code == 404
        assert client.get(f"{url}/api/session/oidc/callback?state=x&code=y").status_code == 404
        assert "/api/session/oidc" not in client.get(f"{url}/sign-in").text
