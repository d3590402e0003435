"""Which tickets to offer as likely the same: candidates of the place, the most alike first."""

from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from geodata.datum import Datum
from geodata.queries import duplicates as queries
from geodata.queries.duplicates import Looked, Near
from geodata.queries.tickets import Area, Ticket
from geodata.scope import Db
from profiles import Profile
from services import tickets
from services.duplicates.likeness import Likeness, Said, likeness
from services.tickets import BadReport, placing

OPEN_DAYS = 400
ENDED_DAYS = 30
REPORTED_DAYS = 180  # of ended ones: who asks for more looks into the list
RADIUS_M = 200.0
LEAST_PERCENT = 55
MOST = 10
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class Draft(BaseModel):
    """A report that is not filed yet."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(None, max_length=4000)
    category: Code | None = Field(
        None, description="Code of a subclass of category; the best guess, or none."
    )
    address: str | None = Field(None, max_length=300)
    area: Code | None = Field(None, description="Code of an area, for what has no point.")
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")
    datum: Datum = Field("wgs84", description="Datum of lon and lat; WGS 84 serves for CGCS2000.")
    reported_at: AwareDatetime | None = Field(None, description="When it was reported; now by default.")

    @model_validator(mode="after")
    def _both_or_none(self) -> "Draft":
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon and lat go together")
        return self


class Candidate(NamedTuple):
    """A ticket that is likely the same; metres are None where one of the two has no point of its own."""

    ticket: Near
    distance_m: float | None
    likeness: Likeness


class _Place(NamedTuple):
    area: Area
    location: str
    lon: float | None
    lat: float | None


def likely(conn: Db, profile: Profile, draft: Draft, now: datetime) -> list[Candidate]:
    """Tickets in scope that likely say what a draft says, the most alike first. Raises BadReport."""
    kind = profile.kind(draft.category) if draft.category is not None else None
    if draft.category is not None and kind is None:
        raise BadReport("category", draft.category, "the code of a subclass of category")
    if draft.lon is not None and draft.lat is not None:
        lon, lat = placing.in_wgs84(draft.lon, draft.lat, draft.datum)
        place = _Place(*placing.place(conn, lon, lat), lon, lat)
    else:
        place = _Place(*placing.by_name(conn, draft.area, draft.address), None, None)
    at = min(draft.reported_at or now, now)
    said = Said(draft.title, draft.description, draft.category, parent_of(profile, draft.category), at)
    return _ordered(conn, profile, said, place, now, None)


def likely_of(conn: Db, profile: Profile, ticket_id: int, now: datetime) -> list[Candidate]:
    """Tickets in scope that likely say what that ticket says, the most alike first. Raises UnknownTicket."""
    ticket = tickets.read(conn, ticket_id)
    place = _Place(ticket.area, ticket.location, ticket.lon, ticket.lat)
    said = Said(
        ticket.title, queries.description_of(conn, ticket_id), ticket.category, parent_of(profile, ticket.category),
        ticket.reported_at,
    )  # fmt: skip
    return _ordered(conn, profile, said, place, now, ticket)


def parent_of(profile: Profile, kind: str | None) -> str | None:
    """Code of the class that a subclass of category belongs to."""
    return next((one.code for one in profile.categories for row in one.kinds if row.code == kind), None)


def _ordered(
    conn: Db, profile: Profile, said: Said, place: _Place, now: datetime, itself: Ticket | None
) -> list[Candidate]:
    kind = profile.kind(said.category) if said.category else None
    radius_m = kind.near_m if kind else RADIUS_M
    pointed = place.location in ("exact", "outside", "shared_point")
    found = queries.near(
        conn,
        Looked(
            at=said.at,
            open_since=now - timedelta(days=OPEN_DAYS),
            ended_since=now - timedelta(days=ENDED_DAYS),
            reported_since=now - timedelta(days=REPORTED_DAYS),
            areas=queries.around(conn, place.area.no),
            lon=place.lon if pointed else None,
            lat=place.lat if pointed else None,
            radius_m=radius_m,
            itself=itself.id if itself else None,
        ),
    )
    exact = place.location == "exact"
    candidates = []
    for near in found:
        if itself is not None and (near.id == itself.merged_into):
            continue
        distance_m = near.distance_m if exact else None
        other = Said(near.title, near.description, near.category, near.parent, near.reported_at)
        how = likeness(
            said, other, distance_m=distance_m, radius_m=radius_m, same_grid=_same_grid(near, place),
            area=near.area if near.area_no != place.area.no else place.area.name,
        )  # fmt: skip
        if how.percent >= LEAST_PERCENT:
            candidates.append(Candidate(near, distance_m, how))
    candidates.sort(key=lambda one: (-one.likeness.percent, one.distance_m or 0.0, -one.ticket.id))
    return candidates[:MOST]


def _same_grid(near: Near, place: _Place) -> bool:
    return place.area.level == "grid" and near.area_no == place.area.no


def told(profile: Profile, reason: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A reason with the names of its category in both languages: key, parameters in Chinese, parameters in English."""
    key, params = reason
    code = params.get("category")
    if code is None:
        return key, params, params
    listed = [one for category in profile.categories for one in (category, *category.kinds)]
    named = next((one for one in listed if one.code == code), None)
    if named is None:
        return key, params, params
    return key, {"category": named.name}, {"category": named.name_en}
