"""./wangge test: all checks and all tests, or the tests that are named."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

screen = Console(highlight=False)
CHECKS = {
    "ruff": ["ruff", "check", "--quiet", "."],
    "ruff format": ["ruff", "format", "--check", "--quiet", "."],
    "import rules": ["lint-imports"],
    "mypy": ["mypy"],
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
    started = time.monotonic()
    code = subprocess.call([sys.executable, "-m", "pytest", *given])
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
    done = subprocess.run([program, *command[1:]], check=False)
    screen.print(
        f"{name}: {'passes' if done.returncode == 0 else 'fails'} ({time.monotonic() - started:.1f} s)"
    )
    return done.returncode == 0
