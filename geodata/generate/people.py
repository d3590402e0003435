"""Workers, posts, the party organisation tree and care records of a generated place."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from geodata.generate.names import id_numbers, names, phones
from geodata.generate.recipe import Recipe
from profiles import Profile

TRADES = ("water", "power", "gas", "heat", "telecom")
# from, to, days (bit 0 = Monday), share
_SHIFTS = (("07:30", "18:30", 0.84), ("13:00", "22:00", 0.10), ("22:00", "06:00", 0.06))
_EVENINGS = ("17:30", "21:30")


def workers(
    profile: Profile, recipe: Recipe, grid: pd.DataFrame, town: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Grid workers spread evenly over the grids, then professional ones by trade and town."""
    total = recipe.people.workers
    if total < len(grid):
        raise ValueError("a place needs at least one worker a grid")
    area = grid["code"].to_numpy()[np.sort(np.arange(total) % len(grid))]
    nth = pd.Series(area).groupby(area).cumcount().to_numpy()
    part_time = (rng.random(total) < recipe.people.part_time_share) | (nth > 1)
    part_time &= (nth > 0) | (rng.random(total) < 0.5)
    shift = rng.choice(len(_SHIFTS), total, p=[s[2] for s in _SHIFTS])
    shift = np.where((nth == 0) & (shift == 2), 0, shift)  # the first worker of a grid is there by day
    shift = np.where((nth == 0) & (rng.random(total) < 0.04), 2, shift)
    evening = part_time & (rng.random(total) < 0.6)
    extra = recipe.people.professional
    trade = np.arange(extra) % len(TRADES)
    home = (
        town["code"].to_numpy()[(np.arange(extra) // len(TRADES)) % len(town)]
        if extra
        else np.array([], dtype=object)
    )
    count = total + extra
    rest = rng.choice(7, count, p=[0.09, 0.1, 0.1, 0.1, 0.09, 0.22, 0.30])
    return pd.DataFrame(
        {
            "code": [f"W{n:05d}" for n in range(1, count + 1)],
            "name": names(rng, count),
            "phone": phones(rng, count),
            "kind": np.r_[np.where(part_time, "part_time", "full_time"), np.full(extra, "professional")],
            "area": np.r_[area, home],
            "skills": ["" for _ in range(total)] + [TRADES[t] for t in trade],
            "shift_from": [_EVENINGS[0] if e else _SHIFTS[s][0] for s, e in zip(shift, evening, strict=True)]
            + ["08:00"] * extra,
            "shift_to": [_EVENINGS[1] if e else _SHIFTS[s][1] for s, e in zip(shift, evening, strict=True)]
            + ["20:00"] * extra,
            "shift_days": 127 - (1 << rest),
        }
    )


def party(recipe: Recipe, levels: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Committees of towns and communities, branches and groups of grids, member households; parents before children."""
    people = recipe.people
    grid, town, community = levels["grid"], levels["town"], levels["community"]
    urban = grid[grid["kind"] != "rural"]
    pool = urban if 0 < people.grid_branches <= len(urban) and recipe.people.party_in_towns else grid
    rows: list[tuple[str, str, str, str]] = []
    for code, name in zip(town["code"], town["name"], strict=True):
        word = "党工委" if name.endswith(("街道", "区")) else "党委"
        rows.append((f"t{code}", "town_committee", f"{name}{word}", code))
    if not people.grid_branches:
        return pd.DataFrame(rows, columns=["path", "kind", "name", "area"])
    homes = community[community["code"].isin(pool["parent"])]
    at = {}
    for code, name, parent in zip(homes["code"], homes["name"], homes["parent"], strict=True):
        at[code] = f"t{parent}.c{code}"
        rows.append((at[code], "community_committee", f"{name}党委", code))
    picked = np.linspace(0, len(pool) - 1, people.grid_branches).round().astype(int)
    branch_of: dict[str, str] = {}

    for number, (code, name, parent) in enumerate(
        zip(pool["code"], pool["name"], pool["parent"], strict=True)
    ):
        if number in set(picked.tolist()):
            branch_of[code] = f"{at[parent]}.b{code}"
            rows.append((branch_of[code], "grid_branch", f"{name}党支部", code))

    groups = _below(pool, branch_of, people.building_groups, "g", "building_group", "党小组")
    rows += groups
    rows += _households(groups, people.member_households)
    return pd.DataFrame(rows, columns=["path", "kind", "name", "area"])


def _below(
    pool: pd.DataFrame, branch_of: dict[str, str], count: int, letter: str, kind: str, word: str
) -> list[tuple[str, str, str, str]]:
    """Groups: one for each grid without a branch first, then the grids with one; the parent is the nearest branch."""
    codes, names_ = pool["code"].tolist(), pool["name"].tolist()
    with_branch = [i for i, c in enumerate(codes) if c in branch_of]
    order = [i for i, c in enumerate(codes) if c not in branch_of] + with_branch
    rows = []
    for n in range(count):
        i = order[n % len(order)]
        home = min(
            with_branch,
            key=lambda j: (codes[j][:-3] != codes[i][:-3], codes[j][:9] != codes[i][:9], abs(j - i)),
        )
        rows.append(
            (
                f"{branch_of[codes[home]]}.{letter}{n + 1:04d}",
                kind,
                f"{names_[i]}第{n // len(order) + 1}{word}",
                codes[i],
            )
        )
    return rows


def _households(groups: Sequence[tuple[str, str, str, str]], count: int) -> list[tuple[str, str, str, str]]:
    rows = []
    for n in range(count):
        path, _, name, area = groups[n % len(groups)]
        rows.append((f"{path}.m{n + 1:04d}", "member_household", f"{name}中心户{n // len(groups) + 1}", area))
    return rows


def posts(
    profile: Profile,
    recipe: Recipe,
    levels: dict[str, pd.DataFrame],
    spots: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Post holders with a duty place and a phone; `spots` has lon, lat by grid code and number."""
    grid, community, town = levels["grid"], levels["community"], levels["town"]
    urban = grid[grid["kind"] != "rural"] if (grid["kind"] != "rural").any() else grid
    wanted = {
        "grid_leader": grid["code"].tolist(),
        "building_leader": _spread_over(urban["code"].tolist(), recipe.people.building_leaders),
        "member_household": _spread_over(urban["code"].tolist(), recipe.people.member_households),
        "mediator": community["code"].tolist(),
        "lawyer": community["code"].tolist()[::6],
        "police": _spread_over(town["code"].tolist(), max(len(town) * 2, len(community) // 6)),
        "judge": town["code"].tolist()[::3],
        "prosecutor": town["code"].tolist()[::4],
        "patrol_leader": town["code"].tolist(),
        "station_head": community["code"].tolist()[::4],
        "duty_leader": town["code"].tolist(),
    }
    known = {p.code: p for p in profile.posts}
    rows: list[dict[str, Any]] = []
    for role, areas in wanted.items():
        if role not in known:
            continue
        rows += [{"role": role, "area": area, "duty": known[role].duty} for area in areas]
    frame = pd.DataFrame(rows)
    frame["code"] = [f"P{n:05d}" for n in range(1, len(frame) + 1)]
    frame["name"], frame["phone"] = names(rng, len(frame)), phones(rng, len(frame))
    lon, lat = _places(frame["area"].tolist(), levels, spots, rng)
    frame["lon"], frame["lat"] = lon, lat
    return frame[["code", "name", "role", "area", "lon", "lat", "phone", "duty"]]


def _spread_over(codes: Sequence[str], count: int) -> list[str]:
    return sorted(codes[n % len(codes)] for n in range(count)) if count else []


def _places(
    areas: Sequence[str], levels: dict[str, pd.DataFrame], spots: pd.DataFrame, rng: np.random.Generator
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A spot for each area: one of the grid's own; for larger areas, of the most settled grid inside."""
    home = dict(zip(levels["grid"]["code"], levels["grid"]["code"], strict=True))
    for level in ("community", "town"):
        if level in levels:
            best = _settled(levels, level)
            home |= best
    by_grid = spots.groupby("code", sort=False)[["lon", "lat"]]
    first = {code: (frame["lon"].to_numpy(), frame["lat"].to_numpy()) for code, frame in by_grid}
    lon, lat = np.empty(len(areas)), np.empty(len(areas))
    for n, area in enumerate(areas):
        xs, ys = first[home[area]]
        i = int(rng.integers(0, len(xs)))
        lon[n], lat[n] = round(float(xs[i]), 6), round(float(ys[i]), 6)
    return lon, lat


def _settled(levels: dict[str, pd.DataFrame], level: str) -> dict[str, str]:
    """Area of a level → code of its most densely peopled grid."""
    grid = levels["grid"]
    parent = grid["parent"]
    if level == "town":
        parent = parent.map(
            dict(zip(levels["community"]["code"], levels["community"]["parent"], strict=True))
        )
    crowd = grid["population"].to_numpy() / np.array([g.area for g in grid["geometry"]])
    frame = pd.DataFrame({"parent": parent.to_numpy(), "code": grid["code"].to_numpy(), "crowd": crowd})
    frame = frame.sort_values("crowd", ascending=False).drop_duplicates("parent")
    return dict(zip(frame["parent"], frame["code"], strict=True))


def care(
    profile: Profile,
    recipe: Recipe,
    levels: dict[str, pd.DataFrame],
    spots: pd.DataFrame,
    until: date,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """People owed care, in statutory categories only, each with the profile's contacts and visits around `until`."""
    grid, count = levels["grid"], recipe.people.care
    weight = np.array([recipe.people.care_weights.get(c.code, 1.0) for c in profile.care])
    people = grid["population"].to_numpy() * np.where(grid["kind"] == "rural", 1.3, 1.0)
    row = np.sort(rng.choice(len(grid), count, p=people / people.sum()))
    role = rng.choice(len(weight), count, p=weight / weight.sum())
    area = grid["code"].to_numpy()[row]
    lon, lat = _places(area.tolist(), levels, spots, rng)
    rural = (grid["kind"] == "rural").to_numpy()[row]
    building = [
        f"{a}组{b}号" if r else f"{b}号楼{a}单元"
        for a, b, r in zip(rng.integers(1, 6, count), rng.integers(1, 40, count), rural, strict=True)
    ]
    every = 30 if count else 0
    since = rng.integers(1, every + 1, count)
    neglected = rng.random(count) < 0.035
    since = since + np.where(neglected, rng.integers(5, 40, count), 0)
    contact_names = names(rng, count * max(len(profile.contacts), 1))
    contact_phones = phones(rng, len(contact_names))
    width = len(profile.contacts)
    contacts = [
        json.dumps(
            [
                {"role": c.code, "name": contact_names[n * width + i], "phone": contact_phones[n * width + i]}
                for i, c in enumerate(profile.contacts)
            ],
            ensure_ascii=False,
        )
        for n in range(count)
    ]
    return pd.DataFrame(
        {
            "code": [f"C{n:05d}" for n in range(1, count + 1)],
            "name": names(rng, count),
            "phone": phones(rng, count),
            "id_number": id_numbers(rng, count),
            "category": [profile.care[r].code for r in role],
            "area": area,
            "lon": lon,
            "lat": lat,
            "building": building,
            "contacts": contacts,
            "every_days": every,
            "last_visit_on": [(until - timedelta(days=int(d))).isoformat() for d in since],
            "next_visit_on": [(until + timedelta(days=every - int(d))).isoformat() for d in since],
        }
    )
