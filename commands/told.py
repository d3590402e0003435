"""What an import or a check tells at the terminal: progress while it runs, then tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from geodata.importing.check import Check
    from geodata.importing.report import Report

screen, told = Console(highlight=False), Console(stderr=True, highlight=False)
SHOWN_FAULTS = 60


@contextmanager
def progress() -> "Iterator[Callable[[str, int, int], None]]":
    """A bar for each stage of a long work; gone when it ends."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=told, transient=True, disable=not told.is_terminal) as bars:
        tasks: dict[str, int] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield tell


def tell_report(report: "Report", dry_run: bool) -> None:
    """What was done, and what was kept but deserves a look."""
    table = Table(
        title=f"{', '.join(report.files[:3])}{' …' if len(report.files) > 3 else ''} → {report.subject}"
    )
    table.add_column("")
    table.add_column("number", justify="right")
    for name, number in report.counts.items():
        if number or name in ("read", "added"):
            table.add_row(name.replace("_", " "), f"{number:,}")
    screen.print(table)
    for note in report.notes[:30]:
        screen.print(f"• {escape(note)}")
    if len(report.notes) > 30:
        screen.print(f"• … and {len(report.notes) - 30} more.")
    if dry_run:
        screen.print("Only tried (--dry-run): nothing was written.")


def tell_refused(report: "Report") -> None:
    """Every complaint with its row and column, and what to do."""
    table = Table(title=f"{', '.join(report.files[:3])}: refused, nothing was written")
    table.add_column("row", justify="right")
    for heading in ("column", "found", "expected", "what to do"):
        table.add_column(heading, overflow="fold")
    for fault in report.faults[:SHOWN_FAULTS]:
        where = "" if fault.row is None else str(fault.row)
        if fault.file and len(report.files) > 1 and fault.row is not None:
            where = f"{fault.file}:{where}"
        cells = (where, fault.column or "", fault.value or "", fault.expected, fault.hint)
        table.add_row(*map(escape, cells))
    told.print(table)
    shown = min(len(report.faults), SHOWN_FAULTS)
    if report.fault_total > shown:
        told.print(f"{report.fault_total:,} complaints in all; these are the first of each kind.")


def tell_check(check: "Check", subject: str) -> None:
    """Every fault of areas with its size and place."""
    for note in check.notes:
        screen.print(f"• {escape(note)}")
    if check.passed:
        screen.print(f"{escape(subject)}: {check.checked:,} areas, no fault.")
        return
    table = Table(title=f"{escape(subject)}: {check.checked:,} areas, {len(check.faults):,} faults")
    for heading in ("fault", "row", "areas", "m²", "where", "found", "what to do"):
        table.add_column(heading, overflow="fold", justify="right" if heading in ("row", "m²") else "left")
    for fault in check.faults[:SHOWN_FAULTS]:
        centre = None if fault.shape is None or fault.shape.is_empty else fault.shape.representative_point()
        table.add_row(
            fault.kind.replace("_", " "),
            "" if fault.row is None else str(fault.row),
            escape(", ".join(fault.codes[:3]) + (" …" if len(fault.codes) > 3 else "")),
            "" if fault.area_m2 is None else f"{fault.area_m2:,.1f}",
            "" if centre is None else f"{centre.x:.5f}, {centre.y:.5f}",
            escape(fault.found),
            escape(fault.hint),
        )
    screen.print(table)
    kinds: dict[str, int] = {}
    for fault in check.faults:
        kinds[fault.kind] = kinds.get(fault.kind, 0) + 1
    screen.print(
        "In all: " + ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in kinds.items()) + "."
    )
