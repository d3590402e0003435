"""What most browser tests start from: Chromium, and the product on the small place."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from app import create_app
from geodata.servers import Stores
from settings import Settings
from tests.browser.chromium import chromium
from tests.live_app import same_port, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    with served(create_app(Settings(), module_clone), same_port()) as address:
        yield address
