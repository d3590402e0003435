"""./wangge user: from the first administrator at the terminal to a session in the product."""

import re
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from typer.testing import CliRunner, Result

from app import create_app
from cli import app
from commands.outcome import Refused
from geodata.servers import Stores
from settings import Settings
from tests.live_app import served

PASSWORD = "correct horse battery"


@pytest.fixture
def run(clone: Stores, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """A command on this test's own database."""
    monkeypatch.setenv("DATABASE_URL", clone.database_url)
    monkeypatch.setenv("REDIS_URL", clone.redis_url)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, ["user", *words])


def password_in(output: str) -> str:
    found = re.findall(r"^([a-z2-9]{4}(?:-[a-z2-9]{4}){3})$", output, re.MULTILINE)
    assert len(found) == 1, output
    return str(found[0])


def test_the_first_administrator_comes_in(run: Callable[..., Result], clone: Stores) -> None:
    assert "no accounts yet" in run("list").output
    added = run("add", "root1", "--role", "administrator", "--name", "首位管理员")
    assert added.exit_code == 0, added.output
    first = password_in(added.output)
    with (
        served(create_app(Settings(secret="s" * 40, mfa_roles=[]), clone)) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        who = client.post("/api/session", json={"login": "root1", "password": first})
        assert who.json()["pending"] == ["password"] and who.json()["role"] == "administrator"
        token = {"X-CSRFToken": client.cookies["_csrf_token"]}
        changed = {"current": first, "new": PASSWORD}
        assert client.post("/api/session/password", json=changed, headers=token).status_code == 200
        assert client.get("/api/walls").status_code == 200
        listed = run("list").output
        assert (
            "首位管理员" in listed and "administrator" in listed and "open" in listed and "370883" in listed
        )

        run("add", "second", "--role", "administrator")  # so that the first is not the last
        assert client.get("/api/walls").status_code == 200
        reset = run("reset", "root1")
        assert reset.exit_code == 0 and client.get("/api/walls").status_code == 401
        assert client.post("/api/session", json={"login": "root1", "password": PASSWORD}).status_code == 401
        again = client.post("/api/session", json={"login": "root1", "password": password_in(reset.output)})
        assert again.json()["pending"] == ["password"]
        disabled = run("disable", "root1")
        assert client.get("/api/session").status_code == 401 and "disabled" in disabled.output
        assert "disabled" in run("list").output
        assert run("enable", "root1").exit_code == 0 and "disabled" not in run("list").output
        assert run("reset", "root1", "--second-factor").exit_code == 0
    with psycopg.connect(clone.database_url) as conn:
        rows = conn.execute(
            "SELECT action, actor_name FROM audit WHERE actor_kind = 'system' ORDER BY id"
        ).fetchall()
    assert [row[0] for row in rows] == [
        "account_added", "account_added", "account_reset", "account_disabled", "account_disabled", "account_reset",
    ]  # fmt: skip
    assert all(row[1].startswith("system (") for row in rows)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["add", "x", "--role", "administrator"], "2 to 64"),
        (["add", "ok", "--role", "king"], "one of: operator"),
        (["add", "ok", "--role", "operator", "--area", "1"], "codes of today's areas"),
        (["disable", "nobody"], "the login of an account"),
        (["disable", "only"], "the last administrator"),
    ],
)
def test_what_cannot_be_done_is_said(run: Callable[..., Result], words: list[str], why: str) -> None:
    run("add", "only", "--role", "administrator")
    refused = run(*words)
    assert isinstance(refused.exception, Refused) and why in str(refused.exception)


def test_an_account_of_two_towns(run: Callable[..., Result]) -> None:
    added = run("add", "two", "--role", "town_official", "--area", "370883001", "--area", "370883002")
    assert added.exit_code == 0 and "370883001, 370883002" in run("list").output
