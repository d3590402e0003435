"""Import of roads: what it takes, leaves out and refuses, and what it stores."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyogrio
import pytest
import shapely
from psycopg import sql
from pyproj import Transformer
from typer.testing import CliRunner

from cli import app
from geodata.datum import from_wgs84
from geodata.importing import roads as importing
from geodata.importing.report import ImportRefused, Report
from geodata.importing.roads import RoadOptions, import_roads
from geodata.scope import EVERYTHING, Db, Scope, enter
from geodata.servers import Stores
from profiles.dispatch import Roads
from tests.data.roads import Line, degrees, road, write, write_osm
from tests.small_place import grid_no

# A main street of 1,200 m with a side street in its middle, joined by a vertex of both.
STREET: Line = [(-600, 0), (0, 0), (600, 0)]
SIDE: Line = [(0, 0), (0, 400)]
PLAIN = [road(STREET, "primary", name="Main Street"), road(SIDE)]


@pytest.fixture(scope="module")
def stores(routed: Stores) -> Stores:
    """What `conn` connects to has pgRouting."""
    return routed


def rows(conn: Db, query: str) -> list[Any]:
    """All rows; single columns bare."""
    found = conn.execute(sql.SQL(query)).fetchall()  # type: ignore[arg-type]
    return [row[0] if len(row) == 1 else row for row in found]


def counts(report: Report) -> dict[str, int]:
    """Counts that are not zero."""
    return {name: number for name, number in report.counts.items() if number}


def complaints(refused: pytest.ExceptionInfo[ImportRefused]) -> str:
    """All that a refusal says, as one text."""
    return "\n".join(
        f"{f.row} {f.column} {f.value} {f.expected} {f.hint}" for f in refused.value.report.faults
    )


def test_a_net_is_stored_with_seconds_by_the_profiles_speeds(conn: Db, tmp_path: Path) -> None:
    report = import_roads(conn, write(tmp_path / "roads.geojson", PLAIN))
    assert counts(report) == {"read": 2, "roads": 2, "pieces": 3, "nodes": 4, "kilometres": 2}
    found = rows(conn, "SELECT class, name, metres, cost_s, reverse_s, part FROM road_edge ORDER BY id")
    speeds = Roads().speeds_kmh
    for kind, _, metres, cost_s, reverse_s, part in found:
        assert cost_s == reverse_s == pytest.approx(metres * 3.6 / speeds[kind])
        assert part == 1
    assert found[0][:2] == ("primary", "Main Street")
    assert rows(conn, "SELECT source, nodes, edges, fastest_kmh FROM road_net") == [
        ("roads.geojson", 4, 3, 35.0)
    ]
    on_the_ground = rows(
        conn, "SELECT bool_and(abs(ST_Length(geom::geography) - metres) < 0.01) FROM road_edge"
    )
    assert on_the_ground == [True]
    assert report.notes[0].startswith("100.0 % of the 1.6 km hang together")
    assert "primary 1.2 km at 35 km/h" in report.notes[1]


def test_an_import_takes_the_place_of_the_one_before(conn: Db, tmp_path: Path) -> None:
    import_roads(conn, write(tmp_path / "old.geojson", PLAIN))
    report = import_roads(conn, write(tmp_path / "new.geojson", [road(STREET, "trunk")]))
    assert counts(report)["replaced_pieces"] == 3
    assert rows(conn, "SELECT class FROM road_edge") == ["trunk"]
    assert rows(conn, "SELECT source FROM road_net") == ["new.geojson"]


def test_one_way_streets_roundabouts_and_footpaths(conn: Db, tmp_path: Path) -> None:
    along = [(0, 0), (600, 0)]
    cases: list[tuple[dict[str, Any], tuple[bool, bool]]] = [
        ({"oneway": "yes"}, (True, False)), ({"oneway": "-1"}, (False, True)), ({"oneway": "no"}, (True, True)),
        ({"junction": "roundabout"}, (True, False)), ({"junction": "roundabout", "oneway": "no"}, (True, True)),
        ({"oneway": "reversible"}, (True, True)), ({"oneway": "strange"}, (True, True)),
        ({"highway": "footway", "oneway": "yes"}, (True, True)), ({"highway": "primary_link"}, (True, True)),
    ]  # fmt: skip
    features = [road([(x, y + 50 * n) for x, y in along], **more) for n, (more, _) in enumerate(cases)]
    features.append(road([(600, 50 * n) for n in range(len(cases))]))  # joins them all
    import_roads(conn, write(tmp_path / "roads.geojson", features))
    found = rows(conn, "SELECT cost_s > 0, reverse_s > 0 FROM road_edge WHERE metres > 500 ORDER BY id")
    assert found == [open_ways for _, open_ways in cases]


def test_what_is_no_road_is_left_out_and_counted(conn: Db, tmp_path: Path) -> None:
    pole = {
        "type": "Feature",
        "properties": {"highway": "street_lamp"},
        "geometry": {"type": "Point", "coordinates": degrees(1, 1)},
    }
    features = [
        *PLAIN, pole, road(SIDE, None), road(SIDE, "construction"), road(SIDE, "motorway"),
        road([(20_000, 0), (21_000, 0)]), road([(300, 300), (312, 300)]), road([(0, 0), (0, 0)]),
    ]  # fmt: skip
    report = import_roads(conn, write(tmp_path / "roads.geojson", features))
    assert counts(report) == {"read": 9, "not_roads": 3, "not_gone_along": 1, "far_away": 1, "roads": 4, "islands": 1,
                              "pieces": 3, "nodes": 4, "kilometres": 2}  # fmt: skip
    assert "Left out as no class of road: " in report.notes[0]
    assert "construction (1)" in report.notes[0]
    assert report.notes[1].startswith("1 parts of less than 2 km each, 0.0 km in all")


def test_a_net_in_pieces_is_said_to_be(conn: Db, tmp_path: Path) -> None:
    far = [(3000, 0), (5500, 0)]
    report = import_roads(conn, write(tmp_path / "roads.geojson", [*PLAIN, road(far, "primary")]))
    assert rows(conn, "SELECT class, part FROM road_edge ORDER BY id") == [
        ("primary", 2), ("primary", 2), ("residential", 2), ("primary", 1)]  # fmt: skip
    assert "61.0 % of the 4.1 km hang together; 2 parts in all." in report.notes[0]
    assert "v.clean" in report.notes[0]


def test_a_shapefile_in_metres_with_chinese_headings(conn: Db, tmp_path: Path) -> None:
    """As a survey office exports it: GBK, CGCS2000 in metres, classes of the road law, a speed of its own."""
    metres = Transformer.from_crs(4326, 4548, always_xy=True)
    lines = [[metres.transform(*degrees(*at)) for at in line] for line in (STREET, SIDE)]
    pyogrio.raw.write(
        tmp_path / "roads.shp", shapely.to_wkb(np.array([shapely.LineString(line) for line in lines], dtype=object)),
        [np.array(["县道", "村道"], dtype=object), np.array(["人民路", "东巷"], dtype=object),
         np.array(["单行", "双行"], dtype=object), np.array([40.0, np.nan])],
        ["道路等级", "路名", "单行", "行驶速度"], geometry_type="LineString", crs="EPSG:4548", encoding="GBK",
    )  # fmt: skip
    import_roads(conn, tmp_path / "roads.shp")
    found = rows(
        conn, "SELECT class, name, round(metres * 3.6 / cost_s), reverse_s > 0 FROM road_edge ORDER BY id"
    )
    assert found == [("secondary", "人民路", 40, False)] * 2 + [("unclassified", "东巷", 25, True)]
    west = rows(conn, "SELECT min(ST_XMin(geom)) FROM road_edge")[0]
    assert west == pytest.approx(degrees(-600, 0)[0], abs=1e-7)


def test_layers_datums_and_columns_by_name(conn: Db, tmp_path: Path) -> None:
    shifted = []
    for line in (STREET, SIDE):
        lon, lat = np.array([degrees(*at) for at in line]).T
        shifted.append(shapely.LineString(np.column_stack(from_wgs84(lon, lat, "gcj02"))))
    for layer in ("roads", "lanes"):
        pyogrio.raw.write(
            tmp_path / "amap.gpkg", shapely.to_wkb(np.array(shifted, dtype=object)),
            [np.array(["大路", "大路"], dtype=object)], ["grade"], layer=layer, geometry_type="LineString",
            crs="EPSG:4326", append=(tmp_path / "amap.gpkg").exists(),
        )  # fmt: skip
    options = RoadOptions(
        {"class": "grade"}, {"oneway": "no"}, {"class": {"大路": "primary"}}, datum="gcj02", layer="roads"
    )
    import_roads(conn, tmp_path / "amap.gpkg", options)
    found = rows(conn, "SELECT class, ST_X(ST_StartPoint(geom)) FROM road_edge ORDER BY id")
    assert found == [("primary", pytest.approx(degrees(x, 0)[0], abs=1e-6)) for x in (-600, 0, 0)]
    with pytest.raises(ImportRefused, match="--layer NAME"):
        import_roads(conn, tmp_path / "amap.gpkg")


def test_an_extract_of_openstreetmap(conn: Db, tmp_path: Path) -> None:
    path = write_osm(
        tmp_path / "shandong.osm.pbf",
        [
            (STREET, {"highway": "secondary", "name": "人民路", "oneway": "yes"}),
            (SIDE, {"highway": "residential", "surface": "asphalt"}),
            ([(50, 50), (90, 50)], {"waterway": "river"}),
            ([(90_000, 0), (91_000, 0)], {"highway": "primary"}),
            ([(600, 0), (700, 80), (700, -80), (600, 0)], {"highway": "tertiary", "junction": "roundabout"}),
        ],
    )
    report = import_roads(conn, path)
    assert counts(report) == {"read": 3, "roads": 3, "pieces": 4, "nodes": 4, "kilometres": 2}
    found = rows(conn, "SELECT class, name, reverse_s > 0 FROM road_edge ORDER BY id")
    assert found == [("secondary", "人民路", False)] * 2 + [
        ("residential", None, True),
        ("tertiary", None, False),
    ]
    (tmp_path / "cut.osm.pbf").write_bytes(path.read_bytes()[:-20])
    (tmp_path / "plain.osm").write_text("<osm/>")
    for name, word in (("cut.osm.pbf", "damaged or cut off"), ("plain.osm", "roads as .osm.pbf, .geojson")):
        with pytest.raises(ImportRefused) as refused:
            import_roads(conn, tmp_path / name)
        assert word in complaints(refused)


def test_each_complaint_has_its_row_and_column_and_nothing_is_written(conn: Db, tmp_path: Path) -> None:
    import_roads(conn, write(tmp_path / "good.geojson", PLAIN))
    area = {"type": "Polygon", "coordinates": [[degrees(0, 0), degrees(9, 0), degrees(9, 9), degrees(0, 0)]]}
    features = [
        road(STREET, None, grade="trunk"), road(SIDE, None, grade="boulevard"), road(SIDE, None, grade=None),
        road(SIDE, None, grade="trunk", oneway="perhaps"), road(SIDE, None, grade="trunk", speed=500),
        road(SIDE, None, grade="trunk") | {"geometry": area}, road(SIDE, None, grade="trunk") | {"geometry": None},
        road([(0, 0), (0, 9e9)], None, grade="trunk"),
    ]  # fmt: skip
    with pytest.raises(ImportRefused) as refused:
        import_roads(conn, write(tmp_path / "bad.geojson", features), RoadOptions({"class": "grade"}))
    said = complaints(refused)
    for part in (
        "2 grade boulevard a class of road", "3 grade None a class of road The cell is empty.",
        "4 oneway perhaps yes, no or -1", "5 speed 500.0 a number from 1 to 130", "6 None None a line",
        "7 None None a line", "8 None None a line on the earth",
    ):  # fmt: skip
        assert part in said, said
    assert rows(conn, "SELECT source FROM road_net") == ["good.geojson"]
    assert len(rows(conn, "SELECT id FROM road_edge")) == 3


def test_whole_files_that_cannot_be_meant(conn: Db, tmp_path: Path) -> None:
    far = write(tmp_path / "far.geojson", [road([(90_000, 0), (91_000, 0)])])
    swapped = json.loads(write(tmp_path / "swapped.geojson", PLAIN).read_text())
    for feature in swapped["features"]:
        feature["geometry"]["coordinates"] = [at[::-1] for at in feature["geometry"]["coordinates"]]
    (tmp_path / "swapped.geojson").write_text(json.dumps(swapped))
    for path, word in ((far, "another place's file"), (tmp_path / "swapped.geojson", "--swap-axes")):
        with pytest.raises(ImportRefused) as refused:
            import_roads(conn, path)
        assert word in complaints(refused)
    assert (
        counts(import_roads(conn, tmp_path / "swapped.geojson", RoadOptions(swap_axes=True)))["pieces"] == 3
    )
    nothing = write(tmp_path / "nothing.geojson", [road(STREET, None)])
    with pytest.raises(ImportRefused, match="at least one road"):
        import_roads(conn, nothing)
    with pytest.raises(ImportRefused, match="column for class"):
        import_roads(conn, write(tmp_path / "bare.geojson", [{**PLAIN[0], "properties": {"a": 1}}]))


def test_without_pgrouting_it_says_what_to_install(
    conn: Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "EXTENSION", "pgrouting_of_nobody")
    with pytest.raises(ImportRefused) as refused:
        import_roads(conn, write(tmp_path / "roads.geojson", PLAIN))
    assert "-pgrouting" in complaints(refused)
    assert "apt-get install postgresql-" in complaints(refused)


def test_who_may_not_make_the_extension_is_told_whom_to_ask(routed: Stores, tmp_path: Path) -> None:
    with psycopg.connect(routed.database_url) as conn:
        conn.execute("DROP EXTENSION pgrouting")
        conn.execute("SET LOCAL ROLE wangge_county")
        with pytest.raises(ImportRefused) as refused:
            importing.require_pgrouting(conn, "roads.geojson")
        conn.rollback()
    assert "CREATE EXTENSION pgrouting;" in complaints(refused)


def test_roads_are_public_and_nobody_but_the_owner_changes_them(conn: Db, tmp_path: Path) -> None:
    import_roads(conn, write(tmp_path / "roads.geojson", PLAIN))
    for scope in (EVERYTHING, Scope(grid_no(1, 1, 1), grid_no(1, 1, 1))):
        enter(conn, scope)
        assert rows(conn, "SELECT count(*) FROM road_edge, road_net") == [3]
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute("DELETE FROM road_edge")
        conn.execute("RESET ROLE")


def test_the_command_tries_imports_and_refuses(
    routed: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", routed.database_url)
    monkeypatch.setenv("REDIS_URL", routed.redis_url)
    monkeypatch.setenv("WANGGE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    good, bad = (
        write(tmp_path / "good.geojson", PLAIN),
        write(tmp_path / "bad.geojson", [road(SIDE, None, grade="x")]),
    )
    with psycopg.connect(routed.database_url, autocommit=True) as conn:
        tried = CliRunner().invoke(app, ["import", "roads", str(good), "--dry-run"])
        assert (tried.exit_code, "nothing was written" in tried.output) == (0, True), tried.output
        assert rows(conn, "SELECT source FROM road_net") == []
        done = CliRunner().invoke(app, ["import", "roads", str(good)])
        assert "100.0 % of the 1.6 km hang together" in done.output
        refused = CliRunner().invoke(app, ["import", "roads", str(bad), "--column", "class=grade"])
        assert (refused.exit_code, "a class of road" in refused.output) == (2, True)
        assert rows(conn, "SELECT source FROM road_net") == ["good.geojson"]
        assert rows(conn, "SELECT detail->'rows'->>'pieces' FROM audit WHERE object_kind = 'roads'") == ["3"]
        conn.execute("DELETE FROM road_edge")
        conn.execute("DELETE FROM road_net")


def test_the_profiles_own_speeds_stand_above_the_defaults() -> None:
    rules = Roads(speeds_kmh={"track": 30, "haul_road": 20})
    assert (rules.speeds_kmh["track"], rules.speeds_kmh["haul_road"], rules.speeds_kmh["primary"]) == (
        30,
        20,
        35,
    )
    with pytest.raises(ValueError, match="from 0 to 130"):
        Roads(speeds_kmh={"track": 300})
