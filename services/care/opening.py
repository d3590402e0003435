"""Opens a care record to one account, for a reason and for some minutes; each look at it stands in the audit."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import errors

from geodata.queries import care as queries
from geodata.queries.care import CareRow, Grant
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.care.contents import contents_of
from services.care.errors import BadCare, NotForThem, UnknownCare
from services.care.sealing import Seals

SHORTEST_REASON, LONGEST_REASON = 5, 200  # characters


class Opened(NamedTuple):
    """What one account may read of one record until a moment."""

    fields: dict[str, Any]  # name, phone, id_number (its ends), contacts, building
    until: datetime
    reason: str


def open_record(conn: Db, actor: Viewer, care_id: int, reason: str, minutes: int) -> Grant:
    """Let the actor read a record for so many minutes; a running grant begins anew with the new reason.

    `conn` is in the hat "care". Raises UnknownCare, BadCare (a reason of less than 5 characters), NotForThem.
    """
    require_person(actor)
    reason = checked_reason(reason)
    row = queries.one(conn, care_id)
    if row is None:
        raise UnknownCare(care_id)
    try:
        granted = queries.grant(conn, actor.id, care_id, row.area_no, reason, minutes)
    except errors.ForeignKeyViolation:
        raise NotForThem("This account is no longer there.") from None
    audit.record(
        conn, actor, audit.Action.care_opened, object_kind="care", object_id=care_id, area_no=row.area_no,
        reason=reason, detail={"step": "granted", "code": row.code, "until": granted.expires_at},
    )  # fmt: skip
    return granted


def opened(conn: Db, actor: Viewer, row: CareRow, seals: Seals) -> Opened | None:
    """The record as the actor may read it now, or None without a running grant; the reading is audited."""
    if actor.kind != "account":
        return None
    grant = queries.running_grant(conn, actor.id, row.id)
    if grant is None:
        return None
    found = queries.sealed(conn, [row.id])[row.id]
    fields = {**contents_of(found, seals).opened(), "building": found.building}
    audit.record(
        conn, actor, audit.Action.care_opened, object_kind="care", object_id=row.id, area_no=row.area_no,
        reason=grant.reason, detail={"step": "read", "code": row.code},
    )  # fmt: skip
    return Opened(fields, grant.expires_at, grant.reason)


def require_person(actor: Viewer) -> None:
    """Raise NotForThem for a wall, another system or nobody in particular."""
    if actor.kind != "account":
        raise NotForThem("Only a person with an account may do this.")


def checked_reason(reason: str) -> str:
    """The reason without space around it. Raises BadCare when it says nothing."""
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        expected = f"a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters"
        raise BadCare([{"where": "reason", "message": expected}])
    return reason
