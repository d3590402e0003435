"""Filing a report as a ticket: its words masked, its place found, row, event and outbox row in one transaction."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from geodata.clock.worktime import worktime_of
from geodata.datum import Datum
from geodata.queries import calendar, ticket_events
from geodata.queries import tickets as queries
from geodata.queries.tickets import NewTicket, Ticket
from geodata.scope import Db
from profiles import Profile
from services.access.viewer import Viewer
from services.clock.due import due_of
from services.intake.masking import masked
from services.intake.reporter import Reporter
from services.tickets import moments, placing
from services.tickets.engine import read
from services.tickets.errors import BadReport
from services.tickets.fold import state_of
from services.tickets.orders import Code
from services.tickets.record import Said, record

OLDEST = timedelta(days=92)  # an older report is history: it is imported, not filed
CLOCK_SKEW = timedelta(minutes=5)


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
    area: Code | None = Field(
        None,
        description="Code of an area, for what has no point; without it the address is looked for by name.",
    )
    reported_at: AwareDatetime | None = Field(
        None, description="When it was reported, with its UTC offset; now by default, at most 92 days ago."
    )
    source_id: str | None = Field(
        None,
        min_length=1,
        max_length=80,
        description="The sender's own number; a second report with it changes nothing.",
    )

    severity: Code | None = Field(None, description="A severity of the place's loop.")
    nature: Code | None = Field(
        None, description="A nature of the place's loop: consultation, help, complaint …"
    )
    reporter: Reporter | None = Field(None, description="Who reported it; kept sealed, never answered.")

    @model_validator(mode="after")
    def _both_or_none(self) -> "Report":
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon and lat go together")
        return self

    def masked(self) -> "Report":
        """Without ID numbers, telephone numbers and the reporter's own name in its words, and without the reporter."""
        names = self.reporter.words() if self.reporter else []
        words = {name: getattr(self, name) for name in ("title", "description", "address")}
        shown = {name: masked(text, names) if text else text for name, text in words.items()}
        return self.model_copy(update=shown | {"reporter": None})


class Filed(NamedTuple):
    """A ticket after a report; `created` is false when the report was known already."""

    ticket: Ticket
    created: bool


def file_ticket(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    report: Report,
    *,
    key: str | None = None,
    source: str | None = None,
    now: datetime | None = None,
) -> Filed:
    """Take a report in as a ticket, in the caller's transaction; services.intake.take keeps its reporter too.

    ID and telephone numbers in its words are masked before anything is stored. The ticket gets the grid that covers
    its point; without a point the area that it or its address names, or else the smallest area known, and says so in
    its location quality. Its deadline is provisional until dispatch. A report with a known
    (channel, source_id), or with a used idempotency key, returns that ticket unchanged. Raises BadReport.
    """
    now = now or datetime.now(UTC)
    channel_id = _id_of("channel", report.channel, queries.channel_ids(conn))
    category_id = _id_of("category", report.category, queries.kind_ids(conn))
    loop = profile.loop
    for field, listed in (("severity", "severities"), ("nature", "natures")):
        if getattr(report, field) not in (None, *loop.codes(listed)):
            raise BadReport(field, getattr(report, field), loop.codes(listed))
    reported_at = _report_time(report.reported_at, now)
    address, report = report.address, report.masked()
    digest = _digest(report)
    if key is not None and (keyed := ticket_events.hold_key(conn, viewer.name, key)) is not None:
        if keyed.digest != digest:
            raise BadReport("key", key, "a new key: this one came with another report")
        return Filed(read(conn, keyed.ticket_id), created=False)
    if report.source_id is not None:
        queries.hold_source(conn, channel_id, report.source_id)
        known = queries.ticket_of_source(conn, channel_id, report.source_id)
        if known is not None:
            return Filed(read(conn, known), created=False)
    lon, lat = report.lon, report.lat
    if lon is not None and lat is not None:
        lon, lat = placing.in_wgs84(lon, lat, report.datum)
        area, location = placing.place(conn, lon, lat)
    else:
        area, location = placing.by_name(conn, report.area, address)
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
            due_at=_due(conn, profile, report, reported_at),
            status="reported" if report.channel in loop.accepted_by_hand else "accepted",
            severity=report.severity,
            nature=report.nature,
        ),
    )
    ticket = read(conn, ticket_id)
    said = Said(key=key, digest=digest, source=source)
    record(conn, profile, viewer, ticket, "report", now, (None, state_of(ticket)), None, said)
    moments.plan(conn, profile, ticket, now)
    return Filed(ticket, created=True)


def _due(conn: Db, profile: Profile, report: Report, start: datetime) -> datetime | None:
    """When it has to be handled if its clock starts then; None where the place sets no limit."""
    limit = profile.limit(
        "handle",
        category=report.category,
        channel=report.channel,
        severity=report.severity,
        nature=report.nature,
    )
    if not limit:
        return None
    return due_of(limit, start, worktime_of(profile, calendar.overrides(conn))).astimezone(start.tzinfo)


def _id_of(field: str, code: str, ids: dict[str, int]) -> int:
    if code not in ids:
        raise BadReport(field, code, list(ids))
    return ids[code]


def _digest(report: Report) -> bytes:
    return hashlib.sha256(orjson.dumps(report.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).digest()


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
