"""Makes the sample files of docs/guide/samples: python -m tests.data.samples"""

import random
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pyogrio
import shapely
import xlsxwriter
from pyproj import Transformer

from geodata.datum import from_wgs84
from tests.small_place import STEP, centre

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "guide" / "samples"
CELLS = [(town, community, grid) for town in (1, 2) for community in (1, 2) for grid in range(1, 10)]
COMMUNITIES = {(1, 1): "东关社区", (1, 2): "西关社区", (2, 1): "前屯村", (2, 2): "后屯村"}
TOWNS = {1: "城关街道", 2: "河东镇"}


def cells() -> tuple[list[dict[str, str]], "np.ndarray[tuple[int], np.dtype[np.object_]]"]:
    """Columns and boxes (EPSG:4326) of 36 grids of an invented county 370999."""
    rows, shapes = [], []
    for town, community, grid in CELLS:
        x, y = centre(town, community, grid)
        half = STEP / 2
        shapes.append(shapely.box(*(round(v, 6) for v in (x - half, y - half, x + half, y + half))))
        rows.append(
            {
                "网格编码": f"370999{town:03}{community:03}{grid:03}", "网格名称": f"第{grid}网格",
                "网格类型": "城市网格" if town == 1 else "农村网格", "户数": "260", "人口": "780",
                "社区": COMMUNITIES[town, community], "镇街": TOWNS[town],
            }
        )  # fmt: skip
    return rows, np.array(shapes, dtype=object)


def gcj02() -> None:
    """What one draws on Amap: coordinates in GCJ-02, in a GeoJSON that says nothing of it."""
    rows, shapes = cells()
    shifted = shapely.transform(
        shapes, lambda xy: np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], "gcj02")).round(8)
    )
    features = [
        {"type": "Feature", "properties": row, "geometry": orjson.loads(shapely.to_geojson(shape))}
        for row, shape in zip(rows, shifted, strict=True)
    ]
    (FOLDER / "grids-amap.geojson").write_bytes(
        orjson.dumps({"type": "FeatureCollection", "features": features})
    )


def metres() -> None:
    """What a survey office hands over: a zipped shapefile in metres (CGCS2000, 117° E), its names in GBK."""
    rows, shapes = cells()
    project = Transformer.from_crs(4326, 4548, always_xy=True)
    flat = shapely.transform(
        shapes, lambda xy: np.column_stack(project.transform(xy[:, 0], xy[:, 1])).round(3)
    )
    columns = ["网格编码", "网格名称", "网格类型"]
    values = [np.array([row[column] for row in rows], dtype=object) for column in columns]
    stem = FOLDER / "grids"
    pyogrio.raw.write(
        f"{stem}.shp", shapely.to_wkb(flat), values, ["WGBM", "WGMC", "WGLX"], geometry_type="Polygon", crs="EPSG:4548",
        encoding="GB18030",
    )  # fmt: skip
    with zipfile.ZipFile(FOLDER / "grids-survey.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in (".shp", ".shx", ".dbf", ".prj"):
            archive.write(stem.with_suffix(suffix), f"网格{suffix}")
    for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
        stem.with_suffix(suffix).unlink(missing_ok=True)


def workbook() -> None:
    """What a hotline exports: a workbook with its own headings and words, coordinates from Amap."""
    chance = random.Random(7)
    book = xlsxwriter.Workbook(FOLDER / "hotline.xlsx")
    sheet = book.add_worksheet("工单")
    sheet.write_row(
        0, 0, ["编号", "来电时间", "诉求分类", "诉求内容", "经度", "纬度", "进展", "完结时间", "回访"]
    )
    day = book.add_format({"num_format": "yyyy/m/d h:mm"})
    kinds = [("垃圾堆放", "小区门口垃圾成堆"), ("占道经营", "早市占了半条路"), ("停车难", "消防通道停满了车")]
    for row in range(1, 121):
        came = datetime(2025, 3, 1, 7) + timedelta(minutes=chance.randrange(14 * 24 * 60))
        done = row % 5 != 0
        lon, lat = (float(part[0]) for part in from_wgs84(
            np.array([chance.uniform(117.001, 117.119)]), np.array([chance.uniform(35.401, 35.429)]), "gcj02"
        ))  # fmt: skip
        kind, said = chance.choice(kinds)
        sheet.write_row(
            row,
            0,
            [f"RX{row:05}", None, kind, said, round(lon, 6), round(lat, 6), "已办结" if done else "在办中"],
        )
        sheet.write_datetime(row, 1, came, day)
        if done:
            sheet.write_datetime(row, 7, came + timedelta(hours=chance.randrange(2, 90)), day)
            sheet.write(row, 8, chance.choice(["满意", "基本满意", "不满意", "未接电话"]))
    book.close()
    (FOLDER / "hotline.toml").write_text(MAPPING)


MAPPING = """\
# How hotline.xlsx is read: which column is which field, and what its words mean here.
datum = "gcj02"
time_zone = "Asia/Shanghai"

[columns]
source_id = "编号"
reported_at = "来电时间"
category = "诉求分类"
description = "诉求内容"
status = "进展"
closed_at = "完结时间"
satisfaction = "回访"

[constants]
channel = "12345"

[values.category]
"垃圾堆放" = "暴露垃圾"
"停车难" = "停车管理"

[values.status]
"在办中" = "in_progress"

[values.satisfaction]
"未接电话" = "unrated"
"""

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    gcj02()
    metres()
    workbook()
