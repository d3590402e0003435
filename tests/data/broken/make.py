"""Makes the broken files of this folder from the small place: python -m tests.data.broken.make"""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
import xlsxwriter
from pyproj import Transformer

from geodata.datum import Datum, from_wgs84
from tests.small_place import STEP, centre

HERE = BROKEN_FOLDER = Path(__file__).parent
Features = list[dict[str, Any]]
CELLS = [(town, community, grid) for town in (1, 2) for community in (1, 2) for grid in range(1, 10)]


def features() -> Features:
    """The 36 grids of the small place as GeoJSON features, without a fault."""
    found = []
    for town, community, grid in CELLS:
        x, y = centre(town, community, grid)
        half = STEP / 2
        west, south, east, north = (round(v, 6) for v in (x - half, y - half, x + half, y + half))
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        found.append(
            {
                "type": "Feature",
                "properties": {
                    "code": f"37088300{town}00{community}00{grid}", "name": f"第{grid}网格",
                    "kind": "城市" if town == 1 else "农村", "households": 220, "population": 660,
                },
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )  # fmt: skip
    return found


def ring(feature: dict[str, Any]) -> list[list[float]]:
    """The outer ring of a feature, to change in place."""
    coordinates: list[list[float]] = feature["geometry"]["coordinates"][0]
    return coordinates


def write(name: str, found: Features, **more: Any) -> None:
    """One FeatureCollection."""
    text = json.dumps({"type": "FeatureCollection", **more, "features": found}, ensure_ascii=False)
    (HERE / name).write_text(text)


def shifted(datum: Datum) -> Features:
    """Coordinates of another datum in a file that says EPSG:4326."""
    found = features()
    for feature in found:
        for point in ring(feature):
            lon, lat = from_wgs84(np.array([point[0]]), np.array([point[1]]), datum)
            point[:] = [round(float(lon[0]), 8), round(float(lat[0]), 8)]
    return found


def projected(found: Features, scale: float = 1.0) -> Features:
    """CGCS2000, 3-degree zone about 117° E, in metres or another unit."""
    project = Transformer.from_crs(4326, 4548, always_xy=True)
    for feature in found:
        for point in ring(feature):
            x, y = project.transform(*point)
            point[:] = [round(x * scale, 4), round(y * scale, 4)]
    return found


def shapefile(name: str, found: Features, crs: str | None, encoding: str) -> None:
    """A zipped shapefile, with a .prj only when a CRS is given, without a .cpg."""
    wkb = shapely.to_wkb([shapely.geometry.shape(feature["geometry"]) for feature in found])
    columns = ["code", "name", "kind"]
    values = [
        np.array([feature["properties"][column] for feature in found], dtype=object) for column in columns
    ]
    stem = HERE / "areas"
    pyogrio.raw.write(
        f"{stem}.shp", wkb, values, columns, geometry_type="Polygon", crs=crs, encoding=encoding
    )
    with zipfile.ZipFile(HERE / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
            path = stem.with_suffix(suffix)
            if path.exists() and suffix != ".cpg":
                archive.write(path, path.name)
            path.unlink(missing_ok=True)


def areas() -> None:
    """Broken files of areas."""
    write("gcj02_that_says_4326.geojson", shifted("gcj02"),
          crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326"}})  # fmt: skip
    write("bd09_that_says_4326.geojson", shifted("bd09"))
    write("feet_without_crs.geojson", projected(features(), 1 / 0.3048))
    shapefile("metres_without_prj.zip", projected(features()), None, "GB18030")
    shapefile(
        "metres.zip", projected(features()), "EPSG:4548", "GB18030"
    )  # not broken: what a survey office hands over
    topology = {
        "type": "Topology", "transform": {"scale": [1, 1], "translate": [0, 0]},
        "arcs": [[[117, 35], [1, 0], [0, 1], [-1, -1]]],
        "objects": {"grids": {"type": "GeometryCollection", "geometries": [{"type": "Polygon", "arcs": [[0]]}]}},
    }  # fmt: skip
    (HERE / "topology.geojson").write_text(json.dumps(topology))

    found = features()
    found[5]["properties"]["code"] = found[4]["properties"]["code"]
    write("duplicate_codes.geojson", found)

    found = features()
    points = ring(found[0])
    points[1], points[2] = points[2], points[1]
    write("bow_tie.geojson", found)

    found = features()
    ring(found[3]).pop()
    ring(found[7])[2:] = ring(found[7])[-1:]
    write("open_rings.geojson", found)

    found = features()
    ring(found[2])[1][0] = 1e308
    write("huge_coordinate.geojson", found)
    (HERE / "infinite_coordinate.geojson").write_text(
        (HERE / "huge_coordinate.geojson").read_text().replace("1e+308", "1e999")
    )

    found = features()
    for feature in found:  # another source counts the towns the other way round
        code = feature["properties"]["code"]
        feature["properties"]["code"] = code[:6] + {"001": "002", "002": "001"}[code[6:9]] + code[9:]
    write("codes_of_another_source.geojson", found)
    for feature in found:
        feature["properties"]["code"] = "LX-" + feature["properties"]["code"][-6:]
    write("codes_of_another_pattern.geojson", found)

    found = features()
    ring(found[0])[1][0] += 0.00002  # about 1.8 m into the neighbour
    ring(found[0])[2][0] += 0.00002
    write("sliver_overlap.geojson", found)
    found = features()
    ring(found[4])[1][0] -= 0.00002
    ring(found[4])[2][0] -= 0.00002
    write("sliver_gap.geojson", found)
    found = features()
    ring(found[0])[1][0] += 0.003
    ring(found[0])[2][0] += 0.003
    write("overlap.geojson", found)
    write("gap.geojson", [feature for index, feature in enumerate(features()) if index != 4])

    found = features()
    for feature in found:
        for point in ring(feature):
            point.reverse()
    write("latitude_first.geojson", found)
    found = features()
    for point in ring(found[8]):
        point[0] += 5
    write("far_away.geojson", found)
    found = features()
    found[0]["properties"] |= {"households": 90, "population": 300}
    write("too_small.geojson", found)
    write(
        "points.geojson",
        [feature | {"geometry": {"type": "Point", "coordinates": [117, 35.4]}} for feature in features()[:3]],
    )

    text = json.dumps({"type": "FeatureCollection", "features": features()})
    (HERE / "cut_off.geojson").write_text(text[: len(text) // 2])
    (HERE / "empty.geojson").write_text("")
    write("no_features.geojson", [])
    (HERE / "too_deep.geojson").write_text(
        '{"type":"FeatureCollection","features":' + "[" * 10_000 + "]" * 10_000 + "}"
    )
    (HERE / "a_page.geojson").write_text("<!doctype html><title>504 Gateway Timeout</title>")
    wkb = shapely.to_wkb([shapely.geometry.shape(feature["geometry"]) for feature in features()])
    codes = np.array([feature["properties"]["code"] for feature in features()], dtype=object)
    pyogrio.raw.write(HERE / "whole.fgb", wkb, [codes], ["code"], geometry_type="Polygon", crs="EPSG:4326")
    whole = (HERE / "whole.fgb").read_bytes()
    (HERE / "cut_off.fgb").write_bytes(whole[: len(whole) * 2 // 3])
    (HERE / "whole.fgb").unlink()
    with zipfile.ZipFile(HERE / "bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for suffix in (".shp", ".shx", ".dbf"):
            archive.writestr(f"areas{suffix}", bytes(40_000_000))
    with zipfile.ZipFile(HERE / "climbing.zip", "w") as archive:
        archive.writestr("../../areas.shp", b"\x00\x00\x27\x0a")


HEADING = "source_id,reported_at,channel,category,title,lon,lat,status,closed_at\n"


def ticket(number: int, **changes: str) -> str:
    """One good row of tickets, changed."""
    row = {
        "source_id": f"T{number:04}", "reported_at": "2025-03-02 08:30:00", "channel": "12345", "category": "01001",
        "title": "路灯不亮", "lon": "117.0051", "lat": "35.4051", "status": "受理", "closed_at": "",
    } | changes  # fmt: skip
    return ",".join(row.values()) + "\n"


def tickets() -> None:
    """Broken files of tickets, and of people."""

    def csv(name: str, *rows: str) -> None:
        (HERE / name).write_text(HEADING + "".join(rows))

    csv("default_point.csv", *(
        ticket(number, lon="116.97", lat="35.40") if number < 60
        else ticket(number, lon=f"{117.0001 + number / 10_000:.4f}")
        for number in range(100)
    ))  # fmt: skip
    csv("duplicate_ids.csv", ticket(1), ticket(2), ticket(1), ticket(3))
    csv(
        "unknown_category.csv",
        ticket(1),
        ticket(2, category="爆露垃圾"),
        ticket(3, channel="来电"),
        ticket(4, status="弄好了"),
    )
    csv(
        "formulas.csv",
        ticket(1, title="=HYPERLINK(A1)"),
        ticket(2, title="#REF!"),
        ticket(3, title="-3号楼漏水"),
    )
    csv("swapped.csv", *(ticket(number, lon="35.4051", lat="117.0051") for number in range(3)))
    csv("metres.csv", ticket(1, lon="500463.1", lat="3919600.2"))
    csv(
        "bad_numbers.csv",
        ticket(1, lon="inf"),
        ticket(2, lon="NaN"),
        ticket(3, lat="1e999"),
        ticket(4, lat=""),
    )
    csv("bad_times.csv", ticket(1, reported_at="2025-02-30 08:00"), ticket(2, reported_at="05/06/2025"),
        ticket(3, reported_at=""),
        ticket(4, reported_at="2099-01-01 00:00"), ticket(5, closed_at="2025-03-01 08:00:00", status="办结"),
        ticket(6, status="办结"))  # fmt: skip
    csv(
        "ragged.csv",
        ticket(1),
        ticket(2, title="路灯不亮,又亮了", status="办结", closed_at="2025-03-05 08:00:00"),
    )
    csv("no_rows.csv")
    (HERE / "open_quote.csv").write_text(HEADING + 'T1,2025-03-02,12345,01001,"路灯\n')
    (HERE / "no_category.csv").write_text("工单编号,受理时间,标题\nT1,2025-03-02 08:30,路灯\n")
    (HERE / "cut_off.parquet").write_bytes(b"PAR1" + bytes(200))
    (HERE / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    (HERE / "binary.csv").write_bytes(bytes(range(256)))
    book = xlsxwriter.Workbook(HERE / "error_cells.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADING.strip().split(","))
    sheet.write_row(
        1, 0, ["T1", "2025-03-02 08:30:00", "12345", "01001", "路灯不亮", 117.0051, 35.4051, "受理"]
    )
    sheet.write_row(2, 0, ["T2", "2025-03-02 08:30:00", "12345", "01001"])
    sheet.write_formula(2, 4, "=A9/0", None, "#DIV/0!")
    book.close()
    (HERE / "care_with_belief.csv").write_text(
        "code,name,role,area,民族,宗教信仰,是否信访,riskScore\nC1,王某,独居老人,370883001001001,汉,无,否,3\n"
    )


if __name__ == "__main__":
    areas()
    tickets()
