"""Zips, workbooks and Parquet files that would fill the memory or the disk are refused with a sentence."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from geodata.importing import packed, sheets
from geodata.importing.packed import check_packed, check_workbook
from geodata.importing.report import ImportRefused
from geodata.importing.sheets import read_sheet

Make = Callable[..., Path]


@pytest.fixture
def zipped(tmp_path: Path) -> Make:
    """Writes a zip of those names and contents."""

    def write(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
        path = tmp_path / "file.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in entries.items():
                archive.writestr(zipfile.ZipInfo(name), content, compression)
        return path

    return write


def why(path: Path, check: Callable[[Path, str], object] = check_packed) -> str:
    """The sentence that refuses the file."""
    with pytest.raises(ImportRefused) as refused:
        check(path, "areas")
    (fault,) = refused.value.report.faults
    return f"{fault.value} {fault.expected} {fault.hint}"


def sheet_of(cells: str) -> dict[str, bytes]:
    """The parts of a workbook whose one sheet has those rows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    link = '<Relationships xmlns="{}/relationships"><Relationship Id="rId1" Type="{}/{}" Target="{}"/></Relationships>'
    return {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>'.encode(),
        "_rels/.rels": link.format(package, office, "officeDocument", "xl/workbook.xml").encode(),
        "xl/workbook.xml": (
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets>'
            "</workbook>"
        ).encode(),
        "xl/_rels/workbook.xml.rels": link.format(package, office, "worksheet", "worksheets/s.xml").encode(),
        "xl/worksheets/s.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'.encode(),
    }


def test_ordinary_zips_and_workbooks_pass(zipped: Make, tmp_path: Path) -> None:
    check_packed(zipped({"data/": b"", "data/网格.shp": b"x" * 1000, "data/网格　一.dbf": b""}), "areas")
    check_packed(zipped({"a.shp": b"x"}, zipfile.ZIP_STORED), "areas")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for row in range(2000):
            sheet.write_row(row, 0, ["编号", row, 1.5, 'He wrote r="XFD1048576"'])
    assert len(read_sheet(tmp_path / "a.xlsx", "tickets")) == 1999


@pytest.mark.parametrize(
    "name", ["../a.shp", "x/../../a.shp", "/etc/a.shp", "..\\a.shp", "C:\\a.shp", "a\x00.shp", "a" * 300]
)
def test_names_that_lead_elsewhere(zipped: Make, name: str) -> None:
    assert "leads out of" in why(zipped({"aaa": b"x", name.replace("\x00", "\x01"): b"x"}))


def test_a_bomb_that_says_so_and_one_that_lies(
    zipped: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = zipped({"a.shp": bytes(60_000_000)})
    assert "zip bomb" in why(path)
    honest = zipped({"a.shp": bytes(3_000_000)}).read_bytes()
    stated, short = struct.pack("<I", 3_000_000), struct.pack("<I", 1000)
    crc, wrong = struct.pack("<I", zlib.crc32(bytes(3_000_000))), struct.pack("<I", zlib.crc32(bytes(1000)))
    lying = tmp_path / "lying.zip"
    lying.write_bytes(honest.replace(stated, short).replace(crc, wrong))
    with zipfile.ZipFile(lying) as archive:
        assert archive.testzip() is None  # whoever believes the directory sees nothing
    assert "zip bomb" in why(lying)
    monkeypatch.setattr(packed, "MOST_ENTRIES", 3)
    assert "zip bomb" in why(zipped({f"{i}.shp": b"" for i in range(4)}))


def test_other_ways_of_packing_and_entries_of_one_name(zipped: Make) -> None:
    assert "ordinary zip" in why(zipped({"a.shp": b"x"}, zipfile.ZIP_LZMA))
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped({"a.shp": b"1"})
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("a.shp", b"2")
    assert "one name" in why(path)
    locked = bytearray(zipped({"a.shp": b"1"}).read_bytes())
    locked[6] |= 1  # the flag of the entry, and of the directory
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(locked)
    assert "without a password" in why(path)


def test_a_zip_that_was_cut_off_or_damaged(zipped: Make) -> None:
    path = zipped({"a.shp": bytes(range(256)) * 400})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged or cut off" in why(path)
    path.write_bytes(whole[:60] + b"\xff" * 40 + whole[100:])
    assert "damaged or cut off" in why(path)


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row r='1'><c x='>'\n r = 'XFD1'><v>1</v></c></row><row r='9999'><c r='a9999'><v>1</v></c></row>",
    ],
)
def test_two_cells_at_the_corners_are_a_bomb(zipped: Make, cells: str) -> None:
    path = zipped(sheet_of(cells))
    assert path.stat().st_size < 2000
    assert "columns a sheet of at most 30,000,000 cells" in why(path, read_sheet)


def test_a_far_cell_of_a_narrow_table_is_no_bomb(zipped: Make) -> None:
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="99999"><c r="B99999"><v>2</v></c></row>'
    check_workbook(zipped(sheet_of(cells)), "tickets")


def test_a_workbook_in_another_encoding(zipped: Make) -> None:
    parts = sheet_of("<row/>")
    parts["xl/worksheets/s.xml"] = parts["xl/worksheets/s.xml"].decode().encode("utf-16")
    assert "not UTF-8" in why(zipped(parts), read_sheet)


def test_a_parquet_file_of_one_long_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"text": pa.array(["x" * 100_000] * 2_000)}), path)
    assert path.stat().st_size < 1_000_000
    monkeypatch.setattr(sheets, "BATCH_ROWS", 100)
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED_BYTES", 50_000_000)
    assert "unreasonable size" in why(path, read_sheet)
