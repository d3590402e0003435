"""Where a ticket is looked for on a map: at its own point, or in the middle of its grid or community."""

from typing import Final

# Joined to a ticket `t`: spot.geom (EPSG:4326), null where its place is not known.
SPOT: Final = """
    LEFT JOIN area a ON a.no = t.area_no
    LEFT JOIN area_boundary b ON b.area_no = t.area_no AND upper_inf(b.valid)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN t.location IN ('exact', 'outside') THEN t.geom
                    WHEN a.level IN ('grid', 'community') THEN b.label_at END AS geom
    ) spot
"""
# Degrees, and whether it has no point of its own.
SPOT_COLUMNS: Final = """
    ST_X(spot.geom) AS lon, ST_Y(spot.geom) AS lat, t.location NOT IN ('exact', 'outside') AS rough
"""
