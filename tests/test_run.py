"""./wangge run: what the process does before it serves."""

import gc
import platform
import re
import socket
import subprocess
import sys

import pytest
import uvicorn

from commands.memory import ARENAS
from commands.run import Role, serve
from geodata.servers import Stores
from settings import ROOT, Settings


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


THREADS = """
import ctypes, sys, threading
if sys.argv[1] == "shared":
    from commands.memory import share_arenas
    assert share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
all_there = threading.Barrier(24)

def work():
    all_there.wait()
    for size in range(1_000, 100_000, 1_000):
        libc.free(libc.malloc(size))
    all_there.wait()

threads = [threading.Thread(target=work) for _ in range(24)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc.fdopen.restype = ctypes.c_void_p
libc.fflush.argtypes, libc.malloc_info.argtypes = [ctypes.c_void_p], [ctypes.c_int, ctypes.c_void_p]
out = libc.fdopen(1, b"w")
libc.malloc_info(0, out)
libc.fflush(out)
"""


def arenas(how: str) -> int:
    """How many a process with 24 threads at once ends with."""
    told = subprocess.run(
        [sys.executable, "-c", THREADS, how], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return len(re.findall(r"<heap nr=", told.stdout))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
def test_threads_that_come_and_go_leave_no_arena_each_behind() -> None:
    assert arenas("shared") <= ARENAS < arenas("each")


def test_arenas_are_shared_before_there_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("commands.run.share_arenas", lambda: told.append("arenas"))
    monkeypatch.setattr("app.create_app", lambda settings, role: told.append("app"))
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: told.append("run"))
    with socket.socket() as listener:
        serve(Settings(), listener, Role.API)
    assert told == ["arenas", "app", "run"]
