"""The discovery document of Open311: where GeoReport v2 is offered, in which formats, for which place."""

from typing import Any

from profiles import Profile

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGED = "2026-11-22T00:00:00+08:00"  # when this interface last changed in a way that clients notice


def document(profile: Profile, base: str, *, demo: bool) -> dict[str, Any]:
    """The document; `base` is the address that the server is reached at."""
    keys = f"{base}/sign-in"
    return {
        "changeset": CHANGED,
        "contact": f"{profile.centre_name} {profile.centre_name_en}",
        "key_service": keys,
        "endpoints": [
            {
                "specification": SPECIFICATION,
                "url": f"{base}/open311/v2",
                "changeset": CHANGED,
                "type": "test" if demo else "production",
                "jurisdiction_id": profile.root_code,
                "formats": ["application/json", "text/xml"],
            }
        ],
    }
