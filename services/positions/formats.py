"""What phone apps send, turned into readings: OsmAnd and Traccar Client, OwnTracks, and our batch form."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.positions.fix import Reading

KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6
MILLISECONDS_FROM = 100_000_000_000  # a larger number of a time cannot be seconds (year 5138)


class Malformed(ValueError):
    """A value that no phone should send; `field` names it and `expected` says what it should be."""

    def __init__(self, field: str, given: object, expected: str) -> None:
        super().__init__(f"{field} is {given!r}, expected {expected}")
        self.details = [{"field": field, "given": str(given)[:80], "expected": expected}]


def from_osmand(query: Mapping[str, str]) -> tuple[str, Reading]:
    """Token and reading of OsmAnd's and Traccar Client's query string.

    id (or deviceid), lat, lon, timestamp (seconds, milliseconds or ISO 8601), speed (knots), bearing or heading or
    course, accuracy (metres) or hdop, batt. Source: traccar.org/osmand.
    """
    token = query.get("id") or query.get("deviceid") or ""
    location = query.get("location")
    if location and "," in location:
        latitude, _, longitude = location.partition(",")
    else:
        latitude, longitude = query.get("lat", ""), query.get("lon", "")
    accuracy = _optional("accuracy", query.get("accuracy"))
    hdop = _optional("hdop", query.get("hdop"))
    if accuracy is None and hdop is not None:
        accuracy = hdop * 5  # a usual receiver's range error (metres)
    speed = _optional("speed", query.get("speed"))
    course = query.get("bearing") or query.get("heading") or query.get("course")
    reading = Reading(
        at_ms=_time("timestamp", query.get("timestamp")),
        lon=_number("lon", longitude),
        lat=_number("lat", latitude),
        accuracy_m=accuracy,
        speed_mps=None if speed is None else speed * KNOT_MPS,
        course_deg=_optional("bearing", course),
        battery_pct=_optional("batt", query.get("batt") or query.get("battery")),
    )
    return token, reading


def from_traccar_json(body: Any) -> tuple[str, Reading]:
    """Token and reading of the newer Traccar Client: {"device_id", "location": {"timestamp", "coords", "battery"}}.

    coords.speed is in metres a second (negative = unknown), battery.level runs from 0 to 1.
    """
    location = _object("location", _object("body", body).get("location"))
    coords = _object("location.coords", location.get("coords"))
    battery = location.get("battery")
    level = _optional("battery.level", battery.get("level")) if isinstance(battery, dict) else None
    reading = Reading(
        at_ms=_time("location.timestamp", location.get("timestamp")),
        lon=_number("coords.longitude", coords.get("longitude")),
        lat=_number("coords.latitude", coords.get("latitude")),
        accuracy_m=_positive(_optional("coords.accuracy", coords.get("accuracy"))),
        speed_mps=_positive(_optional("coords.speed", coords.get("speed"))),
        course_deg=_positive(_optional("coords.heading", coords.get("heading"))),
        battery_pct=None if level is None or level < 0 else level * 100,
    )
    return str(body.get("device_id") or ""), reading


def from_owntracks(body: Any) -> Reading | None:
    """Reading of an OwnTracks message; None for a message that is not a location.

    tst (seconds), lat, lon, acc (metres), vel (km/h), cog (degrees), batt (per cent).
    Source: owntracks.org/booklet/tech/json.
    """
    message = _object("body", body)
    if message.get("_type") != "location":
        return None
    speed = _optional("vel", message.get("vel"))
    return Reading(
        at_ms=_time("tst", message.get("tst")),
        lon=_number("lon", message.get("lon")),
        lat=_number("lat", message.get("lat")),
        accuracy_m=_optional("acc", message.get("acc")),
        speed_mps=None if speed is None else speed * KMH_MPS,
        course_deg=_optional("cog", message.get("cog")),
        battery_pct=_optional("batt", message.get("batt")),
    )


def from_batch(item: Any) -> tuple[str, Reading]:
    """Token and reading of one item of a batch: {"id", "at", "lon", "lat", "accuracy_m"?, "speed_mps"?, …}."""
    item = _object("item", item)
    reading = Reading(
        at_ms=_time("at", item.get("at")),
        lon=_number("lon", item.get("lon")),
        lat=_number("lat", item.get("lat")),
        accuracy_m=_optional("accuracy_m", item.get("accuracy_m")),
        speed_mps=_optional("speed_mps", item.get("speed_mps")),
        course_deg=_optional("course_deg", item.get("course_deg")),
        battery_pct=_optional("battery_pct", item.get("battery_pct")),
    )
    return str(item.get("id") or ""), reading


def _object(field: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(field, value, "an object")
    return value


def _number(field: str, value: Any) -> float:
    kind = type(value)
    if (kind is float or kind is int) and -1e15 < value < 1e15:
        return float(value)
    if isinstance(value, bool) or value is None or value == "":
        raise Malformed(field, value, "a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise Malformed(field, value, "a number") from None
    if not math.isfinite(number) or abs(number) > 1e15:
        raise Malformed(field, value, "a finite number")
    return number


def _optional(field: str, value: Any) -> float | None:
    if value is None or value == "":
        return None
    return _number(field, value)


def _positive(value: float | None) -> float | None:
    return None if value is None or value < 0 else value


def _time(field: str, value: Any) -> int:
    """Milliseconds since 1970 of seconds, milliseconds or an ISO 8601 text (UTC when it names no offset)."""
    if type(value) is int and 0 <= value <= 1e14:
        return value if value >= MILLISECONDS_FROM else value * 1000
    if isinstance(value, str) and not value.replace(".", "", 1).lstrip("-").isdigit():
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise Malformed(field, value, "seconds, milliseconds or ISO 8601") from None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    number = _number(field, value)
    if number < 0 or number > 1e14:
        raise Malformed(field, value, "seconds or milliseconds since 1970")
    return int(number if number >= MILLISECONDS_FROM else number * 1000)
