"""Pages of the list of tickets as it is told to whoever asks."""

from datetime import datetime
from typing import Any, NamedTuple

from geodata.queries import ticket_list as queries
from geodata.queries.ticket_list import ListRow
from geodata.scope import Db, Scope
from profiles import Profile
from services.access import Right, Viewer
from services.ticket_list.asked import Asked, conditions_of, cursor, key_of, order_of
from services.tickets import number


class Page(NamedTuple):
    """Rows, where the next page begins (None: nowhere), and the counts (geodata.queries.ticket_list.Found)."""

    rows: list[ListRow]
    next: str | None
    total: int
    late: int
    more: bool
    looked_at: int | None


def page(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    asked: Asked,
    scope: Scope,
    *,
    now: datetime,
    limit: int = 50,
    after: str | None = None,
    most: int | None = None,
) -> Page:
    """A page of the list in the scope of the transaction; what was said only for roles that may see it.

    `most`: how many are counted, else as geodata.queries.ticket_list says.

    Raises BadFilter, WordsHidden.
    """
    key = key_of(after, asked.sort)
    wanted = conditions_of(conn, profile, viewer, asked, scope)
    found = queries.page(
        conn, wanted, order_of(asked, profile), now=now, limit=limit + 1, after=key,
        words=viewer.may(Right.PEOPLE), most=most,
    )  # fmt: skip
    rows = found.rows[:limit]
    further = cursor(asked.sort, rows[-1].sort_key) if len(found.rows) > limit else None
    return Page(rows, further, found.total, found.late, found.more, found.looked_at)


def told(row: ListRow, profile: Profile) -> dict[str, Any]:
    """A row as JSON: times are milliseconds since 1970."""
    fields = {
        name: round(value.timestamp() * 1000) if isinstance(value, datetime) else value
        for name, value in row._asdict().items()
        if name not in ("sort_key", "area_no", "area_code", "area_name", "area_level")
    }
    area = {"no": row.area_no, "code": row.area_code, "name": row.area_name, "level": row.area_level}
    return {"number": number(row.id, row.reported_at, profile.time_zone), **fields, "area": area}
