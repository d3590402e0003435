"""./wangge demo as a process: announces, heals, ends in order, leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geodata.servers import Stores
from settings import ROOT

ANNOUNCED_S = 60.0


class Demo:
    """One that serves the small place on a free port."""

    def __init__(self, stores: Stores, data: Path, *options: str) -> None:
        environment = {
            **os.environ, "DATABASE_URL": stores.database_url, "REDIS_URL": stores.redis_url, "WANGGE_DATA": str(data),
            "COLUMNS": "120",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), "demo", *options],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.base = ""

    def announced(self) -> str:
        """Read until the addresses are out; returns the address of the server."""
        assert self.process.stdout
        seen = ""
        for line in self.process.stdout:
            seen += line
            found = re.search(r"http://[\d.]+:\d+", line)
            if found:
                self.base = found[0]
            if "Ctrl-C" in line:
                return self.base
        raise AssertionError(f"it ended: {seen}")

    def children(self) -> list[int]:
        """Its child processes."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in path.read_text().split()]

    def alive(self) -> bool:
        """Whether the server answers."""
        try:
            with urllib.request.urlopen(f"{self.base}/api/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture
def demo(clone: Stores, tmp_path: Path) -> Iterator[Demo]:
    """One that is up, without the simulator."""
    one = Demo(clone, tmp_path, "--port", "0", "--no-simulate")
    one.announced()
    yield one
    one.process.kill()
    one.process.communicate()


def eventually(true: Callable[[], bool], within_s: float) -> bool:
    """Whether that becomes true in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return False


def is_gone(number: int) -> bool:
    """Whether a process has ended (one that nobody reaped counts)."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_killed_server_comes_back_and_sigterm_ends_all_in_order(demo: Demo) -> None:
    assert demo.alive()
    (first,) = demo.children()
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: demo.alive() and demo.children() != [first], 30)
    (second,) = demo.children()
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(20) == 0
    assert is_gone(second)
    assert not demo.alive()


def test_kill_9_of_the_command_takes_its_children_along(demo: Demo) -> None:
    (child,) = demo.children()
    demo.process.kill()
    assert eventually(lambda: is_gone(child), 15)


def test_a_taken_port_is_said_with_a_suggestion(clone: Stores, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        second = Demo(clone, tmp_path, "--port", str(port), "--no-simulate")
        out, _ = second.process.communicate(timeout=ANNOUNCED_S)
    assert second.process.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in out
    assert re.search(r"Try: --port \d+", out)
    assert "Traceback" not in out


def test_an_unknown_place_is_said_with_the_known_ones(clone: Stores, tmp_path: Path) -> None:
    second = Demo(clone, tmp_path, "--place", "atlantis")
    out, _ = second.process.communicate(timeout=ANNOUNCED_S)
    assert second.process.returncode == 1
    assert "atlantis" in out
    assert "zoucheng" in out
    assert "Traceback" not in out
