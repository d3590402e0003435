"""Tests in forked processes: a file stays together, failures are told, and who ends in a test loses that one alone."""

import os
import subprocess
import sys
from pathlib import Path

from settings import ROOT

FILES = {
    "conftest.py": """
import logging
import os
import pytest

logging.basicConfig()  # onto what is captured while this is imported

@pytest.fixture(scope="session")
def process(tmp_path_factory):
    yield os.getpid()
    (tmp_path_factory.getbasetemp() / "torn down").touch()
""",
    "test_a.py": """
import pytest

@pytest.fixture(scope="module")
def once(process):
    return [process]

@pytest.mark.parametrize("at", range(5))
def test_together(once, process, at, tmp_path):
    once.append(process)
    assert once == [process] * (at + 2) and "worker" in str(tmp_path)
""",
    "test_b.py": """
import logging, os, warnings

def test_wrong(process):
    print("seen before")
    logging.error("logged before")
    assert [1, 2] == [1, 3]

def test_warns():
    warnings.warn("careful")

def test_ends():
    os._exit(3)

def test_after(process):
    pass
""",
}


def run(folder: Path, *more: str) -> tuple[int, str]:
    for name, text in FILES.items():
        (folder / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", folder, "-p", "tests.forked", "-W", "error",
         "--basetemp", folder / "temp", "--side-by-side", "2", *more, folder],
        cwd=ROOT, check=False, capture_output=True, text=True,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert not done.stderr
    return done.returncode, done.stdout


def test_each_is_run_once_and_told(tmp_path: Path) -> None:
    code, said = run(tmp_path)
    assert code == 1 and "3 failed, 6 passed" in said
    told = (
        "At index 1 diff: 2 != 3",
        "seen before",
        "ERROR:root:logged before",
        "UserWarning: careful",
        "code 3",
    )
    for words in told:
        assert words in said
    left = [path.name for path in (tmp_path / "temp").glob("worker*/torn down")]
    assert left  # by who ran the first file, and perhaps by who came in place of the one that ended


def test_the_first_failure_can_be_the_last(tmp_path: Path) -> None:
    code, said = run(tmp_path, "-x")
    assert code == 1 and "1 failed" in said and "stopping after 1 failures" in said
