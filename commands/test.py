"""./wangge test: all checks and all tests, or the tests that are named."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from commands.vulnerabilities import known_vulnerabilities

screen = Console(highlight=False)
# A file's tests stay together, as they share a database; tests/conftest.py says which files come first. One worker more
# than there are cores, as now and then each of them waits.
SIDE_BY_SIDE = [
    "--numprocesses", str(min((os.cpu_count() or 2) + 1, 7)), "--dist", "loadfile", "--no-loadscope-reorder",
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
    failed = [] if given else [name for name, command in CHECKS.items() if not _passes(name, command)]
    if not given and not _no_known_vulnerabilities():
        failed.append("known vulnerabilities")
    started = time.monotonic()
    code = subprocess.call([sys.executable, "-m", "pytest", *(given or SIDE_BY_SIDE)])
    if code:
        failed.append("tests")
    if not given:
        screen.print(f"tests: {time.monotonic() - started:.0f} s")
        screen.print(
            f"[red]Failed: {', '.join(failed)}[/red]" if failed else "[green]Everything passes.[/green]"
        )
    raise typer.Exit(1 if failed else 0)


def _passes(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run([program, *command[1:]], check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr, sep="", end="", file=sys.stderr)
    _say(name, "passes" if done.returncode == 0 else "fails", started)
    return done.returncode == 0


def _no_known_vulnerabilities() -> bool:
    """Says so when nobody could be asked, and lets that pass: a closed network must be able to run the tests."""
    started = time.monotonic()
    found = known_vulnerabilities()
    _say("known vulnerabilities", found.verdict, started)
    for line in found.lines:
        print(f"  {line}", file=sys.stderr)
    return not found.lines


def _say(name: str, verdict: str, started: float) -> None:
    screen.print(f"{name}: {verdict} ({time.monotonic() - started:.1f} s)")
