"""A place that is open to everybody, for the tests of Open311."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from app import create_app
from geodata.servers import Stores
from services.access.tokens import digest_of
from settings import Settings
from tests.api.open311.asking import TOKEN
from tests.live_app import served


@pytest.fixture(scope="module")
def open_url(module_clone: Stores) -> Iterator[str]:
    """A place that lets anybody read and report."""
    settings = Settings(open311_public=True, open_intake=True, intake_per_minute=10_000, live_interval_ms=50)
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute(
            "INSERT INTO api_client (name, token_sha256, created_by) VALUES ('hub', %s, 'tests')",
            (digest_of(TOKEN),),
        )
    with served(create_app(settings, module_clone)) as url:
        yield url


@pytest.fixture(scope="module")
def client(open_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{open_url}/open311/v2", trust_env=False, timeout=20) as client:
        yield client
