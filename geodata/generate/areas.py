"""Draws a place: towns, communities and grids as one coverage of the real outline, named, numbered and peopled."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import profiles
from geodata.generate import borders
from geodata.generate.ground import Core, Floats, Ground, Ints, Metres, strew
from geodata.generate.grow import grow, spread
from geodata.generate.plan import Committee, Plan, Town
from geodata.generate.recipe import Recipe

BOUNDARIES = profiles.FOLDER / "data" / "county_boundaries.geojson"
_PAIRS = str.maketrans("", "", "东西南北前后中上下大小一二三四五六七八九新老")


@dataclass(frozen=True)
class Drawn:
    """All levels of a place; each frame has code, name, parent, kind, households, population, geometry (degrees).

    `spots` are points inside grids (lon, lat, spacing in metres, row of the grid) on which settlements stand.
    """

    levels: dict[str, pd.DataFrame]
    spots: pd.DataFrame


def outlines_of(codes: Sequence[str]) -> dict[str, tuple[str, shapely.Geometry]]:
    """County code → (name, outline in degrees), in code order."""
    features = json.loads(BOUNDARIES.read_text(encoding="utf-8"))["features"]
    found = {f["properties"]["adcode"]: f for f in features if f["properties"]["adcode"] in codes}
    missing = set(codes) - set(found)
    if missing:
        raise ValueError(f"no outline of {', '.join(sorted(missing))}")
    return {
        code: (f["properties"]["name"], shapely.from_geojson(json.dumps(f["geometry"])))
        for code, f in sorted(found.items())
    }


def draw(plan: Plan, seed: int, progress: Callable[[float], None] = lambda share: None) -> Drawn:
    """The whole place; the same for the same plan and seed. `progress` hears shares of 1."""
    outlines = outlines_of(plan.recipe.outlines)
    names = {code: name for code, (name, _) in outlines.items()}
    shapes = _snapped({code: shape for code, (_, shape) in outlines.items()})
    if plan.profile.root_level == "town":
        shapes = {plan.profile.root_code: _one_town(plan, shapes, seed)}
        names = {}
    centre = shapely.get_coordinates(shapely.envelope(shapely.union_all(list(shapes.values())))).mean(axis=0)
    flat = Metres(float(centre[0]), float(centre[1]))
    progress(0.05)
    grounds, labels, lines, committees = [], [], [], []
    offset = 0
    for number, (code, shape) in enumerate(shapes.items()):
        towns = [t for t in plan.towns if t.county == code or plan.profile.root_level == "town"]
        rng = np.random.default_rng([seed, 2, number])
        ground, label = _county(towns, _flattened(shape, flat), plan.recipe, flat, rng, code)
        grounds.append(ground)
        labels.append(label + offset)
        lines.append(borders.lines_between(ground, label, _flattened(shape, flat)))
        committees += [(t, c) for t in towns for c in t.committees]
        offset += sum(t.grids for t in towns)
        progress(0.05 + 0.55 * (number + 1) / len(shapes))
    parts = borders.cut_up(list(shapes.values()), flat, grounds, labels, np.concatenate(lines))
    progress(0.85)
    drawn = _frames(plan, names, committees, parts, seed)
    row = np.empty(offset, dtype=np.int64)
    row[drawn["grid"].pop("drawn_as").to_numpy()] = np.arange(offset)
    spots = _spots(grounds, labels, row, flat)
    progress(1.0)
    return Drawn(drawn, spots)


def _snapped(shapes: dict[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
    """Neighbouring counties get each other's vertices, so that their common border is the same for both."""
    if len(shapes) == 1:
        return shapes
    network = shapely.union_all(
        shapely.boundary(np.array(list(shapes.values()), dtype=object)), grid_size=borders.STEP_DEGREES
    )
    faces = shapely.get_parts(shapely.polygonize([network]))
    inner = shapely.point_on_surface(faces)
    out = {}
    for code, shape in shapes.items():
        mine = faces[shapely.contains(shape, inner)]
        out[code] = shapely.coverage_union_all(mine) if len(mine) > 1 else mine[0]
    return out


def _flattened(shape: shapely.Geometry, flat: Metres) -> shapely.Geometry:
    return shapely.transform(shape, flat.flat)


def _one_town(plan: Plan, shapes: dict[str, shapely.Geometry], seed: int) -> shapely.Geometry:
    """The outline of a place that is one town: drawn among its neighbours inside the real county."""
    (shape,) = shapes.values()
    centre = shapely.get_coordinates(shapely.envelope(shape)).mean(axis=0)
    flat = Metres(float(centre[0]), float(centre[1]))
    rng = np.random.default_rng([seed, 3])
    towns = sorted([*plan.towns, *plan.surroundings], key=lambda t: t.code)
    outline = _flattened(shape, flat)
    seats = _seats(towns, outline, flat, rng)
    ground = strew(outline, [], 240.0, rng)
    seeds = _nearest(ground, seats)
    targets = _scaled([30 + len(t.committees) for t in towns], len(ground.xy))
    label, _ = grow(ground, np.zeros(len(ground.xy), dtype=np.int64), seeds, targets, move=False)
    lines = borders.lines_between(ground, label, outline)
    parts = borders.cut_up([shape], flat, [ground], [label], lines)
    return parts[[t.code for t in towns].index(plan.profile.root_code)]


def _seats(
    towns: Sequence[Town],
    outline: shapely.Geometry,
    flat: Metres,
    rng: np.random.Generator,
    core: tuple[float, float] | None = None,
) -> Floats:
    """Seats in metres: known ones, streets around the core, the others where there is most room."""
    west, south, east, north = outline.bounds
    shapely.prepare(outline)
    inner = shapely.buffer(outline, -0.03 * max(east - west, north - south))
    inner = outline if inner.is_empty else inner
    candidates = np.column_stack([rng.uniform(west, east, 4000), rng.uniform(south, north, 4000)])
    candidates = candidates[shapely.contains_xy(inner, candidates[:, 0], candidates[:, 1])]
    seats = np.full((len(towns), 2), np.nan)
    for i, town in enumerate(towns):
        if town.seat is not None:
            seats[i] = flat.flat(np.array([town.seat]))[0]
    streets = [i for i, t in enumerate(towns) if np.isnan(seats[i, 0]) and t.name.endswith("街道")]
    if core is not None and streets:
        middle = flat.flat(np.array([core]))[0]
        reach = 0.62 * np.sqrt(sum(towns[i].urban_grids for i in streets) * 0.1 / np.pi) * 1000
        turn = rng.uniform(0, 2 * np.pi)
        for n, i in enumerate(streets):
            angle = turn + 2 * np.pi * n / len(streets)
            at = middle + reach * (len(streets) > 1) * np.array([np.cos(angle), np.sin(angle)])
            inside = shapely.contains_xy(outline, at[0], at[1])
            seats[i] = at if inside else candidates[np.hypot(*(candidates - at).T).argmin()]
    # One seat for each part of a county in several parts, and then the farthest free place, not too close to the rim.
    parts = shapely.get_parts(outline)
    for i, _ in enumerate(towns):
        if not np.isnan(seats[i, 0]):
            continue
        placed = seats[~np.isnan(seats[:, 0])]
        free = candidates
        for part in parts:
            if len(parts) > 1 and not shapely.contains_xy(part, placed[:, 0], placed[:, 1]).any():
                free = candidates[shapely.contains_xy(part, candidates[:, 0], candidates[:, 1])]
                break
        if not len(placed):
            seats[i] = candidates[0]
            continue
        room = np.hypot(*(free[:, None, :] - placed[None, :, :]).transpose(2, 0, 1)).min(axis=1)
        rim = shapely.distance(shapely.boundary(outline), shapely.points(free))
        seats[i] = free[(np.minimum(room, 2.2 * rim) * rng.uniform(0.8, 1, len(free))).argmax()]
    return seats


def _inward(outline: shapely.Geometry, x: float, y: float, margin_m: float) -> tuple[float, float]:
    """The nearest place that keeps so far from the rim (or as far as the outline is wide)."""
    inner = shapely.buffer(outline, -margin_m)
    while inner.is_empty:
        margin_m /= 2
        inner = shapely.buffer(outline, -margin_m)
    if shapely.contains_xy(inner, x, y):
        return x, y
    line = shapely.shortest_line(inner, shapely.Point(x, y))
    at = shapely.get_coordinates(line)[0]
    return float(at[0]), float(at[1])


def _nearest(ground: Ground, xy: Floats) -> Ints:
    """A different point for each position."""
    taken: list[int] = []
    for at in xy:
        order = np.argsort(np.hypot(*(ground.xy - at).T))[: len(xy) + 1]
        taken.append(next(int(i) for i in order if int(i) not in taken))
    return np.array(taken, dtype=np.int64)


def _county(
    towns: Sequence[Town],
    outline: shapely.Geometry,
    recipe: Recipe,
    flat: Metres,
    rng: np.random.Generator,
    code: str,
) -> tuple[Ground, Ints]:
    """Points of a county with the grid that each belongs to, counted in the order of towns and committees."""
    seats = _seats(towns, outline, flat, rng, recipe.cores.get(code))
    cores = []
    rural = 0.0
    for number, town in enumerate(towns):
        x, y = seats[number]
        radius = 1000 * np.sqrt(max(town.urban_grids, 1.5) * recipe.urban_grid_km2 / np.pi) * 1.25
        x, y = _inward(outline, float(x), float(y), 0.8 * float(radius))
        seats[number] = x, y
        cores.append(Core(x, y, float(radius), town.urban_grids))
        rural += town.grids - town.urban_grids
    ground = strew(outline, cores, rural, rng)
    everywhere = np.zeros(len(ground.xy), dtype=np.int64)
    if len(towns) > 1:
        targets = _scaled([t.grids for t in towns], len(ground.xy))
        in_town, _ = grow(ground, everywhere, _nearest(ground, seats), targets, rounds=16, move=False)
    else:
        in_town = everywhere
    in_committee = _committees(ground, towns, in_town, seats, rng)
    return ground, _grids(ground, [c for t in towns for c in t.committees], in_committee, rng)


def _scaled(sizes: Sequence[float], total: int) -> Floats:
    size = np.asarray(sizes, dtype=float)
    scaled: Floats = size / size.sum() * total
    return scaled


def _committees(
    ground: Ground, towns: Sequence[Town], in_town: Ints, seats: Floats, rng: np.random.Generator
) -> Ints:
    """Committee of each point: residents' committees where it is densest, villages around them."""
    seeds, targets = [], []
    for number, town in enumerate(towns):
        members = np.flatnonzero(in_town == number)
        size = [c.grids * (rng.lognormal(0, 0.3) if c.kind == "rural" else 1.0) for c in town.committees]
        wanted = _scaled(size, len(members))
        urban = [i for i, c in enumerate(town.committees) if c.kind != "rural"]
        rural = _in_families([i for i, c in enumerate(town.committees) if c.kind == "rural"], town.committees)
        away = np.hypot(*(ground.xy[members] - seats[number]).T) / 3000
        dense = members[np.argsort(-np.log(ground.density[members]) + 0.4 * away, kind="stable")]
        cut = round(wanted[urban].sum()) if rural else len(members)
        here = np.full(len(town.committees), -1, dtype=np.int64)
        for group, points in ((urban, dense[:cut]), (rural, dense[cut:])):
            if group:
                here[group] = spread(ground.xy, points, [float(wanted[i]) for i in group])
        _seat_village_first(here, town, ground.xy, seats[number])
        _turn_families(here, rural, town.committees, ground.xy)
        seeds.append(here)
        targets.append(wanted)
    labels, _ = grow(ground, in_town, np.concatenate(seeds), np.concatenate(targets))
    return labels


def _in_families(members: list[int], committees: Sequence[Committee]) -> list[int]:
    """Villages in code order, with those of one stem (东李村, 西李村) side by side."""
    stems: dict[str, list[int]] = {}
    for i in members:
        name = committees[i].name.removesuffix("村")
        stem = name.translate(_PAIRS)
        stems.setdefault(stem if len(stem) >= 1 else name, []).append(i)
    return [i for family in stems.values() for i in family]


def _turn_families(seeds: Ints, rural: list[int], committees: Sequence[Committee], xy: Floats) -> None:
    """Among villages of one stem, the eastern one lies east and the northern (or rear, upper) one north."""
    stems: dict[str, list[int]] = {}
    for i in rural:
        stem = committees[i].name.removesuffix("村").translate(_PAIRS)
        if stem:
            stems.setdefault(stem, []).append(i)
    for family in stems.values():
        if len(family) < 2 or len(family) > 5:
            continue
        names = [committees[i].name for i in family]
        rank = (
            np.array([("东" in n) - ("西" in n) for n in names]),
            np.array(
                [("北" in n or "后" in n or "上" in n) - ("南" in n or "前" in n or "下" in n) for n in names]
            ),
        )
        axis = 0 if np.ptp(rank[0]) >= np.ptp(rank[1]) else 1
        if np.ptp(rank[axis]) == 0:
            continue
        own = seeds[family]
        by_place = own[np.argsort(xy[own, axis], kind="stable")]
        seeds[[family[j] for j in np.argsort(rank[axis], kind="stable")]] = by_place


def _seat_village_first(seeds: Ints, town: Town, xy: Floats, seat: Floats) -> None:
    """The committee that bears the town's name lies at its seat: it changes places with the one that does."""
    short = town.name.removesuffix("街道").removesuffix("镇").removesuffix("乡")
    named = [i for i, c in enumerate(town.committees) if c.name.startswith(short)]
    if not named:
        return
    same = [i for i, c in enumerate(town.committees) if c.kind == town.committees[named[0]].kind]
    nearest = same[int(np.hypot(*(xy[seeds[same]] - seat).T).argmin())]
    seeds[[named[0], nearest]] = seeds[[nearest, named[0]]]


def _grids(ground: Ground, committees: Sequence[Committee], within: Ints, rng: np.random.Generator) -> Ints:
    """Grid of each point; grids are counted on from committee to committee."""
    seeds, targets = [], []
    order = np.argsort(within, kind="stable")
    bounds = np.searchsorted(within[order], np.arange(len(committees) + 1))
    for number, committee in enumerate(committees):
        members = order[bounds[number] : bounds[number + 1]]
        if len(members) < committee.grids:
            raise ValueError(f"{committee.code} is too small for {committee.grids} grids")
        wanted = _scaled(rng.lognormal(0, 0.28, committee.grids).tolist(), len(members))
        seeds.append(spread(ground.xy, members, wanted.tolist()))
        targets.append(wanted)
    labels, _ = grow(ground, within, np.concatenate(seeds), np.concatenate(targets))
    return labels


def _frames(
    plan: Plan,
    county_names: dict[str, str],
    committees: Sequence[tuple[Town, Committee]],
    parts: NDArray[np.object_],
    seed: int,
) -> dict[str, pd.DataFrame]:
    """The levels as frames, grids numbered by place within their community."""
    profile = plan.profile
    of = np.repeat(np.arange(len(committees)), [c.grids for _, c in committees])
    owners = [committees[c][1] for c in of.tolist()]
    serial = _serials(shapely.get_coordinates(shapely.point_on_surface(parts)), of)
    width = profile.codes.digits["grid"]
    kinds = np.array([c.kind for _, c in committees])[of]
    households, population = _people(plan, kinds, shapely.area(parts), np.random.default_rng([seed, 4]))
    grid = pd.DataFrame(
        {
            "code": [f"{c.code}{n:0{width}d}" for c, n in zip(owners, serial.tolist(), strict=True)],
            "name": [_grid_name(c, n) for c, n in zip(owners, serial.tolist(), strict=True)],
            "parent": [c.code for c in owners],
            "kind": kinds,
            "households": households,
            "population": population,
            "geometry": parts,
            "drawn_as": np.arange(len(parts)),
        }
    )
    levels = {"grid": grid}
    community = [(c.code, c.name, t.code) for t, c in committees]
    town = [(t.code, t.name, t.county) for t in plan.towns]
    county = [(code, name, profile.root_code) for code, name in county_names.items()]
    upper = {
        "community": community,
        "town": town,
        "county": county,
        "city": [(profile.root_code, profile.name, "")],
    }
    below = "grid"
    for level, rows in upper.items():
        if level not in profile.levels:
            continue
        levels[level] = _above(levels[below], rows)
        below = level
    top = levels[profile.root_level]
    top["parent"] = None
    return {level: frame.sort_values("code", ignore_index=True) for level, frame in levels.items()}


def _above(children: pd.DataFrame, rows: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    position = {code: i for i, (code, _, _) in enumerate(rows)}
    parent: Ints = np.array([position[code] for code in children["parent"]], dtype=np.int64)
    frame = pd.DataFrame(rows, columns=["code", "name", "parent"])
    frame["kind"] = None
    for column in ("households", "population"):
        frame[column] = np.bincount(parent, children[column], len(rows)).astype(np.int64)
    frame["geometry"] = borders.merge(children["geometry"].to_numpy(), parent, len(rows))
    return frame


def _grid_name(committee: Committee, serial: int) -> str:
    if committee.kind == "special":
        return f"{committee.name}专属第{serial}网格"
    return f"{committee.name}网格" if committee.grids == 1 else f"{committee.name}第{serial}网格"


def _serials(at: Floats, of: Ints) -> Ints:
    """Number within the community: row by row from north to south, in a row from west to east."""
    serial = np.zeros(len(of), dtype=np.int64)
    for community in np.unique(of):
        members = np.flatnonzero(of == community)
        rows = max(1, round(np.sqrt(len(members))))
        north = members[np.argsort(-at[members, 1], kind="stable")]
        count = 0
        for row in np.array_split(north, rows):
            for grid in row[np.argsort(at[row, 0], kind="stable")]:
                count += 1
                serial[grid] = count
    return serial


def _people(plan: Plan, kinds: NDArray[np.str_], area: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Households and people of each grid: the totals of the recipe, about; larger grids hold a few more."""
    recipe, rule = plan.recipe, plan.profile.size_rule
    households = np.zeros(len(kinds), dtype=np.int64)
    people = np.zeros(len(kinds), dtype=np.int64)
    rural = kinds == "rural"
    share = recipe.urban_population_share
    for here, total in ((~rural, recipe.population * share), (rural, recipe.population * (1 - share))):
        if not here.any():
            continue
        size = rng.lognormal(0, 0.3, int(here.sum())) * (area[here] / np.median(area[here])) ** 0.25
        persons = size / size.sum() * total
        per_household = rng.uniform(2.5, 3.1, len(persons))
        least = rule.urban_households + 4 if rule and not rural[here][0] else 25
        homes = np.maximum(np.round(persons / per_household), least).astype(np.int64)
        households[here] = homes
        people[here] = np.round(homes * per_household).astype(np.int64)
    return households, people


def _spots(grounds: Sequence[Ground], labels: Sequence[Ints], row: Ints, flat: Metres) -> pd.DataFrame:
    lonlat = np.vstack([flat.degrees(g.xy) for g in grounds])
    return pd.DataFrame(
        {
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "grid": row[np.concatenate(labels)],
            "spacing": np.concatenate([1 / np.sqrt(g.density) for g in grounds]),
        }
    )
