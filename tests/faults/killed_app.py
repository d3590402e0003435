"""The product as a process that may be killed: put together once, forked for each life, so that it is back soon."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from urllib.error import URLError

from geodata.servers import Stores
from settings import ROOT

PR_SET_PDEATHSIG = 1


class KilledApp:
    """The whole product on those stores and a port of 127.0.0.1; dead until `start`."""

    def __init__(self, stores: Stores) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.killed_app", stores.database_url, stores.redis_url,
             stores.key_prefix, str(self.port)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._pid = 0

    def start(self, timeout_s: float = 60) -> None:
        """Let it live, and wait until it answers."""
        assert self._parent.stdin and self._parent.stdout
        self._parent.stdin.write("start\n")
        self._parent.stdin.flush()
        self._pid = int(self._parent.stdout.readline())
        end = time.monotonic() + timeout_s
        while not self._answers():
            assert time.monotonic() < end, "the product does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does; its port is free afterwards."""
        os.kill(self._pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            while True:
                os.kill(self._pid, 0)
                time.sleep(0.01)

    def end(self) -> None:
        """For good."""
        self._parent.kill()  # and with it what it forked
        self._parent.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                f"http://127.0.0.1:{self.port}/api/health", timeout=3
            ) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def main(database_url: str, redis_url: str, prefix: str, port: str) -> None:
    """Fork a product for each line that comes in, and tell its number; the one before is dead by then."""
    from app import create_app
    from settings import Settings
    from tests.live_app import server_of

    product = create_app(Settings(), Stores(database_url, redis_url, prefix))  # connects to nothing yet
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # its log; only numbers go out there
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            server_of(product).run(sockets=[socket.create_server(("127.0.0.1", int(port)))])
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
