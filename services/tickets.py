"""Filing tickets and moving them on: the allowed steps, and one transaction of row, event and outbox for each."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from geodata.clock.worktime import worktime_of
from geodata.datum import Datum, to_wgs84
from geodata.outbox import add_event
from geodata.queries import calendar
from geodata.queries import tickets as queries
from geodata.queries.live import place_bounds
from geodata.queries.tickets import Area, NewTicket, Ticket
from geodata.scope import Db
from profiles import Profile
from services.clock.due import due_of

Status = Literal["accepted", "dispatched", "signed", "handling", "answered", "closed", "cancelled"]
Satisfaction = Literal["satisfied", "fairly", "unsatisfied", "unrated"]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]

# (status, next status) → what the step is called in the ticket's history. What is not here is not allowed.
TRANSITIONS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("accepted", "dispatched"): "dispatched",
        ("accepted", "cancelled"): "cancelled",
        ("dispatched", "accepted"): "returned",
        ("dispatched", "dispatched"): "transferred",
        ("dispatched", "signed"): "signed",
        ("dispatched", "cancelled"): "cancelled",
        ("signed", "dispatched"): "transferred",
        ("signed", "handling"): "handling",
        ("handling", "dispatched"): "transferred",
        ("handling", "answered"): "answered",
        ("answered", "handling"): "redone",
        ("answered", "closed"): "closed",
    }
)
OLDEST = timedelta(days=92)  # an older report is history: it is imported, not filed
CLOCK_SKEW = timedelta(minutes=5)
FAR_DEGREES = 0.5  # about 50 km around the place


class UnknownTicket(LookupError):
    """There is no ticket of that id, or it lies outside of the scope: the same answer for both."""


class StaleVersion(Exception):
    """Somebody else changed the ticket meanwhile; read it again."""

    def __init__(self, ticket: Ticket, given: int) -> None:
        super().__init__(f"ticket {ticket.id} is at version {ticket.version}, not {given}; read it again")
        self.details = [{"field": "version", "given": given, "expected": ticket.version}]


class NotAllowed(Exception):
    """The ticket cannot go to that status from where it is."""

    def __init__(self, was: str, status: str) -> None:
        allowed = sorted({after for before, after in TRANSITIONS if before == was})
        super().__init__(f"a ticket that is {was} cannot become {status}")
        self.details = [{"field": "status", "given": status, "expected": allowed or "no further step"}]


class BadReport(ValueError):
    """A field of a report names something that does not exist here; details say which and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable: {given}")
        self.details = [{"field": field, "given": given, "expected": expected}]


class Report(BaseModel):
    """A matter as a channel sends it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    channel: Code = Field(description="Code of a channel of the place.")
    category: Code = Field(description="Code of a subclass of category of the place.")
    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(None, max_length=4000)
    address: str | None = Field(None, max_length=300)
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")
    datum: Datum = Field("wgs84", description="Datum of lon and lat; WGS 84 serves for CGCS2000.")
    reported_at: AwareDatetime | None = Field(
        None, description="When it was reported, with its UTC offset; now by default, at most 92 days ago."
    )
    source_id: str | None = Field(
        None,
        min_length=1,
        max_length=80,
        description="The sender's own number; a second report with it changes nothing.",
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> "Report":
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon and lat go together")
        return self


class Step(BaseModel):
    """One move of a ticket."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    status: Status
    version: int = Field(ge=1, description="The version that the sender has seen.")
    satisfaction: Satisfaction | None = Field(None, description="With status closed only.")
    worker: Code | None = Field(None, description="Code of the worker, with status dispatched or signed.")
    note: str | None = Field(None, max_length=1000)


class Filed(NamedTuple):
    """A ticket after a report or a step; `created` is false when the report was known already."""

    ticket: Ticket
    created: bool


class Author(NamedTuple):
    """Who does something to a ticket, and what they say about it."""

    actor: str
    note: str | None = None


def file_ticket(
    conn: Db, profile: Profile, report: Report, *, actor: str = "api", now: datetime | None = None
) -> Filed:
    """Accept a report as a ticket: row, event and outbox row in the caller's transaction.

    The ticket gets the grid that covers its point; without a point, or on no grid, it carries the smallest area known
    and says so in its location quality. Its deadline is provisional until dispatch. A report with a known
    (channel, source_id) returns that ticket unchanged. Raises BadReport.
    """
    now = now or datetime.now(UTC)
    channel_id = _id_of("channel", report.channel, queries.channel_ids(conn))
    category_id = _id_of("category", report.category, queries.kind_ids(conn))
    reported_at = _report_time(report.reported_at, now)
    if report.source_id is not None:
        queries.hold_source(conn, channel_id, report.source_id)
        known = queries.ticket_of_source(conn, channel_id, report.source_id)
        if known is not None:
            return Filed(read(conn, known), created=False)
    lon, lat = _in_wgs84(report)
    area, location = _place(conn, lon, lat)
    ticket_id = queries.insert_ticket(
        conn,
        NewTicket(
            reported_at=reported_at,
            source_id=report.source_id,
            channel_id=channel_id,
            category_id=category_id,
            title=report.title,
            description=report.description,
            address=report.address,
            lon=lon,
            lat=lat,
            location=location,
            area_no=area.no,
            due_at=_due(conn, profile, report.category, report.channel, reported_at),
        ),
    )
    ticket = read(conn, ticket_id)
    _record(conn, profile, ticket, kind="accepted", was=None, at=now, by=Author(actor))
    return Filed(ticket, created=True)


def advance(
    conn: Db, profile: Profile, ticket_id: int, step: Step, *, actor: str = "api", now: datetime | None = None
) -> Ticket:
    """Move a ticket to another status: row, event and outbox row in the caller's transaction.

    The clock of handling starts at the first dispatch; returns and transfers do not set it back.
    Raises UnknownTicket, StaleVersion, NotAllowed, BadReport.
    """
    now = now or datetime.now(UTC)
    before = queries.read_ticket(conn, ticket_id, lock=True)
    if before is None:
        raise UnknownTicket(f"no ticket with the id {ticket_id}")
    if before.version != step.version:
        raise StaleVersion(before, step.version)
    kind = TRANSITIONS.get((before.status, step.status))
    if kind is None:
        raise NotAllowed(before.status, step.status)
    if step.satisfaction and step.status != "closed":
        raise BadReport("satisfaction", step.satisfaction, "only with status closed")
    after = before._replace(status=step.status, version=before.version + 1)
    at = max(now, before.reported_at)
    match step.status:
        case "accepted":
            after = after._replace(signed_at=None)
        case "dispatched":
            after = after._replace(signed_at=None, answered_at=None)
            if before.dispatched_at is None:
                due = _due(conn, profile, before.category, before.channel, at) or before.due_at
                after = after._replace(dispatched_at=at, due_at=due)
        case "signed":
            after = after._replace(signed_at=at)
        case "handling":
            after = after._replace(answered_at=None)
        case "answered":
            after = after._replace(answered_at=at)
        case "closed":
            after = after._replace(closed_at=at, satisfaction=step.satisfaction or "unrated")
        case "cancelled":
            after = after._replace(closed_at=at)
    queries.update_ticket(conn, after, worker_id=_worker(conn, step))
    _record(conn, profile, after, kind=kind, was=before.status, at=now, by=Author(actor, step.note))
    return after


def read(conn: Db, ticket_id: int) -> Ticket:
    """The ticket with that id; raises UnknownTicket."""
    ticket = queries.read_ticket(conn, ticket_id)
    if ticket is None:
        raise UnknownTicket(f"no ticket with the id {ticket_id}")
    return ticket


def number(ticket_id: int, reported_at: datetime, time_zone: str) -> str:
    """A ticket's number as people read it: the local day of its report, then its id."""
    return f"{reported_at.astimezone(ZoneInfo(time_zone)):%Y%m%d}-{ticket_id}"


def _due(conn: Db, profile: Profile, category: str, channel: str, start: datetime) -> datetime | None:
    """When it has to be handled if its clock starts then; None where the place sets no limit."""
    limit = profile.limit("handle", category=category, channel=channel)
    if not limit:
        return None
    return due_of(limit, start, worktime_of(profile, calendar.overrides(conn))).astimezone(start.tzinfo)


def _id_of(field: str, code: str, ids: Mapping[str, int]) -> int:
    if code not in ids:
        raise BadReport(field, code, list(ids))
    return ids[code]


def _report_time(given: datetime | None, now: datetime) -> datetime:
    if given is None:
        return now
    if not now - OLDEST <= given <= now + CLOCK_SKEW:
        raise BadReport(
            "reported_at",
            given.isoformat(),
            f"{(now - OLDEST).isoformat()} … {now.isoformat()}; import older ones",
        )
    return min(given, now)


def _in_wgs84(report: Report) -> tuple[float | None, float | None]:
    if report.lon is None or report.lat is None or report.datum == "wgs84":
        return report.lon, report.lat
    lon, lat = to_wgs84(np.array([report.lon]), np.array([report.lat]), report.datum)
    return float(lon[0]), float(lat[0])


def _place(conn: Db, lon: float | None, lat: float | None) -> tuple[Area, str]:
    if lon is None or lat is None:
        return _root(conn), "none"
    area = queries.area_at(conn, lon, lat)
    if area is not None and area.level == "grid":
        return area, "shared_point" if queries.is_shared_point(conn, lon, lat) else "exact"
    if area is None:
        bounds = place_bounds(conn)
        if bounds is not None:
            west, south, east, north = bounds
            if not west - FAR_DEGREES <= lon <= east + FAR_DEGREES:
                raise BadReport("lon", lon, f"{west - FAR_DEGREES:.2f} … {east + FAR_DEGREES:.2f}")
            if not south - FAR_DEGREES <= lat <= north + FAR_DEGREES:
                raise BadReport("lat", lat, f"{south - FAR_DEGREES:.2f} … {north + FAR_DEGREES:.2f}")
    return area or _root(conn), "outside"


def _root(conn: Db) -> Area:
    """The whole place, for what has no grid; who sees only a part of it may not file there."""
    root = queries.root_area(conn)
    if root is None:
        raise BadReport("lon, lat", None, "a point inside of your areas")
    return root


def _worker(conn: Db, step: Step) -> int | None:
    if step.worker is None:
        return None
    if step.status not in ("dispatched", "signed"):
        raise BadReport("worker", step.worker, "only with status dispatched or signed")
    worker_id = queries.worker_id(conn, step.worker)
    if worker_id is None:
        raise BadReport("worker", step.worker, "the code of an active worker")
    return worker_id


def _record(
    conn: Db, profile: Profile, ticket: Ticket, *, kind: str, was: str | None, at: datetime, by: Author
) -> None:
    queries.add_ticket_event(conn, ticket, kind=kind, at=at, actor=by.actor, note=by.note)
    body: dict[str, Any] = {
        "id": ticket.id,
        "number": number(ticket.id, ticket.reported_at, profile.time_zone),
        "version": ticket.version,
        "kind": kind,
        "status": ticket.status,
        "was": was,
        "area_no": ticket.area.no,
        "category": ticket.category,
        "channel": ticket.channel,
        "lon": ticket.lon,
        "lat": ticket.lat,
        "at": at.isoformat(),
        "reported_at": ticket.reported_at.isoformat(),
        "due_at": ticket.due_at and ticket.due_at.isoformat(),
        "closed_at": ticket.closed_at and ticket.closed_at.isoformat(),
    }
    add_event(conn, "ticket", ticket.area.no, body)
