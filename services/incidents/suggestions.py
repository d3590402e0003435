"""Which open tickets may have one cause: alike by place, time, category and words, and not spread too far."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from geodata.queries import incident_likeness as queries
from geodata.queries.incident_likeness import Recent
from geodata.scope import Db
from profiles import Profile
from services import tickets
from services.access import Right, Viewer
from services.dispatch.optimum import distances
from services.dispatch.telling import ms
from services.duplicates.likeness import Said, likeness

MOST_TICKETS = 1500  # of the newest that are looked at
NEIGHBOURS = 20  # of each, the nearest
WORDS_SHOWN = 60


class Group(NamedTuple):
    """Tickets that may have one cause, the oldest first; metres between the two farthest apart, None without points."""

    tickets: list[Recent]
    wide_m: float | None
    category: str  # the commonest

    @property
    def ids(self) -> list[int]:
        """Their ids."""
        return [one.id for one in self.tickets]


def grouped(profile: Profile, found: Sequence[Recent]) -> list[Group]:
    """Groups of at least `incidents.least`, the largest first: pure, so the same for the same tickets.

    Two go together from a likeness of `incidents.likeness` on, within `near_m` of each other or, without a point of
    their own, in the same grid or community; a group takes nobody in who would make it wider than `wide_m`.
    """
    order = sorted(found, key=lambda one: (one.reported_at, one.id))
    where = _metres(order)
    of = list(range(len(order)))  # ticket → group, named by its first ticket
    members = {at: [at] for at in of}
    for _, one, other in sorted(_pairs(profile, order, where), reverse=True):
        first, second = sorted((of[one], of[other]))
        if first == second or not _fits(where, members[first], members[second], profile.incidents.wide_m):
            continue
        members[first] += members.pop(second)
        for at in members[first]:
            of[at] = first
    large = [sorted(group) for group in members.values() if len(group) >= profile.incidents.least]
    groups = [_group(where, [order[at] for at in group], group) for group in large]
    return sorted(groups, key=lambda group: (-len(group.tickets), group.tickets[0].id))


def suggestions(
    conn: Db, profile: Profile, viewer: Viewer, now: datetime, hours: float
) -> list[dict[str, Any]]:
    """What is suggested in scope over the last hours, bursts first. Words for who may read them; times in ms."""
    found = queries.recent(conn, now - timedelta(hours=hours), MOST_TICKETS)
    noticed = {
        ticket: burst
        for burst in queries.bursts(conn, now - timedelta(hours=hours))
        for ticket in burst.tickets
    }
    people = viewer.may(Right.PEOPLE)
    rows = []
    for group in grouped(profile, found):
        burst = next((noticed[ticket] for ticket in group.ids if ticket in noticed), None)
        rows.append(
            {
                "key": f"{group.ids[0]}",
                "title": _title(group) if people else None,
                "category": group.category,
                "tickets": [_ticket(profile, one, people) for one in group.tickets],
                "since": ms(group.tickets[0].reported_at),
                "until": ms(group.tickets[-1].reported_at),
                "within_m": None if group.wide_m is None else round(group.wide_m),
                "why": why(group),
                "burst": burst is not None,
                "burst_id": burst and burst.id,
                "noticed_at": burst and ms(burst.at),
            }
        )
    return sorted(rows, key=lambda row: not row["burst"])


def why(group: Group) -> list[dict[str, Any]]:
    """Why they are suggested: how many, within which time and place, of which category; keys of the catalogues."""
    first, last = group.tickets[0].reported_at, group.tickets[-1].reported_at
    minutes = round((last - first).total_seconds() / 60)
    alike = sum(one.category == group.category for one in group.tickets)
    told: list[dict[str, Any]] = [
        {"key": "incident.why.time", "args": {"count": len(group.tickets), "minutes": minutes}},
        {"key": "incident.why.category", "args": {"count": alike, "category": group.category}},
    ]
    if group.wide_m is not None:
        told.insert(1, {"key": "incident.why.place", "args": {"metres": round(group.wide_m)}})
    return told


def _pairs(profile: Profile, order: Sequence[Recent], where: np.ndarray) -> list[tuple[int, int, int]]:
    """(likeness, one, other) of all that go together."""
    rules = profile.incidents
    said = [Said(one.title, one.description, one.category, one.parent, one.reported_at) for one in order]
    of_area: dict[int, list[int]] = {}
    for at, one in enumerate(order):
        if one.level in ("grid", "community"):
            of_area.setdefault(one.area_no, []).append(at)
    found = []
    for at, one in enumerate(order):
        metres = where[at, at + 1 :]
        close = [at + 1 + int(other) for other in np.argsort(metres, kind="stable")[:NEIGHBOURS]]
        near = [other for other in close if where[at, other] <= rules.near_m]
        same = (other for other in of_area.get(one.area_no, ()) if other > at and np.isnan(where[at, other]))
        near += islice(same, NEIGHBOURS)
        for other in near:
            far = float(where[at, other])
            how = likeness(
                said[at], said[other], distance_m=None if np.isnan(far) else far, radius_m=rules.near_m,
                same_grid=one.level == "grid", area=one.area,
            )  # fmt: skip
            if how.percent >= rules.likeness:
                found.append((how.percent, at, other))
    return found


def _metres(order: Sequence[Recent]) -> np.ndarray:
    """Metres between each two; not a number where one has no point."""
    lon = np.array([np.nan if one.lon is None else one.lon for one in order], dtype=np.float64)
    lat = np.array([np.nan if one.lat is None else one.lat for one in order], dtype=np.float64)
    return distances(lon, lat, lon, lat) if len(order) else np.zeros((0, 0))


def _fits(where: np.ndarray, one: list[int], other: list[int], wide_m: float) -> bool:
    between = where[np.ix_(one, other)]
    return not (between > wide_m).any()  # what has no point is not too far


def _group(where: np.ndarray, found: list[Recent], at: list[int]) -> Group:
    between = where[np.ix_(at, at)]
    wide = float(np.nanmax(between)) if not np.isnan(between).all() else None
    kinds = Counter(one.category for one in found)
    return Group(found, wide, max(kinds, key=lambda code: (kinds[code], code)))


def _title(group: Group) -> str:
    """The words of its first ticket, and where it is."""
    first = group.tickets[0]
    return f"{first.area} {first.title[:WORDS_SHOWN]}"


def _ticket(profile: Profile, one: Recent, people: bool) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.version,
        "number": tickets.number(one.id, one.reported_at, profile.time_zone),
        "title": one.title if people else None,
        "status": one.status,
        "category": one.category,
        "lon": one.lon,
        "lat": one.lat,
        "reported_at": ms(one.reported_at),
    }
