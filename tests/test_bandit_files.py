"""bandit looks at every file of ours, again after whatever may change its verdict, and not otherwise."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import bandit_files
from commands.bandit_files import pass_changed
from settings import ROOT

RULES = '[tool.bandit]\nexclude_dirs = ["./tests/"]\nskips = ["B101"]\n'
BOTH = ["./app.py", "./parts/one.py"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("app.py", "parts/one.py", "tests/test_app.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("one = 1\n")
    (tmp_path / "pyproject.toml").write_text(RULES)
    return tmp_path


def test_the_files_are_those_that_bandit_finds_by_itself() -> None:
    from bandit.core.config import BanditConfig
    from bandit.core.manager import BanditManager

    itself = BanditManager(BanditConfig(str(ROOT / "pyproject.toml")), "file")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        itself.discover_files(["."], True)
    ours = {path for path in bandit_files.files(ROOT, bandit_files._rules(ROOT)) if "_cache/" not in path}
    assert ours == {path for path in itself.files_list if "_cache/" not in path}
    assert {"./cli.py", "./commands/bench.py", "./services/access/passwords.py"} <= ours


def test_what_it_finds_fails_until_it_is_mended(root: Path) -> None:
    (root / "parts" / "one.py").write_text("eval(input())\n")
    for _ in range(2):
        done = pass_changed(root)
        assert done.returncode == 1 and "parts/one.py:1" in done.stdout and "B307" in done.stdout


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (lambda root: None, []),
        (lambda root: (root / "app.py").write_text("two = 2\n"), ["./app.py"]),
        (lambda root: (root / "new.py").write_text("one = 1\n"), ["./new.py"]),
        (lambda root: (root / "pyproject.toml").write_text(RULES.replace("B101", "B102")), BOTH),
        (lambda root: (root / ".bandit_cache/passed.json").write_text("no"), BOTH),
    ],
)  # fmt: skip
def test_it_is_asked_again_about_what_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], Any], again: list[str]
) -> None:
    asked: list[list[str]] = []

    def run(command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append([one for one in command if isinstance(one, str) and one.endswith(".py")])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    pass_changed(root)
    change(root)
    pass_changed(root)
    assert asked == [BOTH, again][: 2 if again else 1]
