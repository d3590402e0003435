"""Visits to people owed care: which are due or overdue, and one written down moves the next."""

from datetime import date, timedelta
from typing import NamedTuple

from geodata.importing.words import refused_heading
from geodata.queries import care as queries
from geodata.queries.care import Marker
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.care.errors import BadCare, UnknownCare
from services.care.opening import require_person
from services.care.plan import DUE_DAYS, Outcome, State, after_visit, state_of

LONGEST_NOTE = 200  # characters
MOST_MARKERS = 5000


class Due(NamedTuple):
    """A visit on the map; nothing that names the person."""

    marker: Marker
    state: State


def due(conn: Db, today: date) -> list[Due]:
    """Visits in scope that are due within a week or overdue, the most overdue first, 5,000 at most."""
    found = queries.markers(conn, today + timedelta(days=DUE_DAYS), MOST_MARKERS)
    return [Due(one, state_of(one.next_visit_on, None, today)) for one in found]


def record_visit(
    conn: Db,
    actor: Viewer,
    care_id: int,
    *,
    visited_on: date,
    outcome: Outcome,
    note: str | None,
    today: date,
) -> date:
    """Write a visit down and return the day of the next one.

    A note says what was done or needed in 200 characters; one about belief, opinion, petitions and the like is
    refused. Raises UnknownCare, BadCare, NotForThem.
    """
    require_person(actor)
    row = queries.locked(conn, care_id)
    if row is None:
        raise UnknownCare(care_id)
    note = (note or "").strip() or None
    if row.ended_on is not None:
        raise BadCare([{"where": "care_id", "message": "care that goes on; this record has ended"}])
    if not row.started_on <= visited_on <= today:
        raise BadCare([{"where": "visited_on", "message": f"a day from {row.started_on} to {today}"}])
    if note is not None:
        if len(note) > LONGEST_NOTE:
            raise BadCare([{"where": "note", "message": f"at most {LONGEST_NOTE} characters"}])
        refused = refused_heading(note)
        if refused is not None:
            said = f"what was done or is needed; nothing of the kind {refused.replace('_', ' ')} is kept of people"
            raise BadCare([{"where": "note", "message": said}])
    last, following = after_visit(outcome, visited_on, row.every_days, row.last_visit_on, row.next_visit_on)
    queries.add_visit(
        conn, care_id, row.area_no, visited_on=visited_on, outcome=outcome, note=note,
        account_id=actor.id if actor.kind == "account" else None, visited_by=actor.name,
    )  # fmt: skip
    queries.plan(conn, care_id, last, following)
    audit.record(
        conn, actor, audit.Action.care_visited, object_kind="care", object_id=care_id, area_no=row.area_no,
        detail={"code": row.code, "outcome": outcome, "visited_on": visited_on},
    )  # fmt: skip
    return following
