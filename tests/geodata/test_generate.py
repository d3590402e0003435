"""Generated areas: the counts that a profile asks for, an exact coverage of the real outline, codes in order."""

import hashlib
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import profiles
from geodata.generate.areas import Drawn, draw, outlines_of
from geodata.generate.files import generate_ground
from geodata.generate.ground import Metres, strew
from geodata.generate.grow import grow, is_connected, spread
from geodata.generate.names import names, phones
from geodata.generate.plan import apportion, committee_name, plan_of
from profiles import Profile

PLACES = {
    "zoucheng": (18, 714, {"urban": 737, "rural": 858}),
    "liaoyang": (50, 714, {"urban": 1980, "rural": 1333}),
    "shanggao": (18, 228, {"urban": 232, "rural": 430, "special": 20}),
    "horinger": (1, 33, {"urban": 74, "rural": 55}),
    "minle": (11, 191, {"urban": 176, "rural": 762}),
}


def drawn(name: str) -> tuple[Profile, Drawn]:
    profile = profiles.load(name)
    seed = profile.generate["seed"]
    return profile, draw(plan_of(profile, seed), seed)


@pytest.fixture(scope="module")
def zoucheng() -> tuple[Profile, Drawn]:
    return drawn("zoucheng")


@pytest.fixture(scope="module")
def horinger() -> tuple[Profile, Drawn]:
    return drawn("horinger")


@pytest.mark.parametrize("name", PLACES)
def test_the_plan_has_the_towns_committees_and_grids_of_the_place(name: str) -> None:
    profile = profiles.load(name)
    plan = plan_of(profile, profile.generate["seed"])
    committees = [c for town in plan.towns for c in town.committees]
    towns, communities, grids = PLACES[name]
    assert len(plan.towns) == towns
    assert len(committees) == len({c.code for c in committees}) == communities
    found = {
        kind: sum(c.grids for c in committees if c.kind == kind) for kind in ("urban", "rural", "special")
    }
    assert {kind: n for kind, n in found.items() if n} == grids
    assert plan.recipe.people.workers >= sum(grids.values())


def test_zoucheng_has_16_towns_and_2_zones_with_all_committees_shared_out() -> None:
    plan = plan_of(profiles.load("zoucheng"), 1)
    zones = [t for t in plan.towns if t.code[6:].startswith("4")]
    assert [z.name for z in zones] == ["经济开发区", "农业高新区"]
    kinds = [c.kind for t in plan.towns for c in t.committees]
    assert (kinds.count("urban"), kinds.count("rural")) == (48, 666)
    assert all(c.code.startswith(t.code) and len(c.code) == 12 for t in plan.towns for c in t.committees)


def test_minle_has_3752_grid_workers() -> None:
    plan = plan_of(profiles.load("minle"), 1)
    assert plan.recipe.people.workers == 3752


@pytest.mark.parametrize("place", ["zoucheng", "horinger"])
def test_every_level_is_an_exact_coverage_of_the_outline(place: str, request: pytest.FixtureRequest) -> None:
    profile, made = request.getfixturevalue(place)
    root = made.levels[profile.root_level]["geometry"].to_numpy()[0]
    for level, frame in made.levels.items():
        shapes = frame["geometry"].to_numpy()
        assert shapely.is_valid(shapes).all(), level
        assert shapely.coverage_is_valid(shapes), level  # no overlap, no gap along an edge, vertices shared
        whole = shapely.coverage_union_all(shapes)
        assert shapely.symmetric_difference(whole, root).area == 0, level
        assert shapely.area(shapes).sum() == pytest.approx(root.area, rel=1e-12)
    if place == "zoucheng":
        real = outlines_of(["370883"])["370883"][1]
        assert shapely.symmetric_difference(root, real).area / real.area < 1e-4
        assert shapely.get_num_interior_rings(root) == 0


def test_a_town_place_lies_inside_its_real_county(horinger: tuple[Profile, Drawn]) -> None:
    county = outlines_of(["150123"])["150123"][1]
    town = horinger[1].levels["town"]["geometry"].to_numpy()[0]
    assert shapely.difference(town, county).area / town.area < 1e-6
    assert 0.03 < town.area / county.area < 0.4


def test_children_lie_in_the_parent_that_their_code_names(zoucheng: tuple[Profile, Drawn]) -> None:
    _, made = zoucheng
    for child, parent in (("grid", "community"), ("community", "town"), ("town", "county")):
        below, above = made.levels[child], made.levels[parent].set_index("code")
        assert all(code.startswith(up) for code, up in zip(below["code"], below["parent"], strict=True))
        shapes = above.loc[below["parent"], "geometry"].to_numpy()
        assert shapely.contains(shapes, shapely.point_on_surface(below["geometry"].to_numpy())).all()


def test_grids_are_of_one_piece_rounded_and_small_where_it_is_dense(zoucheng: tuple[Profile, Drawn]) -> None:
    grid = zoucheng[1].levels["grid"]
    shapes = grid["geometry"].to_numpy()
    assert (shapely.get_type_id(shapes) == 3).all()
    assert 35 < shapely.get_num_coordinates(shapes).mean() < 60
    area = shapely.area(shapes)
    urban = (grid["kind"] == "urban").to_numpy()
    assert np.median(area[~urban]) > 10 * np.median(area[urban])
    round_ = 4 * np.pi * area / shapely.length(shapes) ** 2
    assert np.median(round_) > 0.6 and round_.min() > 0.15


def test_urban_grids_satisfy_the_size_rule_and_people_add_up(zoucheng: tuple[Profile, Drawn]) -> None:
    profile, made = zoucheng
    grid, rule = made.levels["grid"], profile.size_rule
    assert rule is not None
    urban = grid[grid["kind"] == "urban"]
    assert (
        (urban["households"] >= rule.urban_households) | (urban["population"] >= rule.urban_population)
    ).all()
    assert 1_150_000 < grid["population"].sum() < 1_250_000
    assert made.levels["county"]["population"].iloc[0] == grid["population"].sum()


def test_serials_run_from_the_north_west_in_rows(zoucheng: tuple[Profile, Drawn]) -> None:
    grid = zoucheng[1].levels["grid"]
    at = shapely.get_coordinates(shapely.point_on_surface(grid["geometry"].to_numpy()))
    for _, members in grid.groupby("parent"):
        serials = [int(code[-3:]) for code in members["code"]]
        assert serials == list(range(1, len(members) + 1))
        lat, rows = at[members.index, 1], max(1, round(len(members) ** 0.5))
        parts = np.array_split(np.arange(len(members)), rows)
        for upper, lower in pairwise(parts):
            assert lat[upper].min() >= lat[lower].max()
        assert all((np.diff(at[members.index[part], 0]) >= 0).all() for part in parts)


def test_names_are_real_and_grids_are_named_after_their_community(zoucheng: tuple[Profile, Drawn]) -> None:
    made = zoucheng[1]
    assert {"钢山街道", "峄山镇", "农业高新区"} <= set(made.levels["town"]["name"])
    title = dict(zip(made.levels["community"]["code"], made.levels["community"]["name"], strict=True))
    grid = made.levels["grid"]
    assert all(
        name.startswith(title[parent]) for name, parent in zip(grid["name"], grid["parent"], strict=True)
    )
    assert "东关社区第1网格" in set(grid["name"])


@pytest.mark.parametrize(
    ("raw", "kind", "short"),
    [
        ("孟庄社区居委会", "urban", "孟庄社区"),
        ("福悦社区居民委员会", "urban", "福悦社区"),
        ("苏家庄村民委员会", "rural", "苏家庄村"),
        ("望云一村村民委员会", "rural", "望云一村"),
        ("邮电新村社区居民委员", "urban", "邮电新村社区"),
        ("五马居委会", "urban", "五马社区"),
        ("一农场生活区", "rural", "一农场生活区"),
        ("工业园区虚拟社区", "special", "工业园区社区"),
    ],
)
def test_committee_names(raw: str, kind: str, short: str) -> None:
    assert committee_name(raw, kind) == short


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_place(tmp_path: Path) -> None:
    profile = profiles.load("horinger")
    sums = []
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        generate_ground(profile, tmp_path / folder, seed)
        files = sorted(p for p in (tmp_path / folder).iterdir() if p.suffix != ".json")
        sums.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files})
    assert sums[0] == sums[1]
    assert sums[0]["areas-grid.fgb"] != sums[2]["areas-grid.fgb"]
    kept = gpd.read_file(tmp_path / "a" / "areas-grid.fgb")
    assert len(kept) == 129 and kept.crs.to_epsg() == 4326


def test_regions_are_connected_and_about_as_large_as_wished() -> None:
    outline = shapely.Polygon([(0, 0), (9000, 0), (9000, 3000), (3000, 3000), (3000, 9000), (0, 9000)])
    ground = strew(outline, [], 40, np.random.default_rng(1))
    everywhere = np.zeros(len(ground.xy), dtype=np.int64)
    targets = np.array([1.0, 1, 1, 2, 2, 3])
    targets = targets / targets.sum() * len(ground.xy)
    seeds = spread(ground.xy, np.arange(len(ground.xy)), targets.tolist())
    labels, _ = grow(ground, everywhere, seeds, targets)
    assert is_connected(ground, labels)
    assert np.abs(np.bincount(labels) / targets - 1).max() < 0.35


def test_whole_numbers_in_proportion() -> None:
    assert (
        apportion(np.array([1.0, 1.0, 2.0]), 9, least=1) == [3, 2, 4]
        or sum(apportion(np.array([1.0, 1.0, 2.0]), 9, least=1)) == 9
    )
    with pytest.raises(ValueError, match="cannot be shared out"):
        apportion(np.ones(5), 4, least=1)


def test_a_flat_map_is_true_to_metres() -> None:
    flat = Metres(117.0, 35.4)
    xy = flat.flat(np.array([[117.01, 35.4], [117.0, 35.41]]))
    assert xy[0, 0] == pytest.approx(909, abs=3) and xy[1, 1] == pytest.approx(1109, abs=5)
    assert flat.degrees(xy) == pytest.approx(np.array([[117.01, 35.4], [117.0, 35.41]]))


def test_names_are_invented_from_characters_and_phones_cannot_be_dialled() -> None:
    rng = np.random.default_rng(1)
    made = names(rng, 500)
    assert len(set(made)) > 350 and all(len(name) in (2, 3) for name in made)
    # mobile numbers begin with 13 to 19
    assert all(len(p) == 11 and p.startswith("120") for p in phones(rng, 100))
    source = (Path(names.__code__.co_filename)).read_text(encoding="utf-8")
    assert "open(" not in source and "read_csv" not in source  # no list of people anywhere


def test_people_stations_and_party_tree_of_horinger(tmp_path: Path) -> None:
    profile = profiles.load("horinger")
    generate_ground(profile, tmp_path, 150123)
    read = {n: pd.read_csv(tmp_path / f"{n}.csv", dtype=str) for n in ("workers", "posts", "org", "stations")}
    grids = set(gpd.read_file(tmp_path / "areas-grid.fgb")["code"])
    staff = read["workers"]
    assert set(staff["area"]) >= grids and set(staff["kind"]) == {"full_time", "part_time", "professional"}
    assert read["org"]["kind"].value_counts()[["grid_branch", "building_group"]].to_dict() == {
        "grid_branch": 22,
        "building_group": 107,
    }
    of_grid = read["org"][read["org"]["kind"].isin(["grid_branch", "building_group"])]["area"]
    assert set(of_grid) == grids and len(of_grid) == 129  # 129 = 22 + 107
    assert (read["posts"]["role"] == "building_leader").sum() == 1008
    known = set(read["org"]["path"])
    assert all("." not in p or p.rpartition(".")[0] in known for p in known)
    assert (
        read["stations"]["id"].str.fullmatch(r"150123\d{2}00132\d{7}").all()
        and read["stations"]["id"].is_unique
    )
    assert read["stations"]["stream_url"].str.startswith("/demo-camera/").sum() == 8
