"""The known outlines of counties that come with the product, to tell whether data lies where it should."""

from functools import cache
from typing import Any

import orjson
import shapely

import profiles
from profiles import Profile


@cache
def _counties() -> dict[str, Any]:
    content = (profiles.FOLDER / "data" / "county_boundaries.geojson").read_bytes()
    features = orjson.loads(content)["features"]
    return {str(f["properties"]["adcode"]): shapely.geometry.shape(f["geometry"]) for f in features}


def known_outline(profile: Profile) -> Any:
    """The outline of the profile's root, or of the county that holds it (EPSG:4326); None when we know none."""
    counties = _counties()
    code = profile.root_code
    if profile.root_level == "city":
        parts = [shape for key, shape in counties.items() if key.startswith(code[:4])]
        return shapely.union_all(parts) if parts else None
    return counties.get(code[:6])
