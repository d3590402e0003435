"""Child processes of one command: they end with it, come back when they crash, and keep their last words."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PRCTL = ctypes.CDLL(None).prctl
_PR_SET_PDEATHSIG = 1
LONGEST_LOG_BYTES = 10_000_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
STEADY_S = 60.0  # ran this long: the next crash is not a series


@dataclass
class Child:
    """A command of ./wangge that runs beside this one; its output goes to a file."""

    name: str
    arguments: Sequence[str]
    log: Path
    pass_fds: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)  # beside what this process has
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    again_at: float | None = field(default=None)

    def start(self) -> None:
        """Start it; it gets SIGTERM when this process ends, however that happens."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG_BYTES:
            self.log.rename(self.log.with_name(f"{self.log.name}.1"))
        parent = os.getpid()

        def tie() -> None:
            _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:  # it ended before we asked
                os._exit(1)

        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "cli.py"), *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end it in order
                pass_fds=self.pass_fds,
                env={**os.environ, **self.environment},
                preexec_fn=tie,  # noqa: PLW1509  (no threads run here)
            )
        self.started_at = time.monotonic()
        self.again_at = None

    @property
    def runs(self) -> bool:
        """Whether it is there now."""
        return self.process is not None and self.process.poll() is None

    def check(self) -> str | None:
        """Look after it: a sentence when it has just crashed; starts it again when its pause is over."""
        if self.process is None or self.runs:
            return None
        now = time.monotonic()
        if self.again_at is None:
            if now - self.started_at > STEADY_S:
                self.pause_s = FIRST_PAUSE_S
            self.again_at = now + self.pause_s
            pause_s, self.pause_s = self.pause_s, min(self.pause_s * 2, LONGEST_PAUSE_S)
            return f"{self.name} {_how(self.process.returncode)}; starting it again in {pause_s:.0f} s. See {self.log}"
        if now >= self.again_at:
            self.start()
        return None

    def ask_to_stop(self) -> None:
        """Ask it to end; does not wait."""
        if self.process is not None and self.runs:
            self.process.terminate()

    def stop(self, timeout_s: float = 8.0) -> None:
        """Wait until it has ended as it was asked to, and insist after a while."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of its output."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 8_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def _how(code: int) -> str:
    return f"was killed (signal {-code})" if code < 0 else f"ended by itself (code {code})"
