"""The dispatcher's queue: a tab of it, filtered, in order, with the counts of every filter and what each row tells."""

import re
from collections.abc import Sequence
from datetime import datetime
from math import isfinite, isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.clock.worktime import worktime_of
from geodata.queries import calendar, claims
from geodata.queries import dispatch_queue as queries
from geodata.queries.claims import Claim
from geodata.queries.dispatch_queue import MOST, Asker, Narrowed, QueueCounts, Shown, Tab, Town
from geodata.queries.queue_columns import NEVER, Columns, Words, columns
from geodata.scope import Db
from profiles import Profile
from services.access import Right, Viewer
from services.dispatch.order import Order, Place, ordered, reasons
from services.ticket_list.asked import MOST_TERMS, BadFilter, WordsHidden
from services.tickets import number

MOST_CORNERS = 500
TOLD = (
    "id", "title", "area_no", "area", "town", "lon", "lat", "location", "worker", "worker_name", "department",
    "incident", "generated",
)  # fmt: skip
_NUMBER = re.compile(r"(?:\d{8}-)?(\d{1,18})")
Mask = NDArray[np.bool_]
FACETS = ("town", "channel", "category", "status", "severity")


class Asked(NamedTuple):
    """What of the queue is asked for; empty = all. Filters name codes, a category also a class."""

    tab: Tab = "decide"
    q: str | None = None
    town: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    bbox: str | None = None  # west,south,east,north in degrees, EPSG:4326
    polygon: str | None = None  # lon,lat;lon,lat;…
    limit: int = 60
    offset: int = 0


class Queue(NamedTuple):
    """A page: its places in order with what they show and who claims them; totals and facets before the paging."""

    places: list[Place]
    shown: dict[int, Shown]
    claims: dict[int, Claim]
    total: int
    counts: QueueCounts
    facets: dict[str, dict[str, int]]
    towns: list[Town]


class Spot(NamedTuple):
    """Where a ticket of the queue lies, in degrees (EPSG:4326), and what its mark on the map depends on."""

    id: int
    version: int
    lon: float
    lat: float
    due: int | None  # of its step, milliseconds since 1970
    category: str
    taken: bool  # somebody decides it


class Spots(NamedTuple):
    """The spots of a tab; of `total` tickets `nowhere` have none, and with `cut` there are more than could be told."""

    rows: list[Spot]
    total: int
    nowhere: int
    cut: bool


def queue(conn: Db, profile: Profile, viewer: Viewer, asked: Asked, now: datetime) -> Queue:
    """The queue in the scope of the transaction. A facet counts under all filters but its own.

    Raises BadFilter, WordsHidden.
    """
    found = _of_tab(conn, profile, viewer, asked, now)
    values = _values(profile, found)
    passing = {name: _passes(values[name], name, wanted) for name, wanted in _wanted(asked).items()}
    facets = {}
    for name in FACETS:
        others = [mask for other, mask in passing.items() if other != name]
        counted = values[name].counted(_all(others) if others else None)
        facets[name] = {value: n for value, n in counted.items() if value}
    kept = found.take(_all(list(passing.values()))) if passing else found
    order = _ordered(conn, profile, kept, now)
    page = order.places(asked.offset, asked.offset + asked.limit)
    ids = [place.ticket.id for place in page]
    return Queue(
        page,
        queries.shown(
            conn, ids, [place.ticket.reported_at for place in page], words=viewer.may(Right.PEOPLE)
        ),
        {claim.ticket_id: claim for claim in claims.live(conn, ids)} if ids else {},
        len(kept.id),
        queries.counts(conn, now),
        facets,
        queries.towns(conn),
    )


def spots(conn: Db, profile: Profile, viewer: Viewer, asked: Asked, now: datetime) -> Spots:
    """Where all tickets lie that the filters let through, for a map. Raises BadFilter, WordsHidden."""
    found = _of_tab(conn, profile, viewer, asked, now)
    values = _values(profile, found)
    passing = [_passes(values[name], name, wanted) for name, wanted in _wanted(asked).items()]
    taken = {claim.ticket_id for claim in claims.live(conn)}
    order = _ordered(conn, profile, found.take(_all(passing)) if passing else found, now)
    kept = order.tickets
    due = np.where(order.due == NEVER, kept.due_at, order.due)
    told = zip(
        *(column.tolist() for column in (kept.id, kept.version, kept.lon, kept.lat, due)),
        kept.category.words(),
        strict=True,
    )
    rows = [
        Spot(
            number, version, round(lon, 6), round(lat, 6), None if until == NEVER else (until + 500) // 1000, category,
            number in taken,
        )
        for number, version, lon, lat, until, category in told
        if not (isnan(lon) or isnan(lat))
    ]  # fmt: skip
    return Spots(rows, len(kept.id), len(kept.id) - len(rows), len(found.id) >= MOST)


def told(
    profile: Profile, viewer: Viewer, found: Queue, place: Place, now: datetime
) -> dict[str, Any] | None:
    """A row as JSON, times in milliseconds since 1970; None when the ticket went out of sight in between."""
    ticket, shown = place.ticket, found.shown.get(place.ticket.id)
    if shown is None:
        return None
    claim = found.claims.get(ticket.id)
    people = viewer.may(Right.PEOPLE)
    why = [reason._asdict() for reason in reasons(profile, place, now)]
    unsigned = place.stage in ("sign", "respond") and ticket.status in ("dispatched", "transferred")
    return {
        "number": number(ticket.id, ticket.reported_at, profile.time_zone),
        "version": ticket.version,
        "status": ticket.status,
        "channel": ticket.channel,
        "category": ticket.category,
        "severity": ticket.severity or _usual(profile),
        "town_code": ticket.town,
        "reported_at": ms(ticket.reported_at),
        "due_at": ms(ticket.due_at),
        "escalation": ticket.escalation,
        "refused": ticket.refused,
        **{name: getattr(shown, name) for name in TOLD},
        "stage": place.stage,
        "stage_since": ms(place.since),
        "stage_due": ms(place.due),
        "unsigned_s": max(round((now - place.since).total_seconds()), 0) if unsigned else None,
        "needs_decision": place.decide,
        "reason": why[0],
        "reasons": why,
        "claim": None if claim is None else {
            "by_name": claim.holder_name if people else None,
            "mine": (claim.holder_kind, claim.holder) == (viewer.kind, viewer.name),
            "since": ms(claim.since),
            "until": ms(claim.until),
        },
    }  # fmt: skip


def ms(moment: datetime | None) -> int | None:
    """Milliseconds since 1970."""
    return None if moment is None else round(moment.timestamp() * 1000)


def _of_tab(conn: Db, profile: Profile, viewer: Viewer, asked: Asked, now: datetime) -> Columns:
    asker = Asker(viewer.kind, viewer.name)
    return columns(conn, asked.tab, asker, _narrowed(profile, viewer, asked), now)


def _ordered(conn: Db, profile: Profile, tickets: Columns, now: datetime) -> Order:
    return ordered(profile, worktime_of(profile, calendar.overrides(conn)), tickets, now)


def _wanted(asked: Asked) -> dict[str, frozenset[str]]:
    return {name: frozenset(getattr(asked, name)) for name in FACETS if getattr(asked, name)}


def _values(profile: Profile, tickets: Columns) -> dict[str, Words]:
    """What the filters look at, by their names; "" where a ticket has no such thing."""
    usual = _usual(profile) or ""
    graded = tickets.severity.renamed(lambda severity: severity or usual)
    return {name: getattr(tickets, name) for name in FACETS[:-1]} | {"severity": graded}


def _usual(profile: Profile) -> str | None:
    """The severity of what nobody graded."""
    return profile.loop.severities[0].code if profile.loop.severities else None


def _passes(values: Words, name: str, wanted: frozenset[str]) -> Mask:
    """Those that a filter lets through; a class of categories stands for its subclasses."""
    if name == "category":
        return values.each(lambda value: value in wanted or value[:2] in wanted, bool)
    return values.each(wanted.__contains__, bool)


def _all(masks: list[Mask]) -> Mask:
    """Those that all filters let through."""
    passing: Mask = np.logical_and.reduce(masks)
    return passing


def _narrowed(profile: Profile, viewer: Viewer, asked: Asked) -> Narrowed:
    outline = None
    if asked.bbox and asked.polygon:
        raise BadFilter("polygon", asked.polygon[:40], "either bbox or polygon")
    if asked.bbox:
        west, south, east, north = _degrees("bbox", asked.bbox, 4)
        if west >= east or south >= north:
            raise BadFilter("bbox", asked.bbox, "west,south,east,north: west < east, south < north")
        outline = _ring([(west, south), (east, south), (east, north), (west, north)])
    elif asked.polygon:
        corners = [_degrees("polygon", corner, 2) for corner in asked.polygon.strip(";").split(";")]
        if not 3 <= len(corners) <= MOST_CORNERS:
            raise BadFilter("polygon", f"{len(corners)} corners", f"lon,lat;… with 3 to {MOST_CORNERS}")
        outline = _ring(corners)
    terms = list(dict.fromkeys((asked.q or "").split()))[:MOST_TERMS]
    if not terms:
        return Narrowed(outline=outline)
    if not viewer.may(Right.PEOPLE):
        raise WordsHidden("Your role does not see the words of tickets, so it cannot search in them.")
    q = (asked.q or "").strip()
    match = _NUMBER.fullmatch(q)
    named = [
        kind.code
        for group in profile.categories
        for kind in group.kinds
        if any(
            q.casefold() in word.casefold() for word in (kind.name, kind.name_en, group.name, group.name_en)
        )
    ]
    found = int(match[1]) if match else None
    return Narrowed(tuple(terms), found, q if len(terms) == 1 else None, tuple(named), q, outline)


def _degrees(field: str, text: str, count: int) -> tuple[float, ...]:
    """So many degrees with commas between. Raises BadFilter."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(isfinite(value) and abs(value) <= 180 for value in values):
        raise BadFilter(field, text[:80], f"{count} numbers in degrees with a comma between")
    return values


def _ring(corners: Sequence[tuple[float, ...]]) -> str:
    """WKT of the polygon with these corners."""
    return f"POLYGON(({', '.join(f'{lon:.7f} {lat:.7f}' for lon, lat in (*corners, corners[0]))}))"
