"""The list as an XLSX file that says on every page who took it and what it was filtered by."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from geodata.queries import ticket_words
from geodata.queries.ticket_list import ListRow
from geodata.scope import Db, Scope
from profiles import Profile
from services import audit
from services.access import Right, Viewer
from services.ticket_list import listing
from services.ticket_list.asked import Asked, BadFilter
from services.tickets import number
from services.workbook import workbook

MOST_ROWS = 5000
COLUMNS: Mapping[str, int] = {  # name → width in characters
    "row": 16, "number": 20, "source_id": 18, "status": 10, "class": 14, "category": 18, "channel": 12,
    "severity": 10, "department": 18, "worker": 14, "town": 14, "community": 16, "grid": 16, "title": 36,
    "address": 32, "reported": 17, "dispatched": 17, "due": 17, "handled": 17, "closed": 17, "late": 8,
    "supervision": 12, "redos": 8, "satisfaction": 12,
}  # fmt: skip
WORDS = ("source_id", "title", "address")  # only for roles that may see them


class Names(NamedTuple):
    """What codes are called in the language of the file."""

    columns: Mapping[str, str]
    statuses: Mapping[str, str]
    categories: Mapping[str, tuple[str, str]]  # subclass → class and own name
    channels: Mapping[str, str]
    severities: Mapping[str, str]
    departments: Mapping[str, str]
    supervisions: Mapping[str, str]
    satisfactions: Mapping[str, str]
    late: str
    watermark: str  # with {account}, {time}, {filters}, {number} and {rows}


def export(
    conn: Db, profile: Profile, actor: Viewer, asked: Asked, scope: Scope, *, names: Names, now: datetime
) -> bytes:
    """The whole list, at most 5,000 rows; the audit gets its filters, number of rows and the export's number.

    Raises BadFilter when there are more, WordsHidden.
    """
    page = listing.page(conn, profile, actor, asked, scope, now=now, limit=MOST_ROWS, most=MOST_ROWS)
    if page.next is not None or page.looked_at is not None:
        raise BadFilter("filters", page.total, f"a list of at most {MOST_ROWS} tickets: narrow it")
    zone = ZoneInfo(profile.time_zone)
    columns = [name for name in COLUMNS if name not in WORDS or actor.may(Right.PEOPLE)]
    areas = ticket_words.area_names(conn, {no for row in page.rows for no in above(row.area_no)})
    mark = secrets.token_hex(4)
    tell = _teller(profile, names, areas, zone, now)
    lines = []
    for count, row in enumerate(page.rows, 1):
        cells = {"row": f"{mark}-{count:04d}", **tell(row)}
        lines.append([cells[name] for name in columns])
    filters = " ".join(f"{name}={_flat(value)}" for name, value in asked.kept().items()) or "-"
    watermark = names.watermark.format(
        account=actor.name, time=f"{now.astimezone(zone):%Y-%m-%d %H:%M:%S}", filters=filters, number=mark,
        rows=len(lines),
    )  # fmt: skip
    book = workbook(
        watermark, [names.columns[name] for name in columns], [COLUMNS[name] for name in columns], lines
    )
    audit.record(
        conn, actor, audit.Action.export, object_kind="tickets", object_id=mark,
        detail={"rows": len(lines), "filters": asked.kept()}, area_no=None if scope.county else scope.lo,
    )  # fmt: skip
    return book


def above(area_no: int) -> tuple[int, int, int]:
    """Numbers of the town, the community and the grid of an area, as far down as it goes (ADR 0004)."""
    return area_no // 1_000_000 * 1_000_000, area_no // 1_000 * 1_000, area_no


def _teller(
    profile: Profile, names: Names, areas: Mapping[int, str], zone: ZoneInfo, now: datetime
) -> Callable[[ListRow], dict[str, str]]:
    def moment(at: datetime | None) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""

    def tell(row: ListRow) -> dict[str, str]:
        town, community, grid = above(row.area_no)
        whole, own = names.categories.get(row.category, ("", row.category))
        late = row.due_at is not None and (row.handled_at or row.closed_at or now) > row.due_at
        return {
            "number": number(row.id, row.reported_at, profile.time_zone),
            "source_id": row.source_id or "",
            "status": names.statuses.get(row.status, row.status),
            "class": whole,
            "category": own,
            "channel": names.channels.get(row.channel, row.channel),
            "severity": names.severities.get(row.severity or "", row.severity or ""),
            "department": names.departments.get(row.department or "", row.department or ""),
            "worker": row.worker or "",
            "town": areas.get(town, ""),
            "community": areas.get(community, "") if community != town else "",
            "grid": areas.get(grid, "") if grid not in (community, town) else "",
            "title": row.title or "",
            "address": row.address or "",
            "reported": moment(row.reported_at),
            "dispatched": moment(row.dispatched_at),
            "due": moment(row.due_at),
            "handled": moment(row.handled_at),
            "closed": moment(row.closed_at),
            "late": names.late if late else "",
            "supervision": names.supervisions.get(row.supervision or "", row.supervision or ""),
            "redos": str(row.redos) if row.redos else "",
            "satisfaction": names.satisfactions.get(row.satisfaction or "", ""),
        }

    return tell


def _flat(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
