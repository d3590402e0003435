"""Import of roads: the net that travel times run on, whole from one file, in the place of the one before."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from psycopg import errors

from geodata.importing.bulk import copy_table
from geodata.importing.check import ground_of
from geodata.importing.place import Place, read_place, required_root
from geodata.importing.projections import why_no_degrees
from geodata.importing.report import ImportRefused, Progress, Report, refusal, silent
from geodata.importing.roads_net import Net, noded
from geodata.importing.roads_rows import RoadOptions, Roads, read_rows
from geodata.importing.vectors import Bounds, read_areas
from geodata.scope import Db

__all__ = ["SUBJECT", "RoadOptions", "import_roads"]
SUBJECT = "roads"
EXTENSION = "pgrouting"
BEYOND_DEGREES = 0.05  # about 5 km around the place: ways lead out of it and in again
ISLAND_M, ISLAND_SHARE = 2000, 0.01  # a part below both joins nothing that matters: a yard, a slip of the pen
WHOLE_SHARE = 0.95  # of a net that hangs together
MISSING = (
    "Install it on the machine of the database. Debian, Ubuntu: apt-get install postgresql-{version}-pgrouting; in a"
    " container: the image pgrouting/pgrouting. Nothing but roads needs it."
)


def import_roads(
    conn: Db, path: Path, options: RoadOptions | None = None, progress: Progress = silent
) -> Report:
    """Bring a place's roads in, in the caller's transaction, and let the ones that were there go.

    Lines of any CRS and datum are cut where they share vertices and stored as EPSG:4326, with the seconds to go along
    them by the profile's speeds. Raises ImportRefused, with record and column, when anything is wrong, and when the
    server has no pgRouting; then nothing was written.
    """
    options = options or RoadOptions()
    report = Report(SUBJECT, [path.name])
    place = read_place(conn, SUBJECT, path.name)
    required_root(place, SUBJECT, path.name)
    require_pgrouting(conn, path.name)
    progress("read", 0, 1)
    near = _around(conn, place)
    file = read_areas(
        path, SUBJECT, crs=options.crs, datum=options.datum, layer=options.layer, swap_axes=options.swap_axes,
        near=near,
    )  # fmt: skip
    report.notes.extend(file.notes)
    if file.crs is None:
        raise why_no_degrees(file, path, ground_of(conn, place).outline, SUBJECT)
    roads = read_rows(file, options, place.profile.dispatch.roads, near, report)
    progress("read", 1, 1)
    progress("node", 0, 1)
    net = _without_islands(noded(roads.shapes, roads.stated), report)
    if not len(net):
        raise _nothing_left(path, report)
    progress("node", 1, 1)
    _store(conn, path.name, roads, net, report, progress)
    return report


def require_pgrouting(conn: Db, file: str) -> None:
    """Make the extension in this database. Raises ImportRefused where that cannot be, and says what to do."""
    row = conn.execute(
        """
        SELECT current_setting('server_version_num')::integer / 10000,
               EXISTS (SELECT FROM pg_available_extensions WHERE name = %s)
        """,
        (EXTENSION,),
    ).fetchone()
    version, available = row or ("", False)
    if not available:
        raise refusal(SUBJECT, file, "pgRouting on the database's server", MISSING.format(version=version))
    try:
        with conn.transaction():
            conn.execute("CREATE EXTENSION IF NOT EXISTS pgrouting")
    except errors.InsufficientPrivilege:
        hint = "Have somebody who may do it run in this database: CREATE EXTENSION pgrouting;"
        raise refusal(SUBJECT, file, "pgRouting in this database", hint) from None


def _around(conn: Db, place: Place) -> Bounds:
    """The bounds of the place with what lies around it, in degrees."""
    row = conn.execute(
        """
        SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
        FROM (SELECT ST_Expand(ST_Extent(geom)::geometry, %s) AS e FROM area_now WHERE no = %s) AS around
        """,
        (BEYOND_DEGREES, place.root_no),
    ).fetchone()
    if row is None or row[0] is None:
        raise refusal(SUBJECT, "", "a place with an outline", "Import its areas first.")
    return row[0], row[1], row[2], row[3]


def _without_islands(net: Net, report: Report) -> Net:
    """The net without small parts that hang on nothing."""
    if not len(net):
        return net
    whole = float(net.metres.sum())
    long = np.bincount(net.part, weights=net.metres)
    island = (long < ISLAND_M) & (long < ISLAND_SHARE * whole)
    left = int(island[1:].sum())
    kept = net.of(~island[net.part])
    if left:
        report.counts["islands"] = left
        report.notes.append(
            f"{left} parts of less than {ISLAND_M / 1000:g} km each, {long[island].sum() / 1000:,.1f} km in all,"
            " hang on nothing and were left out."
        )
    return kept


def _nothing_left(path: Path, report: Report) -> ImportRefused:
    counts = report.counts
    said = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items() if number)
    hint = "Which column tells the class: --column class=NAME?"
    if counts.get("far_away"):
        hint = (
            "Is this another place's file? Are --crs and --datum right? Is it latitude first (--swap-axes)?"
        )
    return refusal(SUBJECT, path.name, "at least one road in the place or within 5 km of it", hint, said)


def _store(conn: Db, source: str, roads: Roads, net: Net, report: Report, progress: Progress) -> None:
    speed, way = roads.speed_kmh[net.line], roads.way[net.line]
    seconds = net.metres * 3.6 / speed
    rows = pa.table(
        {
            "id": np.arange(1, len(net) + 1),
            "source": net.source,
            "target": net.target,
            "class": pa.array(roads.kind[net.line], pa.string()),
            "name": pa.array(roads.name[net.line], pa.string()),
            "metres": net.metres,
            "cost_s": np.where(way >= 0, seconds, -1.0),
            "reverse_s": np.where(way <= 0, seconds, -1.0),
            "part": net.part,
            "geom": shapely.to_wkb(shapely.set_srid(net.shapes, 4326), hex=True, include_srid=True),
        }
    )
    # No TRUNCATE: who asks for a way meanwhile gets one.
    before = conn.execute("DELETE FROM road_edge").rowcount
    copy_table(conn, "road_edge", rows, lambda done: progress("write", done, rows.num_rows))
    conn.execute("ANALYZE road_edge")
    conn.execute("DELETE FROM road_net")
    conn.execute(
        "INSERT INTO road_net (source, metres, nodes, edges, fastest_kmh) VALUES (%s, %s, %s, %s, %s)",
        (source, float(net.metres.sum()), net.nodes, len(net), float(speed.max())),
    )
    report.counts |= {
        "pieces": len(net), "nodes": net.nodes, "kilometres": round(net.metres.sum() / 1000),
        "replaced_pieces": before,
    }  # fmt: skip
    _tell(roads, net, report)


def _tell(roads: Roads, net: Net, report: Report) -> None:
    """How much of the net hangs together, and what it is made of."""
    whole = float(net.metres.sum())
    largest = float(net.metres[net.part == 1].sum())
    parts = len(np.unique(net.part))
    said = f"{100 * largest / whole:.1f} % of the {whole / 1000:,.1f} km hang together; {parts} parts in all."
    if largest < WHOLE_SHARE * whole:
        said += (
            " Roads are joined where they share a vertex; those that only touch or cross are not. If they should be,"
            " cut the lines at their crossings first (QGIS: v.clean with the tool break) and import again."
        )
    report.notes.append(said)
    kinds = roads.kind[net.line]
    by_kind = {
        kind: (
            float(net.metres[kinds == kind].sum()) / 1000,
            float(roads.speed_kmh[net.line][kinds == kind].mean()),
        )
        for kind in np.unique(kinds.astype(str))
    }
    listed = sorted(by_kind.items(), key=lambda one: -one[1][0])
    report.notes.append(
        "; ".join(f"{kind} {km:,.1f} km at {speed:.0f} km/h" for kind, (km, speed) in listed) + "."
    )
