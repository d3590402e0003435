"""Which process a pid file really means: pids are used again, and pid files survive a power cut."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path


def is_ours(pid: int, program: str, folder: Path) -> bool:
    """Whether that process runs this program (the start of its file's name) in this folder."""
    try:
        exe = Path(f"/proc/{pid}/exe").readlink().name
        cwd = Path(f"/proc/{pid}/cwd").readlink()
    except OSError:  # gone, or somebody else's
        return False
    return exe.startswith(program) and cwd == folder.resolve()


def in_folder(program: str, folder: Path) -> Iterator[int]:
    """All processes of that program that work in this folder."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and is_ours(int(entry.name), program, folder):
            yield int(entry.name)


def first_number(path: Path) -> int | None:
    """The pid in a pid file; None when there is no such file or no number in it."""
    try:
        line = path.read_text().partition("\n")[0].strip()
    except OSError:
        return None
    return int(line) if line.isdigit() else None


def wait_gone(pid: int, timeout_s: float) -> bool:
    """Wait until a process has ended; False when it has not in time."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if _is_zombie(pid):
            return True
        time.sleep(0.02)
    return False


def end(pid: int, how: signal.Signals, timeout_s: float) -> bool:
    """Ask a process to end and wait for it; False when it did not."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return True
    return wait_gone(pid, timeout_s)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
