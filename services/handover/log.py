"""The log of a shift as an XLSX file: who did what to which ticket, watermarked, audited, free of formulas."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from geodata.queries import shift_log
from geodata.queries.shift_log import Line
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.care.opening import require_person
from services.handover.errors import BadHandover
from services.tickets import number
from services.workbook import workbook

Whose = Literal["mine", "desk"]
Say = Callable[[str, str | None], str]  # (vocabulary, code) → its name; an empty word for no code
MOST_ROWS = 5000
LONGEST = timedelta(days=7)
COLUMNS: Mapping[str, int] = {  # name → width in characters
    "at": 19, "what": 14, "ticket": 18, "category": 16, "place": 24, "status": 10, "holder": 18, "actor": 14,
    "note": 50,
}  # fmt: skip


def export(
    conn: Db, viewer: Viewer, since: datetime, until: datetime, whose: Whose, *, say: Say, zone: ZoneInfo, now: datetime
) -> bytes:  # fmt: skip
    """All that was done in [since, until), by the viewer or by everybody of the desk, in the order of time.

    Raises NotForThem, BadHandover (the wrong way round, longer than 7 days, more than 5,000 rows).
    """
    require_person(viewer)
    if not since < until <= since + LONGEST:
        raise BadHandover("until", until.isoformat(), f"after `since`, at most {LONGEST.days} days")
    actors = [viewer.name] if whose == "mine" else None
    lines = shift_log.log(conn, since, until, actors, MOST_ROWS + 1)
    if len(lines) > MOST_ROWS:
        raise BadHandover("since", since.isoformat(), f"a span with at most {MOST_ROWS} rows")
    serial = secrets.token_hex(4)
    watermark = say("watermark", whose).format(
        account=viewer.name, time=f"{now.astimezone(zone):%Y-%m-%d %H:%M:%S}", number=serial, rows=len(lines),
        since=f"{since.astimezone(zone):%Y-%m-%d %H:%M}", until=f"{until.astimezone(zone):%Y-%m-%d %H:%M}",
    )  # fmt: skip
    numbered = [[f"{serial}-{count:04d}", *_cells(line, say, zone)] for count, line in enumerate(lines, 1)]
    headings = [say("column", name) for name in ("row", *COLUMNS)]
    book = workbook(watermark, headings, [16, *COLUMNS.values()], numbered)
    audit.record(
        conn, viewer, audit.Action.export, object_kind="shift_log", object_id=serial,
        detail={"rows": len(lines), "whose": whose, "since": since, "until": until},
    )  # fmt: skip
    return book


def _cells(line: Line, say: Say, zone: ZoneInfo) -> list[str]:
    place = line.area or ""
    if line.town not in (None, line.area):
        place = f"{line.town} {place}"
    ticket = ""
    if line.ticket_id is not None and line.reported_at is not None:
        ticket = number(line.ticket_id, line.reported_at, zone.key)
    return [
        f"{line.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", say(line.what, line.code), ticket,
        say("category", line.category), place, say("status", line.status),
        line.worker or say("department", line.department), line.actor, line.note or "",
    ]  # fmt: skip
