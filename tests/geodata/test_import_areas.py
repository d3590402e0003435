"""Import of areas: what a newcomer's files become, versions of boundaries, and what is refused."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import profiles
from geodata.importing.areas import AreaOptions, import_areas
from geodata.importing.report import ImportRefused, Report
from geodata.scope import Db
from geodata.vocabulary import sync_place, sync_vocabulary
from tests.data.broken.make import BROKEN_FOLDER, features, ring

GRID = "370883001001005"


@pytest.fixture
def empty(conn: Db) -> Db:
    """The shared database with its areas gone: a place that was just made."""
    for table in ("patrol", "ticket_event", "ticket", "worker", "area_boundary"):
        conn.execute(f"TRUNCATE {table} CASCADE")
    conn.execute("TRUNCATE area CASCADE")
    conn.execute("DELETE FROM place")
    profile = profiles.load("zoucheng")
    sync_place(conn, profile, generated=False)
    sync_vocabulary(conn, profile)
    return conn


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes features as a GeoJSON file."""

    def write(found: list[dict[str, Any]], name: str = "grids.geojson") -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({"type": "FeatureCollection", "features": found}))
        return path

    return write


def complaints(refused: pytest.ExceptionInfo[ImportRefused]) -> str:
    """All that a refusal says, as one text."""
    return "\n".join(
        f"{f.row} {f.column} {f.value} {f.expected} {f.hint}" for f in refused.value.report.faults
    )


def counts(report: Report) -> dict[str, int]:
    """Counts that are not zero."""
    return {name: number for name, number in report.counts.items() if number}


def one(conn: Db, query: str, *values: object) -> Any:
    """The first column of the first row."""
    row = conn.execute(query, values).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


def test_a_file_of_grids_alone_makes_a_whole_place(empty: Db) -> None:
    path = BROKEN_FOLDER / "gcj02_that_says_4326.geojson"
    report = import_areas(empty, path, AreaOptions("grid", datum="gcj02", make_parents=True))
    assert counts(report) == {"read": 36, "made_county": 1, "made_town": 2, "made_community": 4, "added": 36}
    rows = empty.execute("SELECT code, no, hi, parent_no FROM area ORDER BY no").fetchall()
    assert rows[0] == ("370883", 1_000_000_000, 1_999_999_999, None)
    assert ("370883001001005", 1_001_001_005, 1_001_001_005, 1_001_001_000) in rows
    assert (
        one(
            empty,
            "SELECT count(*) FROM area c JOIN area p ON p.no = c.parent_no WHERE c.no NOT BETWEEN p.no AND p.hi",
        )
        == 0
    )
    box = one(empty, "SELECT ST_Extent(geom)::text FROM area_now WHERE level = 'grid'")
    west, south = (float(part) for part in box[4:].split(",")[0].split())
    assert (west, south) == pytest.approx((117.0, 35.4), abs=1e-6)
    union = one(empty, "SELECT ST_Area(ST_Union(geom)) FROM area_now WHERE level = 'grid'")
    whole = one(empty, "SELECT ST_Area(geom) FROM area_now WHERE level = 'county'")
    assert union == pytest.approx(whole, rel=1e-9)


def test_a_zipped_shapefile_in_metres_and_gbk(empty: Db) -> None:
    report = import_areas(empty, BROKEN_FOLDER / "metres.zip", AreaOptions("grid", make_parents=True))
    assert counts(report)["added"] == 36
    name, kind, initials = (
        empty.execute("SELECT name, kind, initials FROM area WHERE code = %s", (GRID,)).fetchone() or ()
    )
    assert (name, kind, initials) == ("第5网格", "urban", "d5wg")
    lon, lat = (
        empty.execute(
            "SELECT ST_X(label_at), ST_Y(label_at) FROM area_now WHERE code = %s", (GRID,)
        ).fetchone()
        or ()
    )
    assert (lon, lat) == pytest.approx((117.015, 35.415), abs=1e-4)


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".shp"])
def test_other_formats(empty: Db, tmp_path: Path, suffix: str, written: Callable[..., Path]) -> None:
    import pyogrio

    plain = written(features())
    frame = pyogrio.read_dataframe(plain)
    path = tmp_path / f"grids{suffix}"
    pyogrio.write_dataframe(frame, path)
    assert counts(import_areas(empty, path, AreaOptions("grid", make_parents=True)))["added"] == 36


def test_parents_are_found_on_the_map_when_nothing_names_them(conn: Db, written: Callable[..., Path]) -> None:
    found = features()[:2]
    for number, feature in enumerate(found):
        feature["properties"]["code"] = f"new-{number}"
    report = import_areas(conn, written(found), AreaOptions("grid", any_code=True))
    assert counts(report)["added"] == 2
    assert (
        one(conn, "SELECT p.code FROM area a JOIN area p ON p.no = a.parent_no WHERE a.code = 'new-0'")
        == "370883001001"
    )
    assert one(conn, "SELECT no FROM area WHERE code = 'new-0'") == 1_001_001_010  # the next after nine


def test_the_parent_column_decides(conn: Db, written: Callable[..., Path]) -> None:
    found = features()[:1]
    found[0]["properties"] |= {"code": "370883001001099", "上级编码": "370883002002"}
    import_areas(conn, written(found), AreaOptions("grid"))
    assert one(conn, "SELECT parent_no FROM area WHERE code = '370883001001099'") == 1_002_002_000
    found[0]["properties"] |= {"code": "370883001001098", "上级编码": "999"}
    with pytest.raises(ImportRefused) as refused:
        import_areas(conn, written(found), AreaOptions("grid"))
    assert "the code of a parent" in complaints(refused)


def moved(found: list[dict[str, Any]], by: float) -> list[dict[str, Any]]:
    """The same areas a little further east."""
    for feature in found:
        for point in ring(feature):
            point[0] = round(point[0] + by, 7)
    return found


def test_a_second_import_makes_a_version_and_keeps_the_past(conn: Db, written: Callable[..., Path]) -> None:
    report = import_areas(
        conn, written(moved(features(), 0.002)), AreaOptions("grid", valid_from=date(2025, 6, 1))
    )
    assert counts(report) == {"read": 36, "new_version": 36}
    versions = conn.execute(
        "SELECT version, lower(valid), upper(valid) FROM area_boundary b JOIN area a ON a.no = b.area_no"
        " WHERE code = %s ORDER BY version", (GRID,),
    ).fetchall()  # fmt: skip
    assert versions == [(1, date(2020, 1, 1), date(2025, 6, 1)), (2, date(2025, 6, 1), None)]
    assert one(conn, "SELECT no FROM area WHERE code = %s", GRID) == 1_001_001_005
    # the same file again changes nothing; another of the same day replaces that day's version
    again = import_areas(
        conn, written(moved(features(), 0.002)), AreaOptions("grid", valid_from=date(2025, 6, 1))
    )
    assert counts(again) == {"read": 36, "unchanged": 36}
    other = import_areas(
        conn, written(moved(features(), 0.003)), AreaOptions("grid", valid_from=date(2025, 6, 1))
    )
    assert counts(other) == {"read": 36, "replaced": 36}
    with pytest.raises(ImportRefused) as refused:
        import_areas(conn, written(features()), AreaOptions("grid", valid_from=date(2025, 5, 1)))
    assert "a day after 2025-06-01" in complaints(refused)


def test_areas_that_are_missing_stay_until_told_otherwise(conn: Db, written: Callable[..., Path]) -> None:
    path = written(features()[1:])
    report = import_areas(conn, path, AreaOptions("grid"))
    assert report.counts["missing"] == 1
    assert any("370883001001001" in note and "--retire-missing" in note for note in report.notes)
    report = import_areas(conn, path, AreaOptions("grid", retire_missing=True))
    assert report.counts["retired"] == 1
    assert one(conn, "SELECT count(*) FROM area_now WHERE level = 'grid'") == 35
    import_areas(conn, written(features()), AreaOptions("grid"))  # it comes back under its own number
    assert one(conn, "SELECT no FROM area_now WHERE code = '370883001001001'") == 1_001_001_001


def test_a_number_is_never_given_twice(conn: Db, written: Callable[..., Path]) -> None:
    import_areas(conn, written(features()[:8] + features()[9:]), AreaOptions("grid", retire_missing=True))
    found = features()[8:9]
    found[0]["properties"]["code"] = "370883001001077"
    import_areas(conn, written(found), AreaOptions("grid"))
    assert one(conn, "SELECT no FROM area WHERE code = '370883001001077'") == 1_001_001_010


def test_screens_are_told(conn: Db, written: Callable[..., Path]) -> None:
    before = one(conn, "SELECT last_value FROM area_revision")
    import_areas(conn, written(moved(features(), 0.001)), AreaOptions("grid"))
    assert one(conn, "SELECT last_value FROM area_revision") == before + 1
    assert one(
        conn, "SELECT body->>'revision' FROM outbox WHERE kind = 'areas' ORDER BY id DESC LIMIT 1"
    ) == str(before + 1)


REFUSED = {
    "feet_without_crs.geojson": "EPSG:4548 after turning feet into metres",
    "metres_without_prj.zip": "--crs EPSG:…",
    "topology.geojson": "TopoJSON",
    "duplicate_codes.geojson": "6 code 370883001001005 each code once",
    "bow_tie.geojson": "Self-intersection",
    "open_rings.geojson": "its ring is not closed",
    "huge_coordinate.geojson": "did a corner slip",
    "codes_of_another_pattern.geojson": "15 digits",
    "latitude_first.geojson": "--swap-axes",
    "far_away.geojson": "within 50 km",
    "points.geojson": "point, a line or a collection",
    "cut_off.geojson": "ends too early",
    "cut_off.fgb": "damaged or cut off",
    "empty.geojson": "empty",
    "too_deep.geojson": "hostile",
    "a_page.geojson": "none of these",
    "bomb.zip": "zip bomb",
    "climbing.zip": "leads out of",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused_whole_and_in_words(conn: Db, name: str) -> None:
    before = one(conn, "SELECT count(*) FROM area_boundary")
    with pytest.raises(ImportRefused) as refused:
        import_areas(conn, BROKEN_FOLDER / name, AreaOptions("grid"))
    assert REFUSED[name] in complaints(refused)
    assert one(conn, "SELECT count(*) FROM area_boundary") == before


def test_rings_are_mended_only_when_asked(conn: Db) -> None:
    report = import_areas(
        conn, BROKEN_FOLDER / "bow_tie.geojson", AreaOptions("grid", repair=frozenset({"rings"}))
    )
    assert any("mended" in note for note in report.notes)


def test_overlaps_are_kept_and_reported(conn: Db) -> None:
    report = import_areas(conn, BROKEN_FOLDER / "overlap.geojson", AreaOptions("grid"))
    assert any("1 overlaps" in note for note in report.notes)


def test_a_missing_kind_says_which_options_help(conn: Db, written: Callable[..., Path]) -> None:
    found = features()
    for feature in found:
        del feature["properties"]["kind"]
    with pytest.raises(ImportRefused) as refused:
        import_areas(conn, written(found), AreaOptions("grid"))
    assert "--kind-column" in complaints(refused)
    import_areas(conn, written(found), AreaOptions("grid", kind="农村网格"))
    assert one(conn, "SELECT kind FROM area WHERE code = %s", GRID) == "rural"


def test_another_place_is_refused(empty: Db, written: Callable[..., Path]) -> None:
    found = features()
    for feature in found:
        feature["properties"]["code"] = "370829" + feature["properties"]["code"][6:]
    with pytest.raises(ImportRefused) as refused:
        import_areas(empty, written(found), AreaOptions("grid", make_parents=True))
    assert "new-place" in complaints(refused)


def test_a_polygon_of_many_corners(conn: Db, written: Callable[..., Path]) -> None:
    import numpy as np

    angle = np.linspace(0, 2 * np.pi, 200_000)
    circle = np.column_stack([117.015 + 0.004 * np.cos(angle), 35.415 + 0.004 * np.sin(angle)]).round(9)
    circle[-1] = circle[0]
    found = features()[4:5]
    found[0]["geometry"]["coordinates"] = [circle.tolist()]
    report = import_areas(conn, written(found), AreaOptions("grid"))
    assert report.counts["new_version"] + report.counts["replaced"] == 1
