"""Packed files (zip, XLSX): judged before anything of them is unpacked or believed."""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from geodata.importing.report import refusal

LARGEST_UNPACKED_BYTES = 1_000_000_000
MOST_ENTRIES = 10_000
LONGEST_NAME = 255
MOST_RATIO = 200  # beyond 50 MB: text packs to a tenth, a bomb to a thousandth
MOST_CELLS = 30_000_000  # a reader of workbooks makes a full rectangle of the outermost cells
CHUNK = 1 << 20
LONGEST_TAG = 1 << 16
LOCAL_HEADER = struct.Struct("<4s5H3I2H")
ENCRYPTED = 0x1
CELL = re.compile(rb"""[<:](?:c|row)\s+(?:[^<]*?\s)??r\s*=\s*["']([A-Za-z]*)(\d*)["']""")


def check_packed(path: Path, subject: str) -> None:
    """Refuse a zip that would grow without measure, climb out of its folder or hide what it holds.

    Sizes are counted by unpacking, not taken from what the file says of itself. Raises ImportRefused.
    """
    with _directory(path, subject) as archive:
        entries = _checked_entries(archive, path, subject)
        budget = LARGEST_UNPACKED_BYTES
        with path.open("rb") as file:
            for entry in entries:
                count = 0
                for chunk in _unpacked(file, entry, path, subject):
                    count += len(chunk)
                    if count > min(budget, entry.file_size):
                        raise _bomb(path, subject, LARGEST_UNPACKED_BYTES)
                budget -= count


def check_workbook(path: Path, subject: str) -> None:
    """As check_packed, and refuse a workbook whose outermost cells span more than MOST_CELLS. Raises ImportRefused."""
    check_packed(path, subject)
    with _directory(path, subject) as archive, path.open("rb") as file:
        for entry in archive.infolist():
            rows = columns = 0
            tail = b""
            for number, chunk in enumerate(_unpacked(file, entry, path, subject)):
                if number == 0 and entry.filename.endswith(".xml") and b"\x00" in chunk[:200]:
                    hint = "Its parts are not UTF-8: save it as .xlsx again."
                    raise refusal(subject, path.name, "an ordinary .xlsx file", hint, entry.filename[:60])
                text = tail + chunk
                found = CELL.findall(text)
                tail = text[max(text.rfind(b"<"), len(text) - LONGEST_TAG) :]
                columns = max([columns, *map(_column, {letters for letters, _ in found})])
                rows = max([rows, *(int(digits[:9] or b"0") for digits in {digits for _, digits in found})])
            if rows * columns > MOST_CELLS:
                hint = "Delete what stands far below or to the right of the table, and save it again."
                stated = f"{rows} rows × {columns} columns"
                raise refusal(subject, path.name, f"a sheet of at most {MOST_CELLS:,} cells", hint, stated)


def _directory(path: Path, subject: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        hint = f"It is damaged or cut off ({error}); copy it again."
        raise refusal(subject, path.name, "a whole packed file", hint) from None


def _checked_entries(archive: zipfile.ZipFile, path: Path, subject: str) -> list[zipfile.ZipInfo]:
    """The entries, after what the zip says of itself was judged: a bomb is not worth unpacking to count it."""
    entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    ratio = total / max(path.stat().st_size, 1)
    if len(entries) > MOST_ENTRIES or total > LARGEST_UNPACKED_BYTES or (total > 50e6 and ratio > MOST_RATIO):
        raise _bomb(path, subject, total)
    names = [entry.filename for entry in entries]
    for entry in entries:
        if not _stays_inside(entry.orig_filename):
            hint = "An entry leads out of the zip's own folder, or has no ordinary name: zip the files again."
            raise refusal(
                subject, path.name, "entries with plain names", hint, ascii(entry.orig_filename[:60])
            )
        if entry.flag_bits & ENCRYPTED:
            hint = "Zip it again without a password."
            raise refusal(subject, path.name, "a zip without a password", hint, entry.filename[:60])
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            hint = "It is packed in a way that few programs read: zip it again as an ordinary zip."
            raise refusal(subject, path.name, "an ordinary zip", hint, entry.filename[:60])
    if len(set(names)) < len(names):
        raise refusal(
            subject, path.name, "each entry once", "Two entries have one name: zip the files again."
        )
    return entries


def _stays_inside(name: str) -> bool:
    """Whether a name is relative, stays below its folder and holds nothing that a system reads as more than a name."""
    slashes = name.replace("\\", "/")
    return (
        0 < len(name) <= LONGEST_NAME
        and min(name) >= " "
        and not slashes.startswith("/")
        and ".." not in PurePosixPath(slashes).parts
        and ":" not in name
    )


def _unpacked(file: IO[bytes], entry: zipfile.ZipInfo, path: Path, subject: str) -> Iterator[bytes]:
    """The bytes of an entry as they come out, in chunks, however many; zipfile would stop at the stated size."""
    file.seek(entry.header_offset)
    header = file.read(LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise _damaged(path, subject)
    *_, name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)
    file.seek(name_bytes + extra_bytes, 1)
    left = entry.compress_size
    unpack = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        packed = file.read(min(CHUNK, left))
        if not packed:
            raise _damaged(path, subject)
        left -= len(packed)
        if unpack is None:
            yield packed
            continue
        while packed:
            try:
                yield unpack.decompress(packed, CHUNK)
            except zlib.error:
                raise _damaged(path, subject) from None
            packed = unpack.unconsumed_tail


def _column(letters: bytes) -> int:
    """Which column the letters mean, from 1; a bare row number means the first."""
    number = 0
    for letter in letters.upper()[:6]:
        number = number * 26 + letter - 64
    return number


def _bomb(path: Path, subject: str, total: int) -> Exception:
    hint = "It unpacks to an unreasonable size (a zip bomb?). Unpack it yourself and import what is in it."
    return refusal(
        subject, path.name, "a packed file of ordinary content", hint, f"{total // 10**6} MB unpacked or more"
    )


def _damaged(path: Path, subject: str) -> Exception:
    return refusal(subject, path.name, "a whole packed file", "It is damaged or cut off; copy it again.")
