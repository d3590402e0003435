"""Too many tickets from one sender are refused with the time to wait, each sender for itself."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from app import create_app
from geodata.servers import Stores
from services.access.tokens import digest_of
from settings import Settings
from tests.live_app import served

REPORT = {"channel": "grid", "category": "01001", "title": "one"}
TOKEN = "a-client-of-tests"


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    settings = Settings(open_intake=True, intake_per_minute=3, trusted_proxies=1)
    with served(create_app(settings, module_clone)) as address:
        yield address


def post(url: str, ip: str, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{url}/api/tickets", json=REPORT, headers={"X-Forwarded-For": ip, **headers}, trust_env=False
    )


def test_an_address_waits_and_another_does_not(url: str) -> None:
    assert [post(url, "10.0.0.1").status_code for _ in range(3)] == [201] * 3
    refused = post(url, "10.0.0.1")
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "too_many"
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert post(url, "10.0.0.2").status_code == 201


def test_what_the_sender_writes_before_the_proxy_does_not_help(url: str) -> None:
    answers = [post(url, f"10.9.9.{place}, 10.0.0.3").status_code for place in range(4)]
    assert answers == [201, 201, 201, 429]


def test_a_line_of_the_sender_before_that_of_the_proxy_does_not_help(url: str) -> None:
    for place in range(4):
        lines = [("X-Forwarded-For", f"10.9.8.{place}"), ("X-Forwarded-For", "10.0.0.4")]
        answer = httpx.post(f"{url}/api/tickets", json=REPORT, headers=lines, trust_env=False)
        assert answer.status_code == (201 if place < 3 else 429)


def test_another_system_is_counted_by_its_token(url: str, module_clone: Stores) -> None:
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute(
            "INSERT INTO api_client (name, token_sha256, created_by) VALUES ('c', %s, 'tests')",
            (digest_of(TOKEN),),
        )
    answers = [post(url, "10.0.0.1", Authorization=f"Bearer {TOKEN}").status_code for _ in range(5)]
    assert answers == [201] * 5
