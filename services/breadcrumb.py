"""The way down to an area: county, town, community, grid."""

from dataclasses import asdict, dataclass
from typing import Any

from geodata.queries import trail as q
from geodata.scope import Db
from services.access import UnknownArea


@dataclass(frozen=True, slots=True)
class Step:
    """One area on the way; bounds = [west, south, east, north] in degrees (EPSG:4326), None without a boundary."""

    no: int
    hi: int
    level: str
    code: str
    name: str
    bounds: tuple[float, float, float, float] | None

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return asdict(self)


class NoPlace(LookupError):
    """This database holds no place yet: nothing was loaded or imported."""


def facts(conn: Db) -> q.FactsRow:
    """The place of this database. Raises NoPlace."""
    row = q.facts(conn)
    if row is None:
        raise NoPlace("this database holds no place yet")
    return row


def trail(conn: Db, code: str | None) -> list[Step]:
    """From the root down to the area of that code (None: the root alone). Raises UnknownArea."""
    rows = q.trail(conn, code) if code is None or code.isprintable() else []
    if not rows:
        raise UnknownArea("no areas yet" if code is None else f"no area with the code {code}")
    return [Step(r.no, r.hi, r.level, r.code, r.name, _bounds(r)) for r in rows]


def _bounds(r: q.TrailRow) -> tuple[float, float, float, float] | None:
    if r.west is None or r.south is None or r.east is None or r.north is None:
        return None
    return (round(r.west, 6), round(r.south, 6), round(r.east, 6), round(r.north, 6))
