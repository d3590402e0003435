"""The register as an XLSX file that says on every page who took it, when and why."""

import io
import secrets
from collections.abc import Mapping
from datetime import date, datetime

import xlsxwriter

from geodata.queries import care as queries
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.care.contents import contents_of
from services.care.errors import BadCare
from services.care.opening import checked_reason, require_person
from services.care.plan import State, state_of, wanted
from services.care.sealing import Seals

MOST_ROWS = 5000
COLUMNS = ("row", "code", "name", "category", "grid", "building", "phone", "id_number", "contacts", "every_days",
           "last_visit_on", "next_visit_on", "state")  # fmt: skip
WIDTHS = (16, 12, 12, 14, 20, 16, 16, 22, 60, 10, 12, 12, 10)  # characters
_RISKY = ("=", "+", "-", "@", "\t", "\r")


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
    book = _workbook(watermark, [words[name] for name in COLUMNS], lines)
    audit.record(
        conn, actor, audit.Action.care_exported, object_kind="care export", object_id=number, reason=reason,
        detail={"rows": len(lines), "state": state, "category": category},
    )  # fmt: skip
    return book


def _workbook(watermark: str, headings: list[str], lines: list[list[str]]) -> bytes:
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        mark = book.add_format({"bold": True, "font_color": "#B00020", "text_wrap": True, "valign": "top"})
        bold = book.add_format({"bold": True, "bottom": 1})
        faint = book.add_format({"font_color": "#808080"})
        sheet.merge_range(0, 0, 0, len(headings) - 1, "", mark)
        sheet.write_string(0, 0, harmless(watermark), mark)
        sheet.set_row(0, 32)
        for column, heading in enumerate(headings):
            sheet.write_string(1, column, harmless(heading), bold)
            sheet.set_column(column, column, WIDTHS[column])
        for line_no, line in enumerate(lines, 2):
            for column, text in enumerate(line):
                sheet.write_string(line_no, column, harmless(text), faint if column == 0 else None)
        sheet.freeze_panes(2, 0)
        sheet.repeat_rows(0, 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        told = watermark.replace("&", "&&")
        sheet.set_header(f"&L&8{told[:200]}")
        sheet.set_footer(f"&L&8{told[:200]}&R&8&P / &N")
        book.set_properties({"comments": watermark})
    return out.getvalue()


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula, also after it was saved as CSV and opened again (OWASP)."""
    return f"'{text}" if text.startswith(_RISKY) else text


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
