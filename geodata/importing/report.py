"""What an import did or why it was refused: counts, notes, and faults with row and column."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

LISTED_PER_KIND = 20  # of one complaint; the rest is only counted
LISTED = 200

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One complaint. `row` is the row as a spreadsheet shows it (header = 1), else the record counted from 1."""

    row: int | None
    column: str | None
    value: str | None
    expected: str
    hint: str = ""
    file: str = ""


@dataclass(slots=True)
class Report:
    """What was read and done. `faults` is capped for the eye, `fault_total` is not."""

    subject: str
    files: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=dict
    )  # by name: read, added, updated, unchanged, retired …
    notes: list[str] = field(default_factory=list)  # what was kept but deserves a look
    faults: list[Fault] = field(default_factory=list)
    fault_total: int = 0
    dry_run: bool = False
    _by_kind: dict[tuple[str | None, str], int] = field(default_factory=dict, repr=False)

    def fault(
        self, row: int | None, column: str | None, value: Any, expected: str, hint: str = "", file: str = ""
    ) -> None:
        """Add one complaint; beyond the cap it is only counted."""
        self.faults_of([(row, value)], 1, column, expected, hint, file)

    def faults_of(
        self,
        cases: Iterable[tuple[int | None, Any]],
        total: int,
        column: str | None,
        expected: str,
        hint: str = "",
        file: str = "",
    ) -> None:
        """Add the same complaint about `total` rows, of which `cases` are the first (row, value) pairs."""
        self.fault_total += total
        kind = (column, expected)
        for row, value in cases:
            if self._by_kind.get(kind, 0) >= LISTED_PER_KIND or len(self.faults) >= LISTED:
                break
            self._by_kind[kind] = self._by_kind.get(kind, 0) + 1
            self.faults.append(Fault(row, column, _short(value), expected, hint, file))

    def refuse_if_faulty(self) -> None:
        """Raise ImportRefused when anything was complained about."""
        if self.fault_total:
            raise ImportRefused(self)


class ImportRefused(Exception):
    """A file was refused as a whole, and nothing of it was written; `report.faults` says where and what to do."""

    def __init__(self, report: Report) -> None:
        self.report = report
        first = report.faults[0] if report.faults else None
        where = f" (row {first.row}, {first.column}: {first.value!r})" if first and first.row else ""
        super().__init__(f"{report.fault_total} faults; first: {first.expected if first else ''}{where}")


def refusal(subject: str, file: str, expected: str, hint: str = "", value: Any = None) -> ImportRefused:
    """The refusal of a whole file, for a reason that has no row."""
    report = Report(subject, [file])
    report.fault(None, None, value, expected, hint, file)
    return ImportRefused(report)


def _short(value: Any) -> str | None:
    """A value as a complaint may show it: one line, printable, at most 60 characters."""
    if value is None:
        return None
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value)[:200])
    return text if len(text) <= 60 else text[:59] + "…"
