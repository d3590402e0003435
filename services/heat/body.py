"""Counts of cells as bytes that screens read."""

import gzip
import struct
from typing import Literal

import brotli
import numpy as np
import numpy.typing as npt

from services.heat.columns import Counts
from services.heat.lattice import Lattice

Coding = Literal["br", "gzip", "identity"]

MAGIC = b"WGH1"
HEADER = struct.Struct("<4s5I2I2d")


def encode(
    counts: Counts, places: npt.NDArray[np.int32], lattice: Lattice, version: int, since: float
) -> bytes:
    """Counts of places, of which `places` says the cells, as bytes, little-endian: "WGH1", u32 exponent, x0, y0, width,
    height, u32 cells, u32 tickets, f64 version, f64 since (seconds since 1970 of the first ticket counted, 0 if none),
    then LEB128 numbers: the gaps between the indices of cells that hold tickets, then the counts of those cells.
    """
    filled = np.flatnonzero(counts)
    filled = filled[places[filled] < lattice.size]  # not those outside
    filled = filled[np.argsort(places[filled], kind="stable")]  # quick, as most of them ascend
    cells, tickets = places[filled], counts[filled]
    gaps = np.diff(cells, prepend=np.int32(0))
    head = HEADER.pack(
        MAGIC, lattice.exponent, lattice.x0, lattice.y0, lattice.width, lattice.height, len(cells),
        int(tickets.sum()), float(version), float(since),
    )  # fmt: skip
    return head + varints(gaps) + varints(tickets)


def packed(plain: bytes, coding: Coding) -> bytes:
    """The bytes in that coding."""
    if coding == "br":
        return bytes(brotli.compress(plain, quality=3))
    return gzip.compress(plain, 4) if coding == "gzip" else plain


def varints(numbers: npt.NDArray[np.int64]) -> bytes:
    """LEB128 of non-negative numbers, vectorised: most need one byte, the others get theirs inserted after it."""
    first = numbers.astype(np.uint8) & 0x7F
    after = np.flatnonzero(numbers >= 0x80)
    if not len(after):
        return first.tobytes()
    first[after] |= 0x80
    rest = numbers[after] >> 7
    further: list[npt.NDArray[np.uint8]] = []
    places: list[npt.NDArray[np.intp]] = []
    while len(rest):
        more = rest >= 0x80
        further.append((rest & 0x7F).astype(np.uint8) | np.where(more, np.uint8(0x80), np.uint8(0)))
        places.append(after)
        rest, after = rest[more] >> 7, after[more]
    place = np.concatenate(places)
    order = np.argsort(place, kind="stable")
    return np.insert(first, place[order] + 1, np.concatenate(further)[order]).tobytes()
