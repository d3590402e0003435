"""The script ./wangge on machines that lack things; Python, pip and uv are stand-ins that note what they are asked."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from settings import ROOT

TOOLS = (
    "sh",
    "cat",
    "cut",
    "dirname",
    "readlink",
    "sha256sum",
    "grep",
    "awk",
    "df",
    "id",
    "rm",
    "mv",
    "mkdir",
    "ls",
    "flock",
    "sleep",
    "env",
    "chmod",
    "cp",
    "touch",
)
PYTHON = """#!/bin/sh
case "$1 $2" in
    "-V "*) echo "Python 3.12.0" ;;
    "-c "*) exit 0 ;;
    "-m venv")
        mkdir -p "$3/bin"
        echo "command = python3 -m venv $3" > "$3/pyvenv.cfg"
        cp "$0" "$3/bin/python" ;;
    "-m pip")
        echo pip >> "$NOTES"
        [ -z "${OFFLINE:-}" ] || { echo "no route to host" >&2; exit 1; }
        here=$(dirname "$0")
        echo '#!/bin/sh' > "$here/uv"
        echo '[ "$1" = --version ] && exit 0' >> "$here/uv"
        echo '[ -n "${SLOW:-}" ] && sleep $SLOW; echo "uv $*" >> "$NOTES"' >> "$here/uv"
        chmod 755 "$here/uv" ;;
    *cli.py*) shift; echo "cli $*" ;;
esac
"""


class Machine:
    """A checkout beside a PATH that holds the few tools named, and a note of what was fetched."""

    def __init__(self, folder: Path, *programs: str) -> None:
        self.root, self.bin, self.notes = folder / "checkout", folder / "bin", folder / "notes"
        self.root.mkdir()
        self.bin.mkdir()
        self.notes.touch()
        for name in ("wangge", "requirements.lock", "requirements-dev.lock", "requirements-uv.lock"):
            shutil.copy(ROOT / name, self.root / name)
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)
        for name in programs:
            self.add(name)

    def add(self, name: str, text: str = "#!/bin/sh\nexit 0\n") -> None:
        """Put a program on the PATH."""
        path = self.bin / name
        path.write_text(PYTHON if name.startswith("python3") else text)
        path.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """What the script sees."""
        home = str(self.root.parent)
        return {
            "PATH": str(self.bin),
            "NOTES": str(self.notes),
            "HOME": home,
            "DATABASE_URL": "given",
            **more,
        }

    def run(self, *arguments: str, user: int | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        """Run ./wangge."""
        return subprocess.run(  # noqa: PLW1510
            [self.bin / "sh", self.root / "wangge", *arguments],
            capture_output=True, text=True, env=self.environment(**more), user=user, timeout=60,
        )  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One with Python and Redis."""
    return Machine(tmp_path, "python3", "redis-server")


def test_a_newcomer_asks_for_help_and_nothing_is_installed(tmp_path: Path) -> None:
    bare = Machine(tmp_path)
    for arguments in ((), ("--help",), ("help",)):
        done = bare.run(*arguments)
        assert done.returncode == 0
        assert "./wangge demo" in done.stdout
    assert not (bare.root / ".venv").exists()


def test_another_system_is_told_what_to_install(tmp_path: Path) -> None:
    done = Machine(tmp_path).run("demo")
    assert done.returncode == 1
    assert "Redis 7 or newer" in done.stderr
    assert "Python 3.11 or newer" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")
def test_without_root_and_sudo_it_says_the_exact_line() -> None:
    import tempfile

    folder = Path(tempfile.mkdtemp())
    try:
        machine = Machine(folder, "apt-get", "python3")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534, follow_symlinks=False)
        done = machine.run("demo", user=65534)
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 1
    assert "apt-get update && apt-get install -y --no-install-recommends redis-server" in done.stderr


def test_the_second_start_fetches_nothing(machine: Machine) -> None:
    first = machine.run("demo", "--port", "9000")
    assert first.stdout.strip().endswith("cli.py demo --port 9000") or "cli demo --port 9000" in first.stdout
    fetched = machine.notes.read_text()
    assert "requirements.lock" in fetched
    assert "--require-hashes" in fetched
    started = time.perf_counter()
    assert machine.run("status").returncode == 0
    assert time.perf_counter() - started < 2
    assert machine.notes.read_text() == fetched


def test_a_changed_lock_is_fetched_again_and_only_then(machine: Machine) -> None:
    machine.run("demo")
    with (machine.root / "requirements.lock").open("a") as lock:
        lock.write("# newer\n")
    machine.run("demo")
    assert machine.notes.read_text().count("uv pip sync") == 2


def test_tests_bring_their_packages_and_keep_them(machine: Machine) -> None:
    machine.add("chromium")
    machine.run("demo")
    fonts = machine.root.parent / ".local/share/fonts"
    fonts.mkdir(parents=True)
    (fonts / "NotoSansCJK.ttc").touch()
    machine.run("test")
    machine.run("demo")
    with (machine.root / "requirements.lock").open("a") as lock:
        lock.write("# newer\n")
    machine.run("demo")
    fetches = [line for line in machine.notes.read_text().splitlines() if line.startswith("uv")]
    assert ["requirements-dev.lock" in line for line in fetches] == [False, True, True]


def test_two_starters_at_once_fetch_once(machine: Machine) -> None:
    machine.run("demo")
    (machine.root / ".venv" / "stamp").unlink()
    machine.notes.write_text("")
    command = [machine.bin / "sh", machine.root / "wangge", "status"]
    both = [
        subprocess.Popen(
            command, env=machine.environment(SLOW="1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    outcomes = [process.communicate(timeout=30) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert machine.notes.read_text().count("uv pip sync") == 1
    assert sum(b"waiting for it" in err for _, err in outcomes) == 1


def test_an_interrupted_set_up_goes_on(machine: Machine) -> None:
    machine.run("demo")
    (machine.root / ".venv" / "stamp").unlink()
    command = [machine.bin / "sh", machine.root / "wangge", "status"]
    process = subprocess.Popen(command, env=machine.environment(SLOW="20"), start_new_session=True)
    time.sleep(0.7)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (machine.root / ".venv" / "stamp").exists()
    assert machine.run("status").returncode == 0
    assert (machine.root / ".venv" / "stamp").exists()


def test_offline_it_says_so_and_what_to_do(machine: Machine) -> None:
    done = machine.run("demo", OFFLINE="1")
    assert done.returncode == 1
    assert "no route to host" in done.stderr
    assert "https_proxy" in done.stderr
    assert machine.run("demo").returncode == 0


def test_a_moved_checkout_gets_a_new_environment(machine: Machine) -> None:
    machine.run("demo")
    machine.notes.write_text("")
    moved = machine.root.with_name("moved")
    machine.root.rename(moved)
    machine.root = moved
    assert machine.run("demo").returncode == 0
    assert "uv pip sync" in machine.notes.read_text()
    assert str(moved) in (moved / ".venv" / "pyvenv.cfg").read_text()
