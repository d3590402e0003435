"""Import of tickets: read, checked and placed as whole columns, written in one go or refused as a whole."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from geodata import jobs
from geodata.importing import ticket_store
from geodata.importing.bulk import copy_table
from geodata.importing.deadlines import with_deadlines
from geodata.importing.place import ask_reload, read_place, required_root
from geodata.importing.report import Progress, Report, refusal, silent
from geodata.importing.sheets import read_sheet
from geodata.importing.ticket_checks import check_repeated, check_swapped, with_shared_points
from geodata.importing.ticket_rows import SUBJECT, TicketOptions, parsed, vocabulary_of
from geodata.scope import Db

__all__ = ["TicketOptions", "import_tickets"]


def import_tickets(
    conn: Db, paths: Sequence[Path] | Path, options: TicketOptions | None = None, progress: Progress = silent
) -> Report:
    """Add all tickets of the files, in the caller's transaction, each with an event and the area of its point.

    Points are longitude and latitude in degrees of the named datum; they are stored as EPSG:4326. A ticket outside of
    all grids, without a point, or on a point that very many share is kept with the smallest area known and counted.
    Raises ImportRefused, with row and column, when anything in any file is wrong; then nothing was written.
    """
    options = options or TicketOptions()
    files = [paths] if isinstance(paths, Path) else list(paths)
    report = Report(SUBJECT, [path.name for path in files])
    place = read_place(conn, SUBJECT, files[0].name if files else "")
    root_no = required_root(place, SUBJECT, files[0].name if files else "")
    zone = _zone(options.time_zone, report.files[0] if files else "")
    vocabulary = vocabulary_of(conn, place)
    parts = []
    for number, path in enumerate(files):
        progress("read", number, len(files))
        parts.append(parsed(read_sheet(path, SUBJECT), options, zone, vocabulary, report))
    progress("read", len(files), len(files))
    rows = pa.concat_tables(parts)
    report.counts["read"] = rows.num_rows
    if not rows.num_rows and not report.fault_total:
        raise refusal(
            SUBJECT, ", ".join(report.files), "at least one ticket", "The file has a heading but no rows."
        )
    check_swapped(conn, rows, report)
    check_repeated(rows, report)
    report.refuse_if_faulty()

    rows = with_deadlines(conn, place, rows, report)
    rows = with_shared_points(rows, report).sort_by("reported_at")  # so that a month is a range of ids
    conn.execute(ticket_store.INCOMING)
    copy_table(conn, "incoming_ticket", rows, lambda done: progress("write", done, rows.num_rows))
    ticket_store.leave_out_known(conn, options.known, report)
    progress("place", 0, 1)
    ticket_store.place(conn, place, root_no)
    progress("place", 1, 1)
    ticket_store.store(conn, options.generated, progress)
    _counts(conn, report)
    _remark(report)
    ticket_store.forget(conn)
    ask_reload(conn, "reload", root_no, {"tickets": report.counts["added"]})
    jobs.plan(conn, "work", jobs.SWEEP, jobs.SWEEP, {}, None)  # the open ones get a job for their next moment
    return report


def _zone(name: str, file: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refusal(
            SUBJECT, file, "a time zone such as Asia/Shanghai", "Correct --time-zone.", name
        ) from None


def _counts(conn: Db, report: Report) -> None:
    for quality, number in conn.execute("SELECT location, count(*) FROM incoming_area GROUP BY 1 ORDER BY 1"):
        report.counts[quality] = number
    report.counts["added"] = sum(
        report.counts.get(name, 0) for name in ("exact", "shared_point", "outside", "none")
    )


def _remark(report: Report) -> None:
    sentences = {
        "outside": "tickets lie outside of all grids: kept, with the smallest area that holds them, or the whole place",
        "none": "tickets have no point: kept, with the area named in the file, or the whole place",
    }
    for quality, sentence in sentences.items():
        if report.counts.get(quality):
            report.notes.append(f"{report.counts[quality]} {sentence}.")
