"""Files of shapes (GeoJSON, GeoPackage, Shapefile, FlatGeobuf; roads from OSM) in WGS84 with their columns."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from geodata.datum import Datum, to_wgs84
from geodata.importing.packed import check_packed
from geodata.importing.report import refusal
from geodata.importing.sheets import Sheet, column_of, first_bytes, json_document

ACCEPTED = ".geojson, .gpkg, .shp (also zipped) or .fgb"
OSM_PACKED = b"\x0a\x09OSMHeader"  # after four bytes
OSM_ROADS = "SELECT * FROM lines WHERE highway IS NOT NULL"
SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
Shapes = NDArray[np.object_]
Bounds = tuple[float, float, float, float]


@dataclass(slots=True)
class AreaFile:
    """What a file holds: `sheet` its columns, `shapes` one geometry a record in degrees (None = none that can be read).

    `stated` are the coordinates as they stand in the file, `degrees` those as longitude and latitude of the file's own
    datum, `crs` what they were taken to be, None when nothing says so.
    """

    sheet: Sheet
    shapes: Shapes
    stated: Shapes
    degrees: Shapes
    crs: str | None
    notes: list[str]

    def __len__(self) -> int:
        return len(self.shapes)


def read_areas(
    path: Path,
    subject: str,
    *,
    crs: str | None = None,
    datum: Datum = "wgs84",
    layer: str | None = None,
    swap_axes: bool = False,
    near: Bounds | None = None,
) -> AreaFile:
    """Read one file. `crs` says what the coordinates are, above what the file says. Raises ImportRefused in words.

    Of an extract of OpenStreetMap, read for the subject `roads` alone, only lines near the bounds (degrees) come.

    A missing CRS, and coordinates that are no degrees though the file says so, do not raise: `crs` is None then and
    `shapes` are all None, so that a check can go on to say more (projections.why_no_degrees).
    """
    head = first_bytes(path, subject)
    with _opened(path, head, subject) as (source, kind):
        sheet, stated, stated_crs = _read(source, path, kind, subject, layer, near)
    if swap_axes:
        stated = moved(stated, lambda xy: xy[:, ::-1])
    notes: list[str] = []
    found = _crs(crs, path, subject) if crs else _crs(stated_crs, path, subject) if stated_crs else None
    if found is not None and found.is_geographic and not _degrees(stated):
        found = None  # a GeoJSON is degrees by definition, whatever projected metres it holds
    if found is None:
        nothing = np.full(len(stated), None, dtype=object)
        return AreaFile(sheet, nothing, stated, nothing, None, notes)
    degrees = _to_degrees(stated, found, path, subject, notes)
    shapes = degrees
    if datum != "wgs84":
        shapes = moved(degrees, lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum)))
    return AreaFile(sheet, shapes, stated, degrees, found.to_string(), notes)


def moved(shapes: Shapes, move: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Shapes:
    """The shapes with all vertices (n × 2 array) sent through `move`. Shared vertices stay shared."""
    result: Shapes = shapely.transform(shapes, move)
    return result


def extent(shapes: Shapes) -> Bounds | None:
    """West, south, east, north of all finite coordinates; None when there are none."""
    coordinates = shapely.get_coordinates(shapes)
    finite = coordinates[np.isfinite(coordinates).all(axis=1)]
    if not len(finite):
        return None
    (west, south), (east, north) = finite.min(axis=0), finite.max(axis=0)
    return float(west), float(south), float(east), float(north)


def _degrees(shapes: Shapes) -> bool:
    """Whether most coordinates could be degrees (a few broken ones are the business of the check)."""
    coordinates = shapely.get_coordinates(shapes)
    if not len(coordinates):
        return True
    inside = (np.abs(coordinates[:, 0]) <= 360) & (np.abs(coordinates[:, 1]) <= 180)
    return bool(inside.mean() > 0.5)


@contextmanager
def _opened(path: Path, head: bytes, subject: str) -> Iterator[tuple[Path, str]]:
    """A path that GDAL may open, and the kind of file, told by its content: GDAL is never asked to guess.

    (Some of GDAL's formats are lists of other files and addresses; those must not be reached through an import.)
    """
    if head[:3] == b"fgb":
        yield path, "FlatGeobuf"
    elif head[:15] == b"SQLite format 3":
        yield path, "GPKG"
    elif head[:4] == b"\x00\x00\x27\x0a":
        missing = [part for part in (".shx", ".dbf") if not _sibling(path, part)]
        if missing:
            hint = "A shapefile is several files of one name; put them side by side or zip them together."
            raise refusal(subject, path.name, f"its {' and '.join(missing)} beside it", hint)
        yield path, "ESRI Shapefile"
    elif head[:4] == b"PK\x03\x04":
        with tempfile.TemporaryDirectory(prefix="wangge-") as folder:
            yield _unzip(path, Path(folder), subject), "ESRI Shapefile"
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        _look_into_json(path, subject)
        yield path, "GeoJSON"
    elif subject == "roads" and head[4:15] == OSM_PACKED:
        yield path, "OSM"
    else:
        hint = f"The file is none of these, whatever its name says (it starts with {head[:8]!r})."
        if path.suffix.lower() in (".dbf", ".shx", ".prj", ".cpg"):
            hint = "Name the .shp of this shapefile."
        accepted = f"{subject} as {'.osm.pbf, ' if subject == 'roads' else ''}{ACCEPTED}"
        raise refusal(subject, path.name, accepted, hint)


def _sibling(path: Path, suffix: str) -> Path | None:
    for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if candidate.exists():
            return candidate
    return None


def _look_into_json(path: Path, subject: str) -> None:
    document = json_document(path, subject)
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "Topology":
        hint = (
            "This is TopoJSON. Turn it into GeoJSON first, for example: mapshaper FILE -o format=geojson OUT"
        )
        raise refusal(subject, path.name, "GeoJSON", hint, '"type": "Topology"')
    if kind != "FeatureCollection":
        raise refusal(
            subject,
            path.name,
            'GeoJSON with "type": "FeatureCollection"',
            "Export it as GeoJSON again.",
            kind,
        )
    if not isinstance(document.get("features"), list) or not document["features"]:
        raise refusal(subject, path.name, "at least one feature", "The file holds none; export it again.")


def _unzip(path: Path, folder: Path, subject: str) -> Path:
    """The .shp of a zipped shapefile, unpacked with its parts only, under names of our own."""
    check_packed(path, subject)
    with zipfile.ZipFile(path) as archive:
        members = [entry for entry in archive.infolist() if not entry.is_dir()]
        shapes = [
            entry
            for entry in members
            if entry.filename.lower().endswith(".shp") and "__MACOSX" not in entry.filename
        ]
        if not shapes:
            raise refusal(
                subject, path.name, "a .shp in the zip", "Zip the .shp with its .dbf, .shx and .prj."
            )
        if len(shapes) > 1:
            names = ", ".join(entry.filename for entry in shapes[:5])
            raise refusal(
                subject, path.name, "one shapefile in the zip", "Zip the one to import by itself.", names
            )
        stem = shapes[0].filename[: -len(".shp")]
        for entry in members:
            suffix = entry.filename[len(stem) :].lower()
            if not entry.filename.startswith(stem) or suffix not in SHAPEFILE_PARTS:
                continue
            try:
                with archive.open(entry) as packed, (folder / f"areas{suffix}").open("wb") as out:
                    shutil.copyfileobj(packed, out, 1 << 20)
            except (
                zipfile.BadZipFile,
                RuntimeError,
                OSError,
                EOFError,
                NotImplementedError,
                ValueError,
            ) as error:
                hint = f"It is damaged or protected ({error}); zip it again without a password."
                raise refusal(subject, path.name, "a whole zip", hint) from None
    missing = [part for part in (".shx", ".dbf") if not (folder / f"areas{part}").exists()]
    if missing:
        raise refusal(
            subject, path.name, f"a {' and a '.join(missing)} in the zip", "Zip all parts of the shapefile."
        )
    return folder / "areas.shp"


def _read(
    source: Path, path: Path, kind: str, subject: str, layer: str | None, near: Bounds | None
) -> tuple[Sheet, Shapes, str | None]:
    """Columns, shapes and the CRS that the file states (None = it states none)."""
    options: dict[str, Any] = {}
    pyogrio.set_gdal_config_options(
        {"OGR_GEOMETRY_ACCEPT_UNCLOSED_RING": "NO"}
    )  # or it closes them without a word
    if kind == "ESRI Shapefile" and _sibling(source, ".cpg") is None:
        options["encoding"] = _dbf_encoding(source)
    if kind == "OSM":
        options |= {"sql": OSM_ROADS, "bbox": near}
    try:
        if kind == "GPKG":
            names = [str(name) for name in pyogrio.list_layers(source)[:, 0]]
            if layer is None and len(names) > 1:
                raise refusal(
                    subject, path.name, "--layer NAME", f"The file has several layers: {', '.join(names)}."
                )
            if layer is not None and layer not in names:
                raise refusal(
                    subject, path.name, f"a layer named {layer}", f"The file has: {', '.join(names)}."
                )
        meta, _, wkb, values = pyogrio.raw.read(
            source, layer=layer if kind == "GPKG" else None, force_2d=True, **options
        )
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError, OSError, RuntimeError) as error:
        hint = (
            f"The file is damaged or cut off ({str(error).splitlines()[0][:100]}). Export or copy it again."
        )
        raise refusal(subject, path.name, f"a whole {kind} file", hint) from None
    if wkb is None or not len(wkb):
        raise refusal(subject, path.name, "at least one shape", "The file holds no records with a shape.")
    shapes: Shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    columns = {
        str(name): column_of([_plain(value) for value in column])
        for name, column in zip(meta["fields"], values, strict=True)
    }
    return Sheet(path.name, columns, np.arange(1, len(wkb) + 1)), shapes, meta["crs"]


def _plain(value: Any) -> Any:
    """A cell as Python knows it; NaN is GDAL's way to say empty."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def _dbf_encoding(shp: Path) -> str:
    """UTF-8 when the attribute table reads as such, else GB18030: what a shapefile without a .cpg holds in China."""
    table = _sibling(shp, ".dbf")
    try:
        if table:
            table.read_bytes().partition(b"\r")[2].decode("utf-8")
    except UnicodeDecodeError:
        return "GB18030"
    return "UTF-8"


def _crs(text: str, path: Path, subject: str) -> CRS:
    try:
        return CRS.from_user_input(text)
    except (CRSError, ValueError):
        raise refusal(
            subject, path.name, "a coordinate system such as EPSG:4549", "Correct --crs.", text
        ) from None


def _to_degrees(shapes: Shapes, crs: CRS, path: Path, subject: str, notes: list[str]) -> Shapes:
    if crs.to_epsg() in (4326, 4490) or crs == CRS.from_epsg(4326):
        return shapes
    group = TransformerGroup(crs, CRS.from_epsg(4326), always_xy=True)
    if not group.transformers:
        raise refusal(
            subject, path.name, "a coordinate system that can be converted", "Give another --crs.", crs.name
        )
    best = group.transformers[0]
    if "allpark" in best.description and "China 2000" not in str(crs.geodetic_crs):
        notes.append(
            f"{path.name}: the shift from {crs.name} to WGS84 is not published; the {subject} may lie off"
            " by up to 150 m. Have the data converted to CGCS2000 by its keeper if that matters."
        )

    def project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = best.transform(xy[:, 0], xy[:, 1])
        return np.column_stack([x, y])

    return moved(shapes, project)
