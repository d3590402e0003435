"""Consultations: who sits there, when, and the minutes; asked and decided by the ticket's own commands."""

from collections.abc import Sequence
from datetime import datetime

from geodata.outbox import add_event
from geodata.queries import desks as queries
from geodata.queries.desks import Consultation
from geodata.scope import Db
from services.desks.errors import BadDesk, StaleDesk, UnknownDesk
from services.intake.masking import masked

MOST_PEOPLE = 30


def change(
    conn: Db, consultation_id: int, version: int, *, people: Sequence[str], meets_at: datetime | None,
    minutes: str | None,
) -> Consultation:  # fmt: skip
    """Write what is known of a meeting; telephone and ID numbers in the minutes are masked.

    Raises UnknownDesk, StaleDesk, BadDesk.
    """
    before = queries.consultation(conn, consultation_id)
    if before is None:
        raise UnknownDesk(f"There is no consultation with the number {consultation_id}.")
    if len(people) > MOST_PEOPLE:
        raise BadDesk("people", len(people), f"at most {MOST_PEOPLE}")
    if before.decided_at is not None and meets_at is not None and meets_at > before.decided_at:
        raise BadDesk("meets_at", meets_at.isoformat(), "a moment before it was decided")
    kept = masked(minutes) if minutes else None
    named = [one.strip() for one in people if one.strip()]
    if not queries.change_consultation(
        conn, consultation_id, version, people=named, meets_at=meets_at, minutes=kept
    ):
        raise StaleDesk(version, before.version)
    add_event(
        conn, "desk", before.area_no, {"desk": "consultation", "id": before.ticket_id, "version": version + 1}
    )
    after = queries.consultation(conn, consultation_id)
    assert after is not None
    return after
