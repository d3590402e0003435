"""Notes for whoever comes next: promises, what is watched, anything else."""

from datetime import datetime
from typing import Literal

from geodata.outbox import add_event
from geodata.queries import handover as queries
from geodata.queries.handover import Note
from geodata.queries.tickets import read_ticket
from geodata.scope import Db
from services.access import Viewer
from services.care.opening import require_person
from services.handover.errors import UnknownHandover
from services.intake.masking import masked

Kind = Literal["promised", "watched", "note"]
DESK = "handover"  # its name in the live stream


def write(
    conn: Db, viewer: Viewer, kind: Kind, words: str, ticket_id: int | None, due_at: datetime | None, now: datetime
) -> Note:  # fmt: skip
    """Write a note, about a ticket or not; numbers of people in it are masked. Raises NotForThem, UnknownHandover."""
    require_person(viewer)
    area_no = None
    if ticket_id is not None:
        ticket = read_ticket(conn, ticket_id)
        if ticket is None:
            raise UnknownHandover(f"There is no ticket with the id {ticket_id}.")
        area_no = ticket.area.no
    made = queries.add_note(
        conn, viewer.scope, area_no, kind, masked(words), ticket_id, due_at, viewer.name, now
    )
    return _told(conn, made)


def finish(conn: Db, viewer: Viewer, note_id: int, now: datetime) -> Note:
    """Note that it is done; done before it stays as it was. Raises NotForThem, UnknownHandover."""
    require_person(viewer)
    if queries.note(conn, note_id) is None:
        raise UnknownHandover(f"There is no note with the id {note_id}.")
    queries.finish_note(conn, note_id, viewer.name, now)
    return _told(conn, note_id)


def _told(conn: Db, note_id: int) -> Note:
    note = queries.note(conn, note_id)
    assert note is not None
    add_event(conn, "desk", note.area_no, {"desk": DESK, "id": note_id})
    return note
