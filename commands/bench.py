"""./wangge bench: our figures, each beside a peer's in the same run."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.catalogue import CATALOGUE, Measure, chosen
from bench.result import Result

screen, told = Console(), Console(stderr=True)
HELP = "  ".join(f"{measure.row} {measure.name}" for measure in CATALOGUE)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(bench)


def bench(
    measures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MEASURE…", help=f"Numbers or names; without any all but soak and full-load. {HELP}"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects instead of a table.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Few repeats: does it work, not how fast.")] = False,
    known: Annotated[bool, typer.Option("--list", help="Only name the measures.")] = False,
) -> None:
    """Measure the product and its peers in one run on the reference data.

    The reference data (3,313 grids, 1.14 million tickets, 4,000 workers) is generated and imported the first time,
    which takes minutes; peers are installed on demand below the data folder. Exit code 1 when a bar is missed.
    """
    if known:
        for measure in CATALOGUE:
            screen.print(f"{measure.row:>3}  {measure.name:<15} {measure.title}", highlight=False)
        return
    try:
        wanted = list(chosen(measures or []))
    except KeyError as error:
        raise typer.BadParameter(f"there is no measure {error}; ./wangge bench --list names them") from None
    results = run(wanted, quick=quick)
    if as_json:
        print(json.dumps([result.as_json() for result in results], ensure_ascii=False, indent=2))
    else:
        screen.print(table(results))
    if any(result.holds is False for result in results):
        raise typer.Exit(1)


def run(wanted: list[Measure], *, quick: bool) -> list[Result]:
    """The results of these measures, progress shown on stderr."""
    from bench.context import Context
    from services.logs import configure_logs
    from settings import Settings

    settings = Settings()
    configure_logs(settings.model_copy(update={"log_level": "warning"}))  # stdout is the result's alone
    results: list[Result] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=told, transient=True) as progress:
        task = progress.add_task("", total=len(wanted))

        def say(text: str) -> None:
            progress.update(task, description=text)

        with Context(settings, quick=quick, say=say, progress=progress) as context:
            for measure in wanted:
                say(f"{measure.row} {measure.title}")
                results += measure.run(context)
                progress.advance(task)
            told.print(context.load_note(), highlight=False)
    return results


def table(results: list[Result]) -> Table:
    """The results for people; figures with three significant digits."""
    shown = Table(show_lines=False, header_style="bold", expand=False)
    for title in ("measure", "ours", "peer", "better by", "bar", "holds", "peer and notes"):
        right = title in ("ours", "peer", "better by")
        shown.add_column(title, justify="right" if right else "left", no_wrap=right)
    signs = {True: "[green]✓ holds[/]", False: "[red]✗ missed[/]", None: "– untold"}
    for result in results:
        ratio = result.ratio
        shown.add_row(
            result.measure, figure(result.ours, result.unit), figure(result.peer, result.unit),
            "–" if ratio is None else f"{figure(ratio, '×')}", result.bar, signs[result.holds],
            "; ".join(filter(None, (result.peer_name, result.note))),
        )  # fmt: skip
    return shown


def figure(value: float | None, unit: str) -> str:
    """Three significant digits with the unit, thousands separated; – for none."""
    if value is None:
        return "–"
    digits = float(f"{value:.3g}")
    text = f"{digits:,.0f}" if abs(digits) >= 100 else f"{digits:g}"
    return f"{text} {unit}".strip()
