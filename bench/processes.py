"""Child processes of a measurement: servers on loopback ports, waited for, their CPU time read, stopped by id."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.result import Missing

QUIET_TIMES = 2  # one pause alone may lie between two parts of the start


@dataclass(frozen=True)
class Server:
    """A running server: its address, its process and where its output goes."""

    url: str
    port: int
    pid: int
    log: Path

    def cpu_s(self) -> float:
        """CPU seconds that it and its children have used so far."""
        return sum(_cpu_s(pid) for pid in _family(self.pid))

    def settle(self, timeout_s: float = 60) -> None:
        """Wait until it has next to nothing to do: what it loads at its start is not what is measured."""
        deadline, quiet = time.monotonic() + timeout_s, 0
        while quiet < QUIET_TIMES and time.monotonic() < deadline:
            before = self.cpu_s()
            time.sleep(1.5)
            quiet = quiet + 1 if self.cpu_s() - before < 0.1 else 0

    def memory_mb(self) -> float:
        """Resident memory of it and its children, in MB."""
        total = 0
        for pid in _family(self.pid):
            with suppress(OSError):
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str | Path],
    *,
    port: int,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    ready: str = "/",
    timeout_s: float = 60,
) -> Iterator[Server]:
    """Run a server until the block ends; Missing with the last lines of its log when it does not answer `ready`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + timeout_s
        while not _answers(url + ready):
            if child.poll() is not None or time.monotonic() > deadline:
                tail = " / ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
                raise Missing(f"{Path(str(command[0])).name} did not start: {tail}")
            time.sleep(0.1)
        yield Server(url, port, child.pid, log)
    finally:
        _stop(child)


def _answers(url: str) -> bool:
    """Whether something speaks HTTP there (any status but a 5xx)."""
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _stop(child: subprocess.Popen[bytes]) -> None:
    for number, patience_s in ((signal.SIGTERM, 8), (signal.SIGKILL, 5)):
        if child.poll() is not None:
            break
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(patience_s)


def _family(pid: int) -> list[int]:
    """The process and its descendants."""
    family = [pid]
    for parent in family:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                family += [int(child) for child in (task / "children").read_text().split()]
    return family


def _cpu_s(pid: int) -> float:
    """CPU seconds of one process, by its POSIX CPU clock (nanoseconds, all threads)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0
