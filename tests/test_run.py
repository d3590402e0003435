"""./wangge run: what the process does before it serves."""

import gc
import socket

import pytest
import uvicorn

from commands.run import Role, serve
from geodata.servers import Stores
from settings import Settings


def test_garbage_is_not_looked_for_in_what_stays(
    module_clone: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen: list[int] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: frozen.append(gc.get_freeze_count()))
    urls = {"database_url": module_clone.database_url, "redis_url": module_clone.redis_url}
    before = gc.get_freeze_count()  # tests/conftest.py freezes what was imported
    with socket.socket() as listener:
        serve(Settings().model_copy(update=urls), listener, Role.API)
    assert frozen[0] > before + 10_000
