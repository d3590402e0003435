"""./wangge test: all checks and all tests, or the tests that are named."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from commands.vulnerabilities import known_vulnerabilities

screen = Console(highlight=False)
# A file's tests stay together, as they share a database; tests/conftest.py says which files come first. Two workers
# more than there are cores, as each of them waits now and then: the suite takes an eighth less than with one more.
SIDE_BY_SIDE = [
    "--numprocesses", str(min((os.cpu_count() or 2) + 2, 7)), "--dist", "loadfile", "--no-loadscope-reorder",
]  # fmt: skip
CHECKS = {
    "ruff": ["ruff", "check", "--quiet", "."],
    "ruff format": ["ruff", "format", "--check", "--quiet", "."],
    "import rules": ["lint-imports"],
    "mypy": ["mypy"],
    "bandit": ["bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", "."],
}


def register(app: typer.Typer) -> None:
    """Add the command; what it does not know goes on to pytest."""
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    )(test)


def test(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None, typer.Argument(help="For pytest: -k live, tests/api, --lf …")
    ] = None,
) -> None:
    """Run all checks and all tests, on real PostGIS, Redis and Chromium; with arguments, pytest alone with these."""
    from geodata.servers import ensure
    from settings import ROOT, Settings

    os.chdir(ROOT)
    ensure(Settings(), "wangge_test_admin")
    given = [*(arguments or []), *context.args]
    if given:
        raise typer.Exit(1 if _tests(given) else 0)
    with ThreadPoolExecutor(1) as beside:  # one check at a time, in what the tests leave of the machine
        checks = beside.submit(lambda: [*map(_checked, CHECKS), _no_known_vulnerabilities()])
        started = time.monotonic()
        code = _tests(SIDE_BY_SIDE)
        seconds = time.monotonic() - started
    failed = []
    for check in checks.result():
        screen.print(f"{check.name}: {check.verdict} ({check.seconds:.1f} s)")
        print(check.words, end="", file=sys.stderr)
        if not check.passes:
            failed.append(check.name)
    if code:
        failed.append("tests")
    screen.print(f"tests: {seconds:.0f} s")
    screen.print(f"[red]Failed: {', '.join(failed)}[/red]" if failed else "[green]Everything passes.[/green]")
    raise typer.Exit(1 if failed else 0)


@dataclass(frozen=True)
class Check:
    """What came of one check; `words` is what it has to say."""

    name: str
    passes: bool
    verdict: str
    seconds: float
    words: str


def _tests(arguments: list[str]) -> int:
    return subprocess.call([sys.executable, "-m", "pytest", *arguments])


def _checked(name: str) -> Check:
    started = time.monotonic()
    command = CHECKS[name]
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run([program, *command[1:]], check=False, capture_output=True, text=True)
    passes = done.returncode == 0
    words = "" if passes else done.stdout + done.stderr
    return Check(name, passes, "passes" if passes else "fails", time.monotonic() - started, words)


def _no_known_vulnerabilities() -> Check:
    """Says so when nobody could be asked, and lets that pass: a closed network must be able to run the tests."""
    started = time.monotonic()
    found = known_vulnerabilities()
    words = "".join(f"  {line}\n" for line in found.lines)
    seconds = time.monotonic() - started
    return Check("known vulnerabilities", not found.lines, found.verdict, seconds, words)
