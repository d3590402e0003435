"""What several files of these tests start from; a file that needs more of the product has a `url` of its own."""

from collections.abc import Iterator

import httpx
import pytest

from app import create_app
from geodata.servers import Stores
from settings import Settings
from tests.live_app import served
from tests.viewers import client_args


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """The whole product on the small place."""
    with served(create_app(Settings(), module_clone)) as address:
        yield address


@pytest.fixture(scope="module")
def desk(url: str) -> Iterator[httpx.Client]:
    """A dispatcher of the product."""
    with httpx.Client(**client_args(url)) as client:
        yield client
