"""Opening an incident and changing it: title, kind, perimeter, and which tickets stand in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.errors import UniqueViolation

from geodata.outbox import add_event
from geodata.queries import incident_figures as figures
from geodata.queries import incidents as queries
from geodata.queries.incidents import Incident
from geodata.scope import Db
from profiles import Profile
from services.access.viewer import Viewer
from services.incidents.errors import BadIncident, IncidentClosed, InIncident, StaleIncident, UnknownIncident
from services.incidents.perimeter import checked
from services.intake.masking import masked

MOST_TICKETS = 200
STRIDES = (1, 1_000, 1_000_000, 1_000_000_000, 1_000_000_000_000)  # of area numbers, ADR 0004


@dataclass(frozen=True, slots=True)
class NewIncident:
    """What an incident begins with; the perimeter is GeoJSON."""

    title: str
    tickets: Sequence[int] = ()
    kind: str | None = None
    perimeter: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What to change; `fields` may hold title, kind and perimeter (None takes the latter two away)."""

    version: int
    fields: dict[str, Any]
    add: Sequence[int] = ()
    remove: Sequence[int] = ()


def opened_incident(conn: Db, profile: Profile, viewer: Viewer, new: NewIncident, now: datetime) -> int:
    """Open an incident in the caller's transaction and return its id.

    It needs a ticket or a perimeter. Raises BadIncident, InIncident.
    """
    if not new.tickets and new.perimeter is None:
        raise BadIncident("tickets", [], "a ticket at least, or a perimeter")
    areas = _known(conn, new.tickets)
    perimeter = None if new.perimeter is None else checked(conn, new.perimeter)
    area_no = _area_of(conn, viewer, list(areas.values()), perimeter)
    incident_id = queries.add(
        conn, area_no, _words(new.title), _kind(profile, new.kind), perimeter, now, viewer.name
    )
    _gather(conn, incident_id, areas, now, viewer.name)
    said = {"title": _words(new.title), "tickets": list(areas), "perimeter": perimeter is not None}
    queries.note(conn, (incident_id, area_no), "open", viewer.name, said, now)
    tell(conn, area_no, incident_id)
    return incident_id


def change(
    conn: Db, profile: Profile, viewer: Viewer, incident_id: int, wanted: Change, now: datetime
) -> None:
    """Change an open incident in the caller's transaction; its area follows its tickets.

    Raises UnknownIncident, StaleIncident, IncidentClosed, BadIncident, InIncident.
    """
    before = held(conn, incident_id, wanted.version)
    after = before._replace(version=before.version + 1)
    happened: list[tuple[str, dict[str, Any]]] = []
    if "title" in wanted.fields or "kind" in wanted.fields:
        after = after._replace(
            title=_words(wanted.fields.get("title") or before.title),
            kind=_kind(profile, wanted.fields["kind"]) if "kind" in wanted.fields else before.kind,
        )
        happened.append(("change", {"title": after.title, "kind": after.kind}))
    if "perimeter" in wanted.fields:
        drawn = wanted.fields["perimeter"]
        after = after._replace(perimeter=None if drawn is None else checked(conn, drawn))
        happened.append(("redraw", {"perimeter": drawn is not None}))
    if wanted.remove:
        happened.append(("remove", {"tickets": queries.let_go(conn, incident_id, wanted.remove)}))
    if wanted.add:
        stands = {
            ticket for ticket, there in queries.open_incidents_of(conn, wanted.add) if there == incident_id
        }
        areas = _known(conn, [ticket for ticket in wanted.add if ticket not in stands])
        _gather(conn, incident_id, areas, now, viewer.name)
        happened.append(("add", {"tickets": list(areas)}))
    members = queries.members(conn, incident_id)
    if len(members) > MOST_TICKETS:
        raise BadIncident("add", len(members), f"at most {MOST_TICKETS} tickets")
    if not members and after.perimeter is None:
        raise BadIncident("remove", list(wanted.remove), "a ticket that stays, or a perimeter")
    after = after._replace(area_no=_area_of(conn, viewer, [row.area_no for row in members], after.perimeter))
    queries.update(conn, after)
    for kind, said in happened:
        queries.note(conn, (incident_id, after.area_no), kind, viewer.name, said, now)
    for area_no in {before.area_no, after.area_no}:
        tell(conn, area_no, incident_id)


def held(conn: Db, incident_id: int, version: int | None) -> Incident:
    """The open incident, which nobody else changes until the transaction ends, at the version that was seen.

    Raises UnknownIncident, StaleIncident, IncidentClosed.
    """
    found = queries.read(conn, incident_id, lock=True)
    if found is None:
        raise UnknownIncident(f"There is no incident with the id {incident_id}.")
    if version is not None and found.version != version:
        raise StaleIncident(version, found.version)
    if found.closed_at is not None:
        raise IncidentClosed(incident_id)
    return found


def tell(conn: Db, area_no: int, incident_id: int | str) -> None:
    """Have the screens of that area read it again."""
    add_event(conn, "desk", area_no, {"desk": "incident", "id": incident_id})


def common_area(numbers: Sequence[int]) -> int:
    """Number of the smallest area that holds all of these; 0 when only the whole place does."""
    for stride in STRIDES:
        above = {number // stride * stride for number in numbers}
        if len(above) == 1:
            return above.pop()
    return 0


def _area_of(conn: Db, viewer: Viewer, numbers: Sequence[int], perimeter: str | None) -> int:
    """The area that an incident is shown in: never one that its maker does not see."""
    if not numbers and perimeter is not None:
        around = figures.area_around(conn, perimeter)
        return around if around is not None else 0 if viewer.scope.county else viewer.scope.lo
    area_no = common_area(numbers)
    return area_no if viewer.scope.holds(area_no) else numbers[0]


def _known(conn: Db, ids: Sequence[int]) -> dict[int, int]:
    """Ticket → number of its area. Raises BadIncident for too many and for one that is not there."""
    wanted = set(ids)
    if len(wanted) > MOST_TICKETS:
        raise BadIncident("tickets", len(wanted), f"at most {MOST_TICKETS} tickets")
    areas = queries.areas_of(conn, sorted(wanted))
    if missing := sorted(wanted - areas.keys()):
        raise BadIncident("tickets", missing, "tickets of one's own areas")
    return areas


def _gather(conn: Db, incident_id: int, areas: dict[int, int], now: datetime, by: str) -> None:
    if taken := queries.open_incidents_of(conn, list(areas)):
        raise InIncident(taken)
    try:
        with conn.transaction():
            queries.gather(conn, incident_id, list(areas.items()), now, by)
    except UniqueViolation:  # somebody was quicker between the look and the write
        raise InIncident(queries.open_incidents_of(conn, list(areas))) from None


def _words(title: str) -> str:
    return masked(title.strip())[:200]


def _kind(profile: Profile, code: str | None) -> str | None:
    """The code of a category or of one of its subclasses. Raises BadIncident."""
    known = {one.code for whole in profile.categories for one in (whole, *whole.kinds)}
    if code is not None and code not in known:
        raise BadIncident("kind", code, "the code of a category")
    return code
