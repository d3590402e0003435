"""The square cells that tickets are counted in."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FINEST = 19  # 2**19 cells around the world: 62 m on the ground at 35° north
MOST_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Lattice:
    """Square cells of web Mercator, 2**exponent around the world; x0, y0 is the north-west cell."""

    exponent: int
    x0: int
    y0: int
    width: int
    height: int

    @staticmethod
    def around(west: float, south: float, east: float, north: float) -> "Lattice":
        """The lattice that covers a box in degrees, as fine as allowed."""
        for exponent in range(FINEST, 0, -1):
            left, right = _column(np.array([west, east]), exponent)
            top, bottom = _row(np.array([north, south]), exponent)
            width, height = int(right - left) + 1, int(bottom - top) + 1
            if width * height <= MOST_CELLS:
                break
        return Lattice(exponent, int(left), int(top), width, height)

    @property
    def size(self) -> int:
        """Number of cells, and the index of the one for "outside"."""
        return self.width * self.height

    def cells(self, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """Cell index (row by row from the north-west) of each point in degrees; `size` when outside."""
        x = _column(lon, self.exponent) - self.x0
        y = _row(lat, self.exponent) - self.y0
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        return np.where(inside, y * self.width + x, self.size).astype(np.int32)


def _column(lon: npt.NDArray[np.float64], exponent: int) -> npt.NDArray[np.int64]:
    return np.floor((lon / 360 + 0.5) * (1 << exponent)).astype(np.int64)


def _row(lat: npt.NDArray[np.float64], exponent: int) -> npt.NDArray[np.int64]:
    sine = np.sin(np.radians(np.clip(lat, -85.05, 85.05)))
    south = 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * math.pi)
    rows: npt.NDArray[np.int64] = np.floor(south * (1 << exponent)).astype(np.int64)
    return rows
