"""Checks of all tickets of an import together: what no single row shows."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geodata.importing.report import Report
from geodata.scope import Db

SHARED_AT_LEAST = 50  # tickets on one point, and
SHARED_SHARE = 0.01  # this part of all: then it is no place of their own


def check_swapped(conn: Db, rows: pa.Table, report: Report) -> None:
    """Complain once when the points make sense here only with longitude and latitude changed over."""
    box = conn.execute(
        "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"
        " FROM (SELECT ST_Extent(geom) AS e FROM area_now WHERE parent_no IS NULL) AS x"
    ).fetchone()
    if box is None or box[0] is None:
        return
    lon, lat = (rows[name].drop_null().to_numpy() for name in ("lon", "lat"))
    if not len(lon):
        return
    west, south, east, north = box[0] - 0.1, box[1] - 0.1, box[2] + 0.1, box[3] + 0.1
    here = np.mean((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    there = np.mean((lat >= west) & (lat <= east) & (lon >= south) & (lon <= north))
    if there > 0.5 and there > here:
        report.fault(
            None, "lon", f"{lon[0]:.4f}, {lat[0]:.4f}", "longitude in lon, latitude in lat",
            "They are swapped: give --column lon=… and --column lat=… the other way round.", ", ".join(report.files),
        )  # fmt: skip


def check_repeated(rows: pa.Table, report: Report) -> None:
    """A channel's source ids must be unique within the files."""
    given = rows.select(["channel_id", "source_id", "row_no"]).filter(pc.is_valid(rows["source_id"]))
    if not given.num_rows:
        return
    counted = given.group_by(["channel_id", "source_id"]).aggregate([("row_no", "count"), ("row_no", "min")])
    repeated = counted.filter(pc.greater(counted["row_no_count"], 1))
    total = sum(repeated["row_no_count"].to_pylist()) - repeated.num_rows
    if total:
        twice = repeated["source_id"].slice(0, 20)
        where = given.filter(pc.is_in(given["source_id"], twice))
        firsts = set(repeated["row_no_min"].to_pylist())
        pairs = zip(where["row_no"].to_pylist(), where["source_id"].to_pylist(), strict=True)
        cases = [(row, source) for row, source in pairs if row not in firsts][:20]
        hint = "Remove the repeated rows; if each row is one step of a ticket, export one row a ticket."
        report.faults_of(
            cases, total, "source_id", "each source_id once a channel", hint, ", ".join(report.files)
        )


def with_shared_points(rows: pa.Table, report: Report) -> pa.Table:
    """Mark the points that so many tickets share that they are no place of their own (a default, the city hall)."""
    least = max(SHARED_AT_LEAST, int(np.ceil(rows.num_rows * SHARED_SHARE)))
    lon, lat = (np.array(rows[name].to_numpy(), dtype=np.float64) for name in ("lon", "lat"))
    points, first, which, tickets = np.unique(
        np.where(np.isnan(lon), np.nan, lon + 1j * lat),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    shared = (tickets >= least) & ~np.isnan(points)
    for index in sorted(np.flatnonzero(shared), key=lambda index: -tickets[index])[:10]:
        place = f"{lon[first[index]]:.6f}, {lat[first[index]]:.6f}"
        report.notes.append(
            f"{tickets[index]} tickets share the point {place}: kept, as shared_point, not counted to its grid."
        )
    return rows.append_column("shared", pa.array(shared[which]))
