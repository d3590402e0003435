"""Where tickets come from: the houses of each grid, and the hot places that come up again and again."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.generate.ground import Floats, Ints
from geodata.generate.matters import Matters

HOUSES = 40  # points a grid


@dataclass(frozen=True)
class Haunts:
    """Hot places: each with its kinds, its middle, its reach and the days on which it is hot."""

    lon: Floats
    lat: Floats
    reach_m: Floats
    per_day: Floats
    first: Ints  # day of the year
    length: Ints  # days; 366 = always
    kinds: list[Ints]
    names: list[str]
    grid: Ints  # the grid it is in

    def active(self, day: date) -> NDArray[np.bool_]:
        """Which are hot on a day."""
        since = (day.timetuple().tm_yday - self.first) % 366
        return since < self.length


def houses(grid: pd.DataFrame, spots: pd.DataFrame, seed: int) -> pd.DataFrame:
    """HOUSES points inside each grid (lon, lat, grid row, code), along short streets around where people live."""
    rng = np.random.default_rng([seed, 10])
    geometry = grid["geometry"].to_numpy()
    order = np.argsort(spots["grid"].to_numpy(), kind="stable")
    lon, lat = spots["lon"].to_numpy()[order], spots["lat"].to_numpy()[order]
    spacing = spots["spacing"].to_numpy()[order]
    bounds = np.searchsorted(spots["grid"].to_numpy()[order], np.arange(len(grid) + 1))
    size = np.diff(bounds)
    rural = (grid["kind"] == "rural").to_numpy()
    middle = bounds[:-1] + np.floor(rng.beta(2, 2, len(grid)) * size).astype(int)
    stretch = np.cos(np.radians(lat.mean()))
    anchors = np.empty((len(grid), HOUSES), dtype=int)
    for at in range(len(grid)):
        own = np.arange(bounds[at], bounds[at + 1])
        if rural[at]:
            d = np.hypot((lon[own] - lon[middle[at]]) * stretch, lat[own] - lat[middle[at]])
            near = own[np.argsort(d)[: max(3, len(own) // 7)]]
            pick = np.where(rng.random(HOUSES) < 0.86, rng.choice(near, HOUSES), rng.choice(own, HOUSES))
        else:
            pick = rng.choice(rng.choice(own, min(14, len(own)), replace=False), HOUSES)
        anchors[at] = pick
    flat = anchors.ravel()
    turn = rng.uniform(0, np.pi, len(lon))[flat] + np.where(rng.random(len(flat)) < 0.5, 0, np.pi / 2)
    along = rng.uniform(-0.55, 0.55, len(flat)) * spacing[flat]
    aside = rng.normal(0, 0.03, len(flat)) * spacing[flat]
    x = along * np.cos(turn) - aside * np.sin(turn)
    y = along * np.sin(turn) + aside * np.cos(turn)
    at_lon, at_lat = lon[flat] + x / (111_320 * stretch), lat[flat] + y / 110_574
    row = np.repeat(np.arange(len(grid)), HOUSES)
    outside = ~_well_inside(geometry[row], at_lon, at_lat)
    at_lon[outside], at_lat[outside] = lon[flat][outside], lat[flat][outside]
    outside = ~_well_inside(geometry[row], at_lon, at_lat)
    inner = shapely.get_coordinates(shapely.point_on_surface(geometry))
    at_lon[outside], at_lat[outside] = inner[row[outside], 0], inner[row[outside], 1]
    return pd.DataFrame(
        {"lon": at_lon.round(6), "lat": at_lat.round(6), "grid": row, "code": grid["code"].to_numpy()[row]}
    )


def _well_inside(geometry: NDArray[np.object_], lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    """Inside with a margin of some metres for the jitter that each ticket adds."""
    margin = 8e-5
    inside: NDArray[np.bool_] = shapely.contains_xy(geometry, lon, lat)
    for dx, dy in ((margin, margin), (margin, -margin), (-margin, margin), (-margin, -margin)):
        inside &= shapely.contains_xy(geometry, lon + dx, lat + dy)
    return inside


# what makes a place hot: name, matters, share of all tickets, urban or rural, months (first, length in days) or always
_SORTS: tuple[tuple[str, tuple[str, ...], float, str, tuple[int, int] | None], ...] = (
    ("{}集贸市场", ("street_trading", "rubbish", "parked"), 0.0016, "urban", None),
    ("{}夜市", ("trade_noise", "street_trading", "rubbish"), 0.0012, "urban", (120, 150)),
    ("{}供热管网", ("heat", "burst"), 0.0030, "urban", (305, 150)),
    ("{}老旧小区", ("leak", "cleaning", "facility", "drains"), 0.0012, "urban", None),
    ("{}新建小区", ("fees", "parking", "lift", "building_noise"), 0.0012, "urban", None),
    ("{}学校周边", ("jam", "parked"), 0.0008, "urban", None),
    ("{}在建工地", ("building_noise", "dust", "building_waste"), 0.0012, "urban", (60, 240)),
    ("{}灌区末端", ("irrigation", "well", "ditch"), 0.0016, "rural", (70, 170)),
    ("{}养殖场周边", ("livestock", "ditch"), 0.0007, "rural", None),
    ("{}集市", ("rubbish", "parked", "street_trading"), 0.0008, "rural", None),
)


def haunts(
    grid: pd.DataFrame,
    community: pd.DataFrame,
    places: pd.DataFrame,
    matters: Matters,
    per_day: float,
    seed: int,
) -> Haunts:
    """About three hot places of each sort, larger places have more; the first of a sort is the hottest."""
    rng = np.random.default_rng([seed, 11])
    title = dict(zip(community["code"], community["name"], strict=True))
    by_matter: dict[str, list[int]] = {}
    for i, kind in enumerate(matters.kinds):
        by_matter.setdefault(kind.matter, []).append(i)
    rural = (grid["kind"] == "rural").to_numpy()
    weight = grid["population"].to_numpy(dtype=float)
    rows: list[_Hot] = []
    taken: set[int] = set()
    each = int(np.clip(len(grid) // 350, 2, 6))
    for pattern, wanted, share, where, season in _SORTS:
        kinds = np.array([i for m in wanted for i in by_matter.get(m, [])], dtype=np.int64)
        here = (rural if where == "rural" else ~rural) & (weight > 0)
        if not len(kinds) or not here.any():
            continue
        for n in range(each):
            chance = weight * here
            at = int(rng.choice(len(grid), p=chance / chance.sum()))
            if at in taken:
                continue
            taken.add(at)
            own = at * HOUSES + int(rng.integers(0, HOUSES))
            first, length = season or (1, 366)
            rows.append(
                _Hot(
                    lon=float(places["lon"].iloc[own]),
                    lat=float(places["lat"].iloc[own]),
                    reach_m=float(rng.uniform(25, 90)),
                    per_day=per_day * share / (n + 1) ** 0.7,
                    first=(first + int(rng.integers(-15, 16))) % 366,
                    length=length,
                    kinds=kinds,
                    name=pattern.format(title[grid["parent"].iloc[at]]),
                    grid=at,
                )
            )
    return Haunts(
        lon=np.array([h.lon for h in rows]),
        lat=np.array([h.lat for h in rows]),
        reach_m=np.array([h.reach_m for h in rows]),
        per_day=np.array([h.per_day for h in rows]),
        first=np.array([h.first for h in rows], dtype=np.int64),
        length=np.array([h.length for h in rows], dtype=np.int64),
        kinds=[h.kinds for h in rows],
        names=[h.name for h in rows],
        grid=np.array([h.grid for h in rows], dtype=np.int64),
    )


class _Hot(NamedTuple):
    """One hot place."""

    lon: float
    lat: float
    reach_m: float
    per_day: float
    first: int
    length: int
    kinds: Ints
    name: str
    grid: int
