"""Files that a check writes: the faults as GeoJSON, and areas after a repair."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyogrio
import shapely

from geodata.importing.area_rows import AreaRow
from geodata.importing.check import Check
from geodata.importing.report import refusal
from geodata.importing.vectors import AreaFile

DRIVERS = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG", ".fgb": "FlatGeobuf"}


def write_faults(path: Path, check: Check) -> None:
    """All faults as a FeatureCollection (EPSG:4326); those without a place have no geometry."""
    features = [
        {
            "type": "Feature",
            "geometry": None if fault.shape is None else orjson.Fragment(shapely.to_geojson(fault.shape)),
            "properties": {
                "fault": fault.kind, "areas": list(fault.codes), "found": fault.found, "what_to_do": fault.hint,
                "row": fault.row, "area_m2": None if fault.area_m2 is None else round(fault.area_m2, 3),
            },
        }
        for fault in check.faults
    ]  # fmt: skip
    path.write_bytes(
        orjson.dumps({"type": "FeatureCollection", "features": features}, option=orjson.OPT_INDENT_2)
    )


def write_areas(path: Path, file: AreaFile, rows: list[AreaRow]) -> None:
    """The columns of a file with the shapes of the rows, in EPSG:4326, with all digits."""
    driver = DRIVERS.get(path.suffix.lower())
    if driver is None:
        raise refusal(
            "areas", path.name, "an output that ends in .geojson, .gpkg or .fgb", "Name another file."
        )
    options: dict[str, Any] = {"COORDINATE_PRECISION": "15"} if driver == "GeoJSON" else {}
    shapes = np.array([row.shape for row in rows], dtype=object)
    names = list(file.sheet.columns)
    values = [np.array(file.sheet.columns[name].to_pylist(), dtype=object) for name in names]
    path.unlink(missing_ok=True)
    pyogrio.raw.write(
        path, shapely.to_wkb(_multi(shapes)), values, names, driver=driver, geometry_type="MultiPolygon",
        crs="EPSG:4326", layer_options=options,
    )  # fmt: skip


def _multi(shapes: "np.ndarray[Any, np.dtype[np.object_]]") -> "np.ndarray[Any, np.dtype[np.object_]]":
    return np.array(
        [None if shape is None else shapely.multipolygons(shapely.get_parts(shape)) for shape in shapes],
        dtype=object,
    )
