"""Tables as XLSX files that say on every page who took them, and in which no text is taken for a formula."""

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

_RISKY = ("=", "+", "-", "@", "\t", "\r")


def workbook(
    watermark: str, headings: Sequence[str], widths: Sequence[int], lines: Iterable[Sequence[str]]
) -> bytes:
    """One sheet: the watermark, the headings, the lines; `widths` are characters a column.

    The watermark also stands in the header and footer of each printed page. All cells are text.
    """
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
            sheet.set_column(column, column, widths[column])
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
