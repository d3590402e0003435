"""Table files (CSV, XLSX, Parquet, GeoJSON points) as sheets: columns as they stand in the file, with row numbers."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from geodata.importing.packed import LARGEST_UNPACKED_BYTES, check_workbook
from geodata.importing.report import refusal

LARGEST_BYTES = 1_000_000_000
DEEPEST = 40  # brackets within brackets, in a JSON file
MOST_ROWS = 20_000_000
BATCH_ROWS = 16_384  # of a Parquet file
ERROR_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]*\bt="e"[^>]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?<v>([^<]{1,20})</v>'
)
ENCODINGS = ("utf-8-sig", "gb18030")
ACCEPTED = "a table: .csv, .xlsx, .parquet or .geojson"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as read: every column by its own heading; `rows` holds the number that a person finds each record by."""

    file: str
    columns: dict[str, pa.Array]
    rows: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.rows)


def read_sheet(path: Path, subject: str) -> Sheet:
    """Read one file by what it holds, not by its name alone. Raises ImportRefused, whatever is wrong with it."""
    head = first_bytes(path, subject)
    if head[:4] == b"PAR1":
        return _read_parquet(path, subject)
    if head[:4] == b"PK\x03\x04":
        return _read_workbook(path, subject)
    if head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise refusal(subject, path.name, ACCEPTED, "This is an old .xls file: open it and save it as .xlsx.")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _read_geojson(path, subject)
    if b"\x00" in head:
        raise refusal(
            subject, path.name, ACCEPTED, "The file is binary, of a kind that is not read here, or damaged."
        )
    return _read_csv(path, subject)


def first_bytes(path: Path, subject: str, count: int = 4096) -> bytes:
    """The start of a file that exists, is a file, is not empty and not beyond the size limit."""
    if not path.exists():
        raise refusal(subject, str(path), "a file that exists", "Check the path.")
    if not path.is_file():
        raise refusal(subject, str(path), "a file", "This is a folder; name one file in it.")
    size = path.stat().st_size
    if size == 0:
        raise refusal(subject, path.name, "a file with content", "The file is empty; export it again.")
    if size > LARGEST_BYTES:
        raise refusal(
            subject,
            path.name,
            f"at most {LARGEST_BYTES // 10**6} MB",
            "Split the file.",
            f"{size // 10**6} MB",
        )
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise refusal(subject, path.name, "a file that can be read", str(error.strerror)) from None


def json_document(path: Path, subject: str) -> Any:
    """A JSON file parsed, after its nesting was measured: endless nesting is refused, not recursed into."""
    content = path.read_bytes()
    depth = 0
    for start in range(0, len(content), 1 << 22):
        part = np.frombuffer(content, np.uint8, min(1 << 22, len(content) - start), start)
        steps = ((part == 0x5B) | (part == 0x7B)).astype(np.int32) - ((part == 0x5D) | (part == 0x7D))
        levels = depth + np.cumsum(steps, dtype=np.int32)
        if levels.max() > DEEPEST:
            raise refusal(
                subject, path.name, f"JSON nested at most {DEEPEST} deep", "The file is damaged or hostile."
            )
        depth = int(levels[-1])
    for encoding in ENCODINGS:
        try:
            return orjson.loads(content if encoding == "utf-8-sig" else content.decode(encoding).encode())
        except UnicodeDecodeError:
            continue
        except orjson.JSONDecodeError as error:
            if "surrogate" in str(error) or "UTF-8" in str(error) or "utf-8" in str(error):
                continue
            content_ends = (
                "it ends too early: copy or export it again"
                if error.pos >= len(content) - 2
                else "it is damaged"
            )
            raise refusal(
                subject,
                path.name,
                "well-formed JSON",
                f"Line {error.lineno}, column {error.colno}: {content_ends}.",
            ) from None
    raise refusal(subject, path.name, "text in UTF-8 or GB18030", "Save the file as UTF-8.")


def _read_parquet(path: Path, subject: str) -> Sheet:
    try:
        file = pq.ParquetFile(path)
        if file.metadata.num_rows > MOST_ROWS:
            raise refusal(subject, path.name, f"at most {MOST_ROWS} rows", "Split the file by month.")
        table = _counted(file, path, subject)
    except (pa.ArrowException, OSError) as error:
        hint = f"The file is damaged or cut off ({str(error).splitlines()[0][:80]}); export it again."
        raise refusal(subject, path.name, "a whole Parquet file", hint) from None
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        if isinstance(column.type, pa.DictionaryType):
            column = column.cast(column.type.value_type)
        columns[name] = column.combine_chunks()
    return Sheet(path.name, columns, np.arange(1, table.num_rows + 1))


def _counted(file: pq.ParquetFile, path: Path, subject: str) -> pa.Table:
    """The rows, read a batch at a time: one long word for millions of rows is a few bytes in a Parquet file."""
    batches, size = [], 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS):
        size += batch.nbytes
        if size > LARGEST_UNPACKED_BYTES:
            limit = f"at most {LARGEST_UNPACKED_BYTES // 10**6} MB of content"
            raise refusal(subject, path.name, limit, "It unpacks to an unreasonable size; split it by month.")
        batches.append(batch)
    return pa.Table.from_batches(batches, file.schema_arrow)


def _read_csv(path: Path, subject: str) -> Sheet:
    text = None
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", errors="replace")
    for encoding in ENCODINGS:
        if text is not None:
            break
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
    if text is None:
        raise refusal(subject, path.name, "text in UTF-8 or GB18030", "Save the file as CSV UTF-8.")
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first_line.count)
    try:
        return _from_rows(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), path, subject
        )
    except csv.Error as error:
        hint = f"{error}; look for a quotation mark that is not closed, or a file that was cut off."
        raise refusal(subject, path.name, "a well-formed CSV file", hint) from None


def _read_workbook(path: Path, subject: str) -> Sheet:
    from python_calamine import CalamineError, CalamineWorkbook

    check_workbook(path, subject)
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if not names:
            raise refusal(subject, path.name, "a workbook with a sheet", "The workbook is empty.")
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
        for row, column, error in _error_cells(path):  # these would come through as empty
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = error
    except (CalamineError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        said = str(error)[:80]
        hint = (
            f"The file is damaged, protected by a password, or no workbook ({said}). Save it as .xlsx again."
        )
        raise refusal(subject, path.name, "a whole .xlsx file", hint) from None
    return _from_rows(iter(rows), path, subject)


def _error_cells(path: Path) -> Iterator[tuple[int, int, str]]:
    """Row, column (both from 0) and text of the cells of a workbook's first sheet whose formula failed."""
    with zipfile.ZipFile(path) as archive:
        book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
        links = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
        first = re.search(r'<sheet\b[^>]*\br:id="([^"]+)"', book)
        link = first and re.search(rf'<Relationship\b[^>]*\bId="{re.escape(first[1])}"[^>]*>', links)
        target = link and re.search(r'\bTarget="/?(?:xl/)?([^"]+)"', link[0])
        name = f"xl/{target[1]}" if target else ""
        if name not in archive.namelist():
            return
        with archive.open(name) as sheet:
            tail = b""
            while chunk := sheet.read(1 << 22):
                part = tail + chunk
                for cell in ERROR_CELL.finditer(part):
                    column = 0
                    for letter in cell[1].decode():
                        column = column * 26 + ord(letter) - 64
                    yield int(cell[2]) - 1, column - 1, cell[3].decode("ascii", "replace")
                tail = part[-2048:]


def _from_rows(rows: Iterator[list[Any]], path: Path, subject: str) -> Sheet:
    """A sheet from rows of cells; the heading is the first row that is not empty."""
    header: list[str] = []
    number = 0
    kept: list[list[Any]] = []
    numbers: list[int] = []
    for cells in rows:
        number += 1
        if not any(cell not in ("", None) for cell in cells):
            continue
        if not header:
            header = [str(cell).strip() for cell in cells]
            continue
        if len(kept) >= MOST_ROWS:
            raise refusal(subject, path.name, f"at most {MOST_ROWS} rows", "Split the file by month.")
        if len(cells) > len(header) and any(cell not in ("", None) for cell in cells[len(header) :]):
            hint = "The row has more cells than the heading: a separator inside a text that is not quoted?"
            refused = refusal(
                subject, path.name, f"{len(header)} cells in row {number}", hint, f"{len(cells)} cells"
            )
            raise refused
        kept.append(cells)
        numbers.append(number)
    if not header:
        raise refusal(subject, path.name, "a heading and rows", "The table is empty.")
    named = [name for name in header if name]
    twice = {name for name in named if named.count(name) > 1}
    if twice:
        raise refusal(
            subject, path.name, "each heading once", "Rename one of them.", ", ".join(sorted(twice))
        )
    columns = {}
    for index, name in enumerate(header):
        if name:
            cells = [row[index] if index < len(row) else None for row in kept]
            columns[name] = column_of(cells)
    return Sheet(path.name, columns, np.array(numbers, dtype=np.int64))


def column_of(column: list[Any]) -> pa.Array:
    """Cells of one column as an Arrow array: one type if they agree, else text; a workbook's times stay times."""
    cleaned = [None if cell == "" else cell for cell in column]
    kinds = {type(cell) for cell in cleaned if cell is not None}
    if len(kinds) <= 1:
        try:
            return pa.array(cleaned)
        except (pa.ArrowException, ValueError, OverflowError):
            pass
    return pa.array([_as_text(cell) for cell in cleaned], pa.string())


def _as_text(cell: Any) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat())
    return str(cell).encode("utf-8", "replace").decode()


def _read_geojson(path: Path, subject: str) -> Sheet:
    """Properties as columns, and the point of each feature as the columns lon and lat."""
    document = json_document(path, subject)
    kind = document.get("type") if isinstance(document, dict) else None
    if kind != "FeatureCollection" or not isinstance(document.get("features"), list):
        hint = (
            "TopoJSON and other JSON are not read here; export as GeoJSON or CSV."
            if kind == "Topology"
            else ""
        )
        raise refusal(subject, path.name, 'GeoJSON with "type": "FeatureCollection"', hint, kind)
    names: dict[str, None] = {}
    features = document["features"]
    for number, feature in enumerate(features, 1):
        if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
            raise refusal(subject, path.name, f"a Feature as record {number}", "The file is damaged.")
        names.update(dict.fromkeys(feature.get("properties") or {}))
    columns = {
        str(name): column_of([_scalar((feature.get("properties") or {}).get(name)) for feature in features])
        for name in names
    }
    points = [
        _point(feature.get("geometry"), number, path, subject) for number, feature in enumerate(features, 1)
    ]
    if any(point is not None for point in points) or "lon" not in columns:
        columns["lon"] = pa.array([point and point[0] for point in points], pa.float64())
        columns["lat"] = pa.array([point and point[1] for point in points], pa.float64())
    return Sheet(path.name, columns, np.arange(1, len(features) + 1))


def _scalar(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


def _point(geometry: Any, number: int, path: Path, subject: str) -> tuple[float, float] | None:
    if geometry is None:
        return None
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if isinstance(geometry, dict) and geometry.get("type") == "Point" and isinstance(coordinates, list):
        if not coordinates:
            return None
        if len(coordinates) >= 2 and all(isinstance(part, int | float) for part in coordinates[:2]):
            return float(coordinates[0]), float(coordinates[1])
    kind = geometry.get("type") if isinstance(geometry, dict) else geometry
    raise refusal(
        subject, path.name, f"a Point as the geometry of record {number}", "Only points are read here.", kind
    )
