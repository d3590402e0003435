"""Fields of a sheet: which heading serves which field, and columns parsed whole, with row and value in complaints."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.importing import words
from geodata.importing.report import LISTED_PER_KIND, Report
from geodata.importing.sheets import Sheet
from geodata.importing.times import parse_dates, parse_times

Mask = NDArray[np.bool_]
EXCEL_ERROR = r"^#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!)$"
FORMULA = r"^\s*(=|@[A-Za-z]+\(|[+\-][A-Za-z]+\()"
SPREADSHEET_HINT = (
    "The cell holds a formula or its error: in the spreadsheet, paste it as values and correct it."
)


class Choice:
    """A vocabulary: what may stand in a column (codes and names, compared without case and spaces), and its ids."""

    def __init__(
        self, options: Mapping[str, Any], named: Mapping[str, Any], pad_to: frozenset[int] = frozenset()
    ) -> None:
        """`options` are exact codes, `named` are further words; `pad_to`: code lengths, for lost leading zeros."""
        self.by_code = dict(options)
        self.by_word = {words.key(word): value for word, value in named.items()}
        self.by_word |= {words.key(code): value for code, value in options.items()}
        self.shown = sorted({str(word) for word in named} | {str(code) for code in options})
        self.pad_to = pad_to

    def find(self, text: str) -> Any:
        """The id that a text means; None when it means nothing here."""
        if text in self.by_code:
            return self.by_code[text]
        found = self.by_word.get(words.key(text))
        if found is None and text.isdigit():
            padded = [text.zfill(length) for length in self.pad_to if length > len(text)]
            hits = [self.by_code[code] for code in padded if code in self.by_code]
            found = hits[0] if len(hits) == 1 else None
        return found

    def hint(self, text: str) -> str:
        """The nearest words, or all of a short list."""
        near = difflib.get_close_matches(text, self.shown, n=3, cutoff=0.4)
        if near:
            return "Nearest: " + ", ".join(near) + "."
        return "Known: " + ", ".join(self.shown[:12]) + (" …" if len(self.shown) > 12 else "") + "."


class Fields:
    """One sheet with its headings resolved. Every method gives one array as long as the sheet, null where empty."""

    def __init__(
        self,
        sheet: Sheet,
        report: Report,
        known: tuple[str, ...],
        named: Mapping[str, str] | None = None,
        constants: Mapping[str, str] | None = None,
        replacements: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """`known` fields; `named` field → heading as the user says; `constants` field → one value for all rows;
        `replacements` field → value in the file → value to read instead."""
        self.sheet, self.report = sheet, report
        self.replacements = {
            field: {words.key(old): new for old, new in table.items()}
            for field, table in (replacements or {}).items()
        }
        self.constants = dict(constants or {})
        self.heading: dict[str, str] = {}
        self._resolve(known, dict(named or {}))

    def _resolve(self, known: tuple[str, ...], named: dict[str, str]) -> None:
        by_key: dict[str, str] = {}
        for heading in self.sheet.columns:
            by_key.setdefault(words.key(heading), heading)
        for field, heading in named.items():
            if field not in known:
                self._file_fault(field, f"a field of: {', '.join(known)}", "Correct --column FIELD=NAME.")
            elif heading in self.sheet.columns or words.key(heading) in by_key:
                self.heading[field] = heading if heading in self.sheet.columns else by_key[words.key(heading)]
            else:
                self._file_fault(
                    heading, f"a column named {heading}", f"The file has: {', '.join(self.sheet.columns)}."
                )
        taken = set(self.heading.values())
        synonyms = words.words()["columns"]
        for wanted in (lambda field: [field], lambda field: synonyms.get(field, [])):
            for field in known:
                if field in self.heading or field in self.constants:
                    continue
                for word in wanted(field):
                    found = by_key.get(words.key(word))
                    if found is not None and found not in taken:
                        self.heading[field] = found
                        taken.add(found)
                        break
        for field in self.constants:
            if field not in known:
                self._file_fault(field, f"a field of: {', '.join(known)}", "Correct --set FIELD=VALUE.")

    def ignored(self) -> list[str]:
        """Headings that serve no field."""
        return [heading for heading in self.sheet.columns if heading not in self.heading.values()]

    def refuse_headings(self) -> None:
        """Complain about every heading that asks to keep what this product has no place for, by its name."""
        for heading in self.sheet.columns:
            kind = words.refused_heading(heading)
            if kind is not None:
                self._file_fault(
                    heading, "no column of this kind",
                    f"Wangge keeps no {kind.replace('_', ' ')} of people. Delete the column and import again.",
                )  # fmt: skip

    def has(self, field: str) -> bool:
        """Whether the file or a constant gives that field."""
        return field in self.heading or field in self.constants

    def raw(self, field: str, required: bool = False) -> pa.Array:
        """The column as it stands in the file."""
        if field in self.constants:
            return pa.array([self.constants[field]] * len(self.sheet), pa.string())
        if field in self.heading:
            return self.sheet.columns[self.heading[field]]
        if required:
            hint = f"Say which column it is: --column {field}=NAME. The file has: {', '.join(self.sheet.columns)}."
            self._file_fault(None, f"a column for {field}", hint)
        return pa.nulls(len(self.sheet), pa.string())

    def text(
        self, field: str, *, required: bool = False, longest: int = 4000, formulas: bool = True
    ) -> pa.Array:
        """Trimmed text; numbers as they would be written. Empty text is null."""
        column = self._as_text(self.raw(field, required))
        if required and field in self.heading:
            self.complain(field, ~_valid(column), "a value", "The cell is empty.")
        self.complain(
            field,
            _true(pc.greater(pc.utf8_length(column), longest)),
            f"at most {longest} characters",
            "Shorten it.",
        )
        self.complain(
            field,
            _true(pc.match_substring(column, "\x00")),
            "text",
            "The cell holds a NUL character; remove it.",
        )
        self.complain(
            field, _true(pc.match_substring_regex(column, EXCEL_ERROR)), "a value", SPREADSHEET_HINT
        )
        if formulas:
            self.complain(
                field,
                _true(pc.match_substring_regex(column, FORMULA)),
                "a value, not a formula",
                SPREADSHEET_HINT,
            )
        return column

    def choice(
        self, field: str, options: Choice, what: str, *, required: bool = False, hint: str = ""
    ) -> list[Any]:
        """Ids of a vocabulary, None where empty; each distinct value is looked up once."""
        column = self._as_text(self.raw(field, required))
        if required and (field in self.heading or field in self.constants):
            self.complain(field, ~_valid(column), what, "The cell is empty.")
        encoded = column.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        replaced = self.replacements.get(field, {})
        ids = [options.find(replaced.get(words.key(text), text)) for text in distinct]
        indices = np.asarray(encoded.indices.fill_null(-1))
        for number, text in enumerate(distinct):
            if ids[number] is None:
                self.complain(
                    field, indices == number, what, f"{options.hint(text)} {hint}".strip(), listed=3
                )
        lookup = np.array([*ids, None], dtype=object)
        return list(lookup[indices])

    def time(self, field: str, zone: ZoneInfo, *, required: bool = False) -> pa.Array:
        """Times in UTC, null where empty."""
        return self._parsed(
            field, required, lambda column: parse_times(column, zone), "a time such as 2024-05-01 08:30:00"
        )

    def date(self, field: str, zone: ZoneInfo, *, required: bool = False) -> pa.Array:
        """Local dates (date32), null where empty."""
        return self._parsed(
            field, required, lambda column: parse_dates(column, zone), "a date such as 2024-05-01"
        )

    def number(self, field: str, *, least: float, most: float, whole: bool = False) -> NDArray[np.float64]:
        """Finite numbers, NaN where empty."""
        values, bad = _numbers(self.raw(field))
        what = f"a {'whole ' if whole else ''}number from {least:g} to {most:g}"
        with np.errstate(invalid="ignore"):
            bad |= ~np.isnan(values) & ~((values >= least) & (values <= most))
            bad |= whole & ~np.isnan(values) & (values != np.floor(values))
        self.complain(field, bad, what, "")
        return np.where(bad, np.nan, values)

    def point(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The fields lon and lat as numbers of any size, NaN where both are empty; half a point is complained about."""
        found: dict[str, tuple[NDArray[np.float64], Mask]] = {}
        for field in ("lon", "lat"):
            values, bad = _numbers(self.raw(field))
            self.complain(
                field, bad, "a number in decimal degrees", "Write 117.0073, not degrees and minutes."
            )
            found[field] = values, bad
        for field, other in (("lon", "lat"), ("lat", "lon")):
            if self.has(other) and not self.has(field):
                self.raw(field, required=True)
            elif self.has(field):
                lacking = np.isnan(found[field][0]) & ~found[field][1] & ~np.isnan(found[other][0])
                self.complain(
                    field, lacking, "both longitude and latitude, or neither", "Complete it, or empty both."
                )
        lon, lat = found["lon"][0], found["lat"][0]
        nothing = np.isnan(lon) | np.isnan(lat)
        return np.where(nothing, np.nan, lon), np.where(nothing, np.nan, lat)

    def complain(
        self, field: str | None, mask: Mask, expected: str, hint: str, *, listed: int = LISTED_PER_KIND
    ) -> None:
        """One complaint about all rows of a mask, under the file's own heading."""
        total = int(np.count_nonzero(mask))
        if not total:
            return
        where = np.flatnonzero(mask)[:listed]
        heading = self.heading.get(field or "", field)
        values = (
            self.sheet.columns[heading].take(pa.array(where)).to_pylist()
            if heading in self.sheet.columns
            else []
        )
        cases = [
            (int(self.sheet.rows[index]), values[order] if values else None)
            for order, index in enumerate(where)
        ]
        self.report.faults_of(cases, total, heading, expected, hint, self.sheet.file)

    def _file_fault(self, value: str | None, expected: str, hint: str) -> None:
        self.report.fault(None, None, value, expected, hint, self.sheet.file)

    def _parsed(
        self, field: str, required: bool, parse: Callable[[pa.Array], tuple[Any, Mask]], what: str
    ) -> Any:
        column = self.raw(field, required)
        parsed, bad = parse(column)
        self.complain(
            field, bad, what, "The year comes first; Excel dates and 2024/5/1 8:30 are understood too."
        )
        if required and field in self.heading:
            filled = _valid(self._as_text(column) if pa.types.is_string(column.type) else column)
            self.complain(field, ~filled, what, "The cell is empty.")
        return parsed

    def _as_text(self, column: pa.Array) -> pa.Array:
        kind = column.type
        if pa.types.is_floating(kind):
            whole = np.asarray(pc.equal(column, pc.floor(column)).fill_null(False))
            if whole.all() or column.null_count:
                column = pc.if_else(pc.is_nan(column).fill_null(True), None, column)
            if np.asarray(pc.equal(column, pc.floor(column)).fill_null(True)).all():
                column = pc.cast(column, pa.int64(), safe=False)
        text = column if pa.types.is_string(column.type) else pc.cast(column, pa.string(), safe=False)
        trimmed = pc.utf8_trim_whitespace(text)
        return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _valid(column: pa.Array) -> Mask:
    return np.asarray(column.is_valid())


def _true(column: pa.Array) -> Mask:
    return np.asarray(column.fill_null(False))


def _numbers(column: pa.Array) -> tuple[NDArray[np.float64], Mask]:
    """Numbers of a column of any type, NaN where empty, and a mask of what is none or not finite."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        trimmed = pc.utf8_trim_whitespace(column.cast(pa.string()))
        filled = _true(pc.not_equal(trimmed, ""))
        plain = _true(pc.match_substring_regex(trimmed, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"))
        numbers = pc.if_else(pa.array(plain), trimmed, pa.scalar(None, pa.string())).cast(pa.float64())
        bad = filled & ~plain
    elif (
        pa.types.is_integer(column.type)
        or pa.types.is_floating(column.type)
        or pa.types.is_decimal(column.type)
    ):
        numbers = column.cast(pa.float64())
        bad = np.zeros(len(column), bool)
    else:
        return np.full(len(column), np.nan), _valid(column)
    values = np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    bad = bad | np.isinf(values)
    return np.where(bad, np.nan, values), bad
