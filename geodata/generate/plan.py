"""Which towns and committees a generated place has, with how many grids each, from the real lists; nothing drawn."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import profiles
from geodata.generate.recipe import Point, Recipe, recipe_of
from profiles import Profile

TOWNS = profiles.FOLDER / "data" / "towns.csv"
VILLAGES = profiles.FOLDER / "data" / "villages.csv"


@dataclass(frozen=True)
class Committee:
    """A residents' (urban) or villagers' committee and the number of grids it is cut into."""

    code: str
    name: str
    kind: str  # urban, rural, special: of its grids
    grids: int = 1


@dataclass(frozen=True)
class Town:
    """A town, street or zone; `seat` is longitude and latitude where known."""

    code: str
    name: str
    county: str
    seat: Point | None
    committees: tuple[Committee, ...] = field(default=())

    @property
    def grids(self) -> int:
        """Grids of all committees."""
        return sum(c.grids for c in self.committees)

    @property
    def urban_grids(self) -> int:
        """Grids in a built-up area: urban and special ones."""
        return sum(c.grids for c in self.committees if c.kind != "rural")


@dataclass(frozen=True)
class Plan:
    """Everything that is to be drawn, in code order."""

    profile: Profile
    recipe: Recipe
    towns: tuple[Town, ...]
    surroundings: tuple[Town, ...] = ()  # towns of the same outline that are not part of the place


def plan_of(profile: Profile, seed: int) -> Plan:
    """The place's towns and committees with their grids; the totals are those of the recipe, exactly."""
    recipe = recipe_of(profile)
    towns = [t for t in _read_towns() if t.county in recipe.outlines]
    towns = [replace(t, seat=recipe.seats.get(t.code, t.seat)) for t in towns]
    towns = _carve_zones(towns, recipe)
    inside = [t for t in towns if profile.root_level != "town" or t.code == profile.root_code]
    shared = _share_grids(inside, recipe, np.random.default_rng([seed, 1]))
    outside = [t for t in towns if t not in inside]
    return Plan(profile, recipe, tuple(shared), tuple(outside))


def _read_towns() -> list[Town]:
    committees: dict[str, list[Committee]] = {}
    for row in _rows(VILLAGES):
        kind = "urban" if row["committee_type_from_code"].startswith("居民") else "rural"
        if row["committee_type_from_code"] == "类似居民委员会":
            kind = "special"
        committee = Committee(row["village_code12"], committee_name(row["village"], kind), kind)
        committees.setdefault(row["town_code"], []).append(committee)
    towns = []
    for row in _rows(TOWNS):
        known = row["geonames_lon"] != ""
        seat = (float(row["geonames_lon"]), float(row["geonames_lat"])) if known else None
        members = tuple(sorted(committees[row["town_code"]], key=lambda c: c.code))
        towns.append(Town(row["town_code"], row["town"], row["county_code"], seat, members))
    return sorted(towns, key=lambda t: t.code)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def committee_name(raw: str, kind: str) -> str:
    """The short name that people use: 东关社区, 吴官庄村."""
    name = re.sub(r"(居民委员会|村民委员会|居委会|村委会|居民委员)$", "", raw).replace("虚拟", "")
    name = re.sub(r"社区社区$", "社区", name)
    if kind == "rural":
        return name if re.search(r"(村|社区|区|队)$", name) else f"{name}村"
    return name if name.endswith(("社区", "园", "区")) else f"{name}社区"


def _carve_zones(towns: list[Town], recipe: Recipe) -> list[Town]:
    """Zones become towns of their own; what they take over is numbered afresh below their code."""
    out = list(towns)
    for zone in recipe.zones:
        taken = [c for t in out for c in t.committees if c.code in zone.take]
        if len(taken) != len(zone.take):
            raise ValueError(f"zone {zone.code} takes committees that do not exist")
        county = next(t.county for t in out if any(c in t.committees for c in taken))
        out = [replace(t, committees=tuple(c for c in t.committees if c not in taken)) for t in out]
        serial = {"urban": 0, "special": 0, "rural": 199}
        members = []
        for committee in taken:
            serial[committee.kind] += 1
            members.append(replace(committee, code=f"{zone.code}{serial[committee.kind]:03d}"))
        members.sort(key=lambda c: c.code)
        out.append(Town(zone.code, zone.name, county, recipe.seats.get(zone.code), tuple(members)))
    return sorted(out, key=lambda t: t.code)


def _share_grids(towns: Sequence[Town], recipe: Recipe, rng: np.random.Generator) -> list[Town]:
    """Give each committee its grids: urban ones by size (streets larger), villages one each and hamlets on top."""
    urban = [
        (t, c)
        for t in towns
        for c in t.committees
        if c.kind == "urban" and c.code not in recipe.special_grids
    ]
    rural = [
        (t, c)
        for t in towns
        for c in t.committees
        if c.kind == "rural" and c.code not in recipe.special_grids
    ]
    weight = np.array([1.0 if _is_street(t) else 0.45 for t, _ in urban]) * rng.lognormal(0, 0.3, len(urban))
    counts = dict(
        zip([c.code for _, c in urban], apportion(weight, recipe.urban_grids, least=2), strict=True)
    )
    hamlets = rng.lognormal(0, 0.8, len(rural))
    counts |= dict(
        zip([c.code for _, c in rural], apportion(hamlets, recipe.rural_grids, least=1), strict=True)
    )
    counts |= recipe.special_grids
    return [
        replace(
            town,
            committees=tuple(
                replace(c, grids=counts[c.code], kind="special" if c.code in recipe.special_grids else c.kind)
                for c in town.committees
            ),
        )
        for town in towns
    ]


def _is_street(town: Town) -> bool:
    return town.name.endswith(("街道", "区")) or sum(c.kind == "urban" for c in town.committees) > 6


def apportion(weights: NDArray[np.float64], total: int, least: int = 0) -> list[int]:
    """Whole numbers in proportion to the weights (largest remainder), each at least `least`, that sum to total."""
    spare = total - least * len(weights)
    if spare < 0:
        raise ValueError(f"{total} cannot be shared out as at least {least} to each of {len(weights)}")
    exact = weights / weights.sum() * spare if len(weights) else weights
    counts = np.floor(exact).astype(int)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: spare - int(counts.sum())]] += 1
    return [int(n) + least for n in counts]
