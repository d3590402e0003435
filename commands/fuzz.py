"""./wangge fuzz: many made-up requests to every route and callback of the real application; none may end in a 500."""

import os
import subprocess
import sys
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fuzz)


def fuzz(
    cases: Annotated[
        int, typer.Option(min=1, help="Cases for every route; a callback gets twice as many.")
    ] = 500,
    seed: Annotated[int, typer.Option(help="Another number makes other cases.")] = 20260101,
    only: Annotated[str | None, typer.Option(help="Only routes and callbacks whose name holds this.")] = None,
) -> None:
    """Send made-up requests to every route and callback, on a database of its own, and print what was answered."""
    from geodata.servers import ensure
    from settings import ROOT, Settings

    os.chdir(ROOT)
    ensure(Settings(), "wangge_test_admin")
    command = [
        sys.executable, "-m", "pytest", "--quiet", "--capture=no", "--timeout=0", "tests/api/test_fuzz.py",
        *(["-k", only] if only else []),
    ]  # fmt: skip
    environment = os.environ | {"WANGGE_FUZZ_CASES": str(cases), "WANGGE_FUZZ_SEED": str(seed)}
    raise typer.Exit(subprocess.call(command, env=environment))
