"""The check finds each fault of the broken files, and none where there is none."""

import json
from pathlib import Path

import pytest

from geodata.importing.area_rows import AreaOptions
from geodata.importing.check import Check, check_database, check_file, ground_of
from geodata.importing.check_files import write_areas, write_faults
from geodata.importing.place import read_place
from geodata.importing.repair import repair_rows
from geodata.scope import Db

BROKEN = Path(__file__).parent.parent / "data" / "broken"


def check(conn: Db, name: str, **options: object) -> Check:
    """The check of one broken file against the small place."""
    place = read_place(conn, "areas")
    return check_file(BROKEN / name, AreaOptions("grid", **options), place, ground_of(conn, place))[0]  # type: ignore[arg-type]


def kinds(found: Check) -> set[str]:
    """Kinds of the faults found."""
    return {fault.kind for fault in found.faults}


EXPECTED = {
    "gcj02_that_says_4326.geojson": ({"datum"}, "--datum gcj02"),
    "bd09_that_says_4326.geojson": ({"datum"}, "--datum bd09"),
    "feet_without_crs.geojson": ({"file"}, "EPSG:4548 after turning feet into metres"),
    "metres_without_prj.zip": ({"file"}, "EPSG:4548"),
    "topology.geojson": ({"file"}, "TopoJSON"),
    "duplicate_codes.geojson": ({"code"}, "Two areas have this code"),
    "bow_tie.geojson": ({"ring", "gap"}, "--repair rings"),
    "open_rings.geojson": ({"ring"}, "draw it again"),
    "huge_coordinate.geojson": ({"far", "ring"}, "did a corner slip"),
    "infinite_coordinate.geojson": ({"file"}, "damaged"),
    "codes_of_another_source.geojson": ({"parentage"}, "of another numbering"),
    "codes_of_another_pattern.geojson": ({"code", "parentage"}, "--any-code"),
    "sliver_overlap.geojson": ({"sliver_overlap"}, "--repair slivers"),
    "sliver_gap.geojson": ({"sliver_gap"}, "--repair slivers"),
    "overlap.geojson": ({"overlap"}, "--repair overlaps"),
    "gap.geojson": ({"gap"}, "--repair gaps"),
    "latitude_first.geojson": ({"far"}, "--swap-axes"),
    "far_away.geojson": ({"far"}, "wrong --crs"),
    "too_small.geojson": ({"size_rule"}, "200 households or 600 people"),
    "points.geojson": ({"ring"}, "draw its outline"),
    "cut_off.geojson": ({"file"}, "ends too early"),
    "cut_off.fgb": ({"file"}, "damaged or cut off"),
    "empty.geojson": ({"file"}, "empty"),
    "no_features.geojson": ({"file"}, "holds none"),
    "too_deep.geojson": ({"file"}, "hostile"),
    "a_page.geojson": ({"file"}, "none of these"),
    "bomb.zip": ({"file"}, "zip bomb"),
    "climbing.zip": ({"file"}, "leads out of"),
    "old.xls": ({"file"}, "none of these"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_fault_is_found_and_says_what_to_do(conn: Db, name: str) -> None:
    expected, hint = EXPECTED[name]
    found = check(conn, name)
    assert expected <= kinds(found), found.faults
    assert any(hint in fault.hint for fault in found.faults), [fault.hint for fault in found.faults]


def test_the_small_place_has_no_fault(conn: Db) -> None:
    found = check_database(conn, read_place(conn, "areas"))
    assert found.faults == []
    assert found.checked == 43


def test_a_good_file_has_no_fault_in_its_own_crs_and_datum(conn: Db) -> None:
    assert check(conn, "metres.zip").faults == []
    assert check(conn, "gcj02_that_says_4326.geojson", datum="gcj02").faults == []
    assert check(conn, "metres_without_prj.zip", crs="EPSG:4548").faults == []
    assert check(conn, "latitude_first.geojson", swap_axes=True).faults == []


def test_one_fault_is_one_line(conn: Db) -> None:
    """No fault hides behind a heap of others that follow from it."""
    for name in (
        "sliver_overlap.geojson",
        "sliver_gap.geojson",
        "overlap.geojson",
        "gap.geojson",
        "too_small.geojson",
    ):
        assert len(check(conn, name).faults) == 1, name
    for name in ("gcj02_that_says_4326.geojson", "bd09_that_says_4326.geojson"):
        assert len(check(conn, name).faults) == 1, name


def test_sizes_are_true_square_metres(conn: Db) -> None:
    overlap = check(conn, "overlap.geojson").faults[0]
    assert overlap.area_m2 == pytest.approx(
        0.003 * 90_800 * 0.01 * 110_950, rel=0.01
    )  # metres a degree at 35.4° N
    assert set(overlap.codes) == {"370883001001001", "370883001001002"}
    assert check(conn, "sliver_overlap.geojson").faults[0].area_m2 == pytest.approx(1.816 * 1109.5, rel=0.01)


@pytest.mark.parametrize(
    ("name", "repair", "said"),
    [
        ("bow_tie.geojson", "rings", "ring mended"),
        ("overlap.geojson", "overlaps", "shared are now"),
        ("sliver_overlap.geojson", "slivers", "shared are now"),
        ("sliver_gap.geojson", "slivers", "a gap of"),
        ("gap.geojson", "gaps", "a gap of"),
    ],
)
def test_a_repair_does_what_it_was_told_and_says_so(
    conn: Db, tmp_path: Path, name: str, repair: str, said: str
) -> None:
    place = read_place(conn, "areas")
    ground = ground_of(conn, place)
    _, file, rows = check_file(BROKEN / name, AreaOptions("grid"), place, ground)
    assert file is not None
    assert repair_rows(rows, frozenset()) == []  # nothing without being told
    sentences = repair_rows(rows, frozenset({repair}))
    assert any(said in sentence for sentence in sentences)
    out = tmp_path / "repaired.geojson"
    write_areas(out, file, rows)
    again, _, _ = check_file(out, AreaOptions("grid"), place, ground)
    left = {fault.kind for fault in again.faults} - {"gap"}  # a mended bow tie is smaller than what was meant
    assert left == set()


def test_the_faults_are_written_with_their_shapes(conn: Db, tmp_path: Path) -> None:
    out = tmp_path / "faults.geojson"
    write_faults(out, check(conn, "overlap.geojson"))
    written = json.loads(out.read_text())
    feature = written["features"][0]
    assert feature["properties"]["fault"] == "overlap"
    assert feature["geometry"]["type"] == "Polygon"
