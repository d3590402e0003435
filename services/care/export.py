"""The register as an XLSX file that says on every page who took it, when and why."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime

from geodata.queries import care as queries
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.care.contents import contents_of
from services.care.errors import BadCare
from services.care.opening import checked_reason, require_person
from services.care.plan import State, state_of, wanted
from services.care.sealing import Seals
from services.workbook import workbook

MOST_ROWS = 5000
COLUMNS = ("row", "code", "name", "category", "grid", "building", "phone", "id_number", "contacts", "every_days",
           "last_visit_on", "next_visit_on", "state")  # fmt: skip
WIDTHS = (16, 12, 12, 14, 20, 16, 16, 22, 60, 10, 12, 12, 10)  # characters


def export(
    conn: Db, actor: Viewer, reason: str, *, words: Mapping[str, str],
    categories: Mapping[str, str], roles: Mapping[str, str], seals: Seals, state: State | None, category: str | None,
    now: datetime,
) -> bytes:  # fmt: skip
    """The records in scope, opened, as an XLSX file; the audit gets reason, number of rows and the export's number.

    `words` are the headings by COLUMNS, "state.<state>" and "watermark"; `now` is in the place's zone. Raises BadCare
    (no reason, or more than 5,000 records), WrongKey, NotForThem.
    """
    require_person(actor)
    reason = checked_reason(reason)
    asked = wanted(state, category, now.date())
    found = queries.page(conn, asked, MOST_ROWS + 1, None)
    if len(found) > MOST_ROWS:
        raise BadCare(
            [{"where": "within", "message": f"an area or a state with at most {MOST_ROWS} records"}]
        )
    number = secrets.token_hex(4)
    sealed = queries.sealed(conn, [row.id for row in found])
    names = queries.grid_names(conn, [row.area_no for row in found])
    lines: list[list[str]] = []
    for count, row in enumerate(found, 1):
        opened = contents_of(sealed[row.id], seals).opened()
        contacts = "; ".join(
            " ".join(
                part for part in (roles.get(one["role"], one["role"]), one["name"], one["phone"]) if part
            )
            for one in opened["contacts"]
        )
        lines.append(
            [f"{number}-{count:04d}", row.code, opened["name"], categories.get(row.category, row.category),
             names.get(row.area_no, str(row.area_no)), sealed[row.id].building or "", opened["phone"] or "",
             opened["id_number"] or "", contacts, str(row.every_days), _day(row.last_visit_on),
             row.next_visit_on.isoformat(), words[f"state.{state_of(row.next_visit_on, row.ended_on, now.date())}"]]
        )  # fmt: skip
    watermark = words["watermark"].format(
        account=actor.name, time=f"{now:%Y-%m-%d %H:%M:%S}", reason=reason, number=number, rows=len(lines)
    )
    book = workbook(watermark, [words[name] for name in COLUMNS], WIDTHS, lines)
    audit.record(
        conn, actor, audit.Action.care_exported, object_kind="care export", object_id=number, reason=reason,
        detail={"rows": len(lines), "state": state, "category": category},
    )  # fmt: skip
    return book


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
