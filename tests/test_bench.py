"""The bench: every measure can be named, and its table and JSON keep their shape. Nothing is timed here."""

import asyncio
import json
import sys
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import commands.bench
from bench.catalogue import CATALOGUE, Measure, chosen
from bench.context import Context
from bench.fanout import Fanned, all_open, cost_us
from bench.load import Heard, Load, request, run
from bench.processes import free_port, serving
from bench.result import Missing, Result, Wrong, median, percentile
from bench.steady import steady
from commands.bench import figure, register, table

ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19]
SHAPE = ["measure", "ours", "peer", "ratio", "bar", "holds"]
FOUND = [
    Result("1 bytes", 250.0, 1500.0, "KB", "≤ 300 KB", True, "a peer", n=5),
    Result("1 speed", 300.0, 100.0, "1/s", "≥ 50 × peer", False, "a peer", less_is_better=False),
    Result("6 positions", 4000.0, None, "1/s", "≥ 10 × peer", None, "absent", note="peer missing: absent"),
]


@pytest.fixture
def app() -> typer.Typer:
    """The command with another beside it, so that its name is asked for as in ./wangge."""
    found = typer.Typer()
    register(found)
    found.command("other")(lambda: None)
    return found


def test_catalogue_holds_the_rows_with_one_file_each() -> None:
    assert [measure.row for measure in CATALOGUE] == ROWS
    for measure in CATALOGUE:
        module = import_module(f"bench.{measure.module}")
        assert callable(module.measure)
        assert module.__doc__.startswith(f"Row {measure.row}:")
    files = {path.stem for path in Path(import_module("bench").__file__).parent.glob("m[0-9]*.py")}
    assert files == {measure.module for measure in CATALOGUE}


@pytest.mark.parametrize("measure", CATALOGUE, ids=lambda measure: measure.name)
def test_measure_is_named_by_number_and_by_name(measure: Measure) -> None:
    assert list(chosen([measure.name])) == list(chosen([str(measure.row)])) == [measure]


def test_without_names_all_are_measured_and_an_unknown_one_is_refused() -> None:
    assert [measure.row for measure in chosen([])] == ROWS[:-2]  # the two long ones are asked for by name
    with pytest.raises(KeyError):
        list(chosen(["first-bytes", "speed"]))


def test_json_is_a_list_of_the_agreed_fields(app: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.bench, "run", lambda wanted, quick: FOUND)
    done = CliRunner().invoke(app, ["bench", "--json", "--quick"])
    rows = json.loads(done.stdout)
    assert [list(row)[:6] for row in rows] == [SHAPE] * 3
    assert [row["ratio"] for row in rows] == [6.0, 3.0, None]
    assert [row["holds"] for row in rows] == [True, False, None]
    assert rows[2]["peer"] is None
    assert done.exit_code == 1  # one bar is missed


def test_names_reach_the_measures_and_a_wrong_one_is_said(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        commands.bench, "run", lambda wanted, quick: asked.extend(measure.row for measure in wanted) or []
    )
    assert CliRunner().invoke(app, ["bench", "heat", "1"]).exit_code == 0
    assert asked == [1, 5]
    assert CliRunner().invoke(app, ["bench", "speed"]).exit_code == 2
    listed = CliRunner().invoke(app, ["bench", "--list"]).stdout
    assert all(measure.name in listed for measure in CATALOGUE)


def test_table_shows_every_result_and_what_is_missing() -> None:
    console = Console(width=240, record=True, file=StringIO())
    console.print(table(FOUND))
    text = console.export_text()
    for part in ("1 bytes", "6 ×", "✓ holds", "✗ missed", "– untold", "peer missing: absent"):
        assert part in text


def test_what_is_missing_is_said_and_what_breaks_counts_as_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    measure = CATALOGUE[0]
    module = import_module(f"bench.{measure.module}")

    def absent(context: Context) -> list[Result]:
        raise Missing("Chromium")

    def broken(context: Context) -> list[Result]:
        raise ValueError("no such thing")

    monkeypatch.setattr(module, "measure", absent)
    (row,) = measure.run(None)  # type: ignore[arg-type]
    assert (row.ours, row.holds, row.note) == (None, None, "missing: Chromium")
    monkeypatch.setattr(module, "measure", broken)
    (row,) = measure.run(None)  # type: ignore[arg-type]
    assert (row.ours, row.holds) == (None, False)
    assert "no such thing" in row.note


def test_cost_of_a_delivery_is_what_more_screens_take_more() -> None:
    pairs = [(Fanned(1.0, 20, 900, []), Fanned(1.2, 10_020, 900, []))] * 2
    assert cost_us(pairs) == pytest.approx(20.0)


@pytest.mark.parametrize("many", [Fanned(0.9, 10_020, 900, []), Fanned(1.2, 20, 900, [])])
def test_cost_that_is_none_is_an_error_and_no_figure(many: Fanned) -> None:
    with pytest.raises(Wrong):
        cost_us([(Fanned(1.0, 20, 900, []), many)])


def test_screens_that_were_dropped_are_an_error() -> None:
    all_open(Heard(open=500), 500)
    with pytest.raises(Wrong, match="13 of 500"):
        all_open(Heard(open=487), 500)


def test_percentiles_are_ranks_of_the_values() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.95) == 95
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7
    assert median([1.0, 2.0, 9.0]) == 2


def test_figures_have_three_digits_and_their_unit() -> None:
    assert figure(None, "ms") == "–"
    assert figure(0.03219, "ms") == "0.0322 ms"
    assert figure(12345.0, "1/s") == "12,300 1/s"


def test_request_is_one_whole_message() -> None:
    assert request("POST", "/x", b"{}").endswith(b"Content-Length: 2\r\n\r\n{}")
    assert request("GET", "/x").endswith(b"\r\n\r\n")


def test_server_is_waited_for_measured_and_stopped(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with serving(command, port=port, log=tmp_path / "log", cwd=tmp_path) as server:
        assert server.cpu_s() > 0
        assert server.memory_mb() > 1
        pid = server.pid
    assert not Path(f"/proc/{pid}").exists()
    with (
        pytest.raises(Missing, match="did not start"),
        serving([sys.executable, "-c", "raise SystemExit(3)"], port=free_port(), log=tmp_path / "log"),
    ):
        pass


def test_a_steady_pace_is_kept_and_every_answer_counted(tmp_path: Path) -> None:
    """Against Python's own file server: as many requests as are due, none in flight twice on a connection."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "http.server",
        str(port),
        "--bind",
        "127.0.0.1",
        "--protocol",
        "HTTP/1.1",
    ]

    async def ask() -> Load:
        over = asyncio.Event()
        load = asyncio.create_task(steady(port, lambda: request("GET", "/"), 50, over, connections=4))
        await asyncio.sleep(0.6)
        over.set()
        return await load

    with serving(command, port=port, log=tmp_path / "log", cwd=tmp_path):
        load = run(ask())
    assert set(load.statuses) == {200}
    assert load.statuses[200] + load.late == int(load.seconds * 50)
