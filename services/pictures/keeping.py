"""Keeping pictures: a row and a file for each, tied to a ticket by a command, gone after a day without one."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from geodata import jobs
from geodata.queries import pictures as queries
from geodata.queries.pictures import NewPicture, PictureRow
from geodata.scope import EVERYTHING, Db, enter
from services.access import Viewer
from services.pictures.errors import BadPicture, UnknownPicture
from services.pictures.redraw import Drawn
from services.pictures.store import Store

UNTIED_KEPT = timedelta(days=1)
A_MOMENT = timedelta(minutes=1)
FORGET = "forget_pictures"  # name and lock of the job
MOST_AT_ONCE = 10  # pictures that one command may carry
SWEEP = 500
Picture = PictureRow


class _Area(Protocol):
    @property
    def no(self) -> int: ...


class Ticketed(Protocol):
    """What a ticket must have to be given pictures."""

    @property
    def id(self) -> int: ...
    @property
    def area(self) -> _Area: ...


def keep(conn: Db, store: Store, viewer: Viewer, drawn: Drawn) -> Picture:
    """Keep a picture that belongs to no ticket yet, in the caller's transaction; raises StoreAway."""
    sha256 = hashlib.sha256(drawn.jpeg).digest()
    queries.hold_content(conn, sha256)
    row = queries.insert(
        conn,
        NewPicture(
            viewer.scope.ranges[0][0], sha256, drawn.width, drawn.height, len(drawn.jpeg), viewer.kind, viewer.id,
            viewer.name,
        ),
    )  # fmt: skip
    store.put(sha256, drawn.jpeg, drawn.thumbnail)
    plan_to_forget(conn, row.sent_at + UNTIED_KEPT)
    return row


def plan_to_forget(conn: Db, at: datetime) -> None:
    """Have pictures without a ticket looked at then, unless they will be before."""
    jobs.plan_many(conn, "work", FORGET, [jobs.Planned(FORGET, {}, at + A_MOMENT)])


def one(conn: Db, viewer: Viewer, picture_id: UUID) -> Picture:
    """A picture that the viewer may see: of a ticket in scope, or its own tied to none. Raises UnknownPicture."""
    row = queries.by_id(conn, picture_id)
    own = row is not None and (row.sender_kind, row.sender_id) == (viewer.kind, viewer.id)
    if row is None or (row.ticket_id is None and not own):
        raise UnknownPicture(f"no picture with the id {picture_id}")
    return row


def of_ticket(conn: Db, ticket_id: int) -> list[Picture]:
    """The pictures of a ticket in scope, in the order in which they came."""
    return queries.of_ticket(conn, ticket_id)


def claim(conn: Db, ticket: Ticketed, ids: Sequence[UUID]) -> None:
    """Tie pictures to a ticket within the transaction of a command; those that are its own already stay so.

    Raises BadPicture when one does not exist (or not for the asker), or belongs to another ticket.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return
    if len(wanted) > MOST_AT_ONCE:
        raise BadPicture(
            "pictures",
            len(wanted),
            f"at most {MOST_AT_ONCE}",
            "That is more pictures than one command may carry.",
        )
    found = dict(queries.held(conn, wanted))
    for picture_id in wanted:
        if picture_id not in found or found[picture_id] not in (None, ticket.id):
            raise BadPicture(
                "pictures", str(picture_id), "the id of a picture that was sent in and belongs to no other ticket",
                "One of the pictures does not exist any more, or belongs to another ticket.",
            )  # fmt: skip
    queries.tie(conn, wanted, ticket.id, ticket.area.no)


def forget(conn: Db, store: Store, now: datetime) -> int:
    """Delete pictures that belong to no ticket a day after they came, and files that no picture has; returns how many.

    Opens transactions of its own as a job; raises StoreAway.
    """
    gone = 0
    with conn.transaction():
        enter(conn, EVERYTHING, "jobs")
        waiting = queries.untied_before(conn, now - UNTIED_KEPT, SWEEP)
    for picture_id, sha256 in waiting:
        with conn.transaction():
            enter(conn, EVERYTHING, "jobs")
            queries.hold_content(conn, sha256)
            if not queries.delete_untied(conn, picture_id):
                continue
            gone += 1
            if not queries.is_used(conn, sha256):
                store.delete(sha256)
    return gone
