"""./wangge fuzz: many made-up requests to every route and callback of the real application; none may end in a 500."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

Table = dict[str, tuple[Counter[str], float]]  # route or callback → statuses, seconds


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fuzz)


def fuzz(
    cases: Annotated[
        int, typer.Option(min=1, help="Cases for every route; a callback gets twice as many.")
    ] = 500,
    seed: Annotated[int, typer.Option(help="Another number makes other cases.")] = 20260101,
    only: Annotated[str | None, typer.Option(help="Only routes and callbacks whose name holds this.")] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="So many at once, each with an application and a database of its own.")
    ] = os.cpu_count() or 1,
) -> None:
    """Send made-up requests to every route and callback, on databases of its own, and print what was answered."""
    from geodata.servers import ensure
    from settings import ROOT, Settings

    os.chdir(ROOT)
    ensure(Settings(), "wangge_test_admin")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "pytest", "--quiet", "--timeout=0", "-n", str(processes), "--dist", "worksteal",
            "--show-capture=stderr", "tests/api/test_fuzz.py", *(["-k", only] if only else []),
        ]  # fmt: skip
        told = {
            "WANGGE_FUZZ_CASES": str(cases),
            "WANGGE_FUZZ_SEED": str(seed),
            "WANGGE_FUZZ_TABLE": folder,
        }
        code = subprocess.call(command, env=os.environ | told)
        print_table(added_up(Path(folder)))
    raise typer.Exit(code)


def added_up(folder: Path) -> Table:
    """What all processes wrote down."""
    table: Table = {}
    for file in sorted(folder.glob("*.json")):
        for name, (statuses, seconds) in json.loads(file.read_text()).items():
            before, so_far = table.get(name, (Counter(), 0.0))
            table[name] = (before + Counter(statuses), so_far + seconds)
    return table


def print_table(table: Table) -> None:
    """A line for each route and callback, and how many faults there were in all."""
    print(f"\n{'route or callback':<64} {'cases':>6} {'seconds':>8}  answers")
    for name, (statuses, seconds) in sorted(table.items()):
        answers = "  ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        print(f"{name:<64} {statuses.total():>6} {seconds:>8.1f}  {answers}")
    whole = sum((statuses for statuses, _ in table.values()), Counter[str]())
    faults = sum(count for status, count in whole.items() if status.startswith("5") and status != "503")
    print(f"{len(table)} routes and callbacks, {whole.total()} cases, {faults or 'no'} 500")
