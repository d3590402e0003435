"""./wangge test: the checks run beside the tests, and each of both can fail it."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

import commands.test
from cli import app
from commands.vulnerabilities import Found

PASSING, FAILING = ["python", "-c", ""], ["python", "-c", "print('line 7 is wrong'); raise SystemExit(1)"]


@pytest.mark.parametrize(
    ("check", "code", "vulnerable", "last"),
    [
        (PASSING, 0, [], "Everything passes."),
        (FAILING, 0, [], "Failed: mypy"),
        (PASSING, 1, [], "Failed: tests"),
        (PASSING, 0, ["old 1.0: PYSEC-1"], "Failed: known vulnerabilities"),
        (FAILING, 1, ["old 1.0: PYSEC-1"], "Failed: mypy, known vulnerabilities, tests"),
    ],
)
def test_all_is_run_and_what_fails_is_named(
    check: list[str], code: int, vulnerable: list[str], last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.test, "CHECKS", {"ruff": PASSING, "mypy": check})
    monkeypatch.setattr(commands.test, "known_vulnerabilities", lambda: Found("as told", vulnerable))
    monkeypatch.setattr(commands.test, "_tests", lambda arguments: code if "loadfile" in arguments else 5)
    done = CliRunner().invoke(app, ["test"])
    lines = done.output.splitlines()
    assert done.stdout.splitlines()[-1] == last
    assert done.exit_code == (0 if last == "Everything passes." else 1)
    assert ("line 7 is wrong" in lines) == (check is FAILING)
    assert all(f"  {line}" in lines for line in vulnerable)
    assert any(line.startswith("mypy: fails" if check is FAILING else "mypy: passes") for line in lines)


def test_with_arguments_it_is_pytest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(subprocess, "call", lambda command: asked.append(command) or 1)
    done = CliRunner().invoke(app, ["test", "tests/api", "-k", "live"])
    assert asked == [[sys.executable, "-m", "pytest", "tests/api", "-k", "live"]]
    assert (done.output, done.exit_code) == ("", 1)
