"""Import of days that a place sets above the national calendar."""

from pathlib import Path

import pyarrow as pa

from geodata.importing.report import Progress, Report, silent
from geodata.importing.rows import Kind, PeopleOptions, Reading, import_rows
from geodata.scope import Db


def import_calendar(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """Days: day, kind (working or off), name; a day that is here already is replaced.

    Deadlines that stand already stay as they are; those that come later count with it.
    """
    return import_rows(conn, path, _CALENDAR, options, generated, progress)


def _days(read: Reading) -> dict[str, pa.Array]:
    return {
        "day": read.fields.date("day", read.zone, required=True),
        "kind": read.word("kind", "day_kind", "working or off"),
        "name": read.fields.text("name", required=True, longest=100),
    }


_CALENDAR = Kind(
    "calendar",
    ("day", "kind", "name"),
    False,
    _days,
    "day date, kind text, name text",
    "SELECT count(*) FROM incoming_row JOIN calendar_override USING (day)",
    (
        """
        INSERT INTO calendar_override (day, kind, name, source)
        SELECT day, kind, name, %(source)s FROM incoming_row ORDER BY row_no
        ON CONFLICT (day) DO UPDATE SET kind = excluded.kind, name = excluded.name, source = excluded.source,
            created_at = now()
        """,
    ),
    "day",
)
