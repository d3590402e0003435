"""Opens a case to one account, for a reason and for some minutes; each look at it stands in the audit."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import errors

from geodata.queries import mediation as queries
from geodata.queries import mediation_seals
from geodata.queries.mediation import Case
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.care.errors import NotForThem
from services.care.masking import masked_phone
from services.care.opening import checked_reason, require_person
from services.care.sealing import Seals
from services.mediation.errors import UnknownCase


class Sight(NamedTuple):
    """What an account may read of a case now; masked, with `until` None, unless it was opened to it."""

    parties: list[dict[str, Any]]
    matter: str | None
    agreement: str | None
    until: datetime | None
    reason: str | None


def open_case(conn: Db, actor: Viewer, case_id: int, reason: str, minutes: int) -> datetime:
    """Let the actor read a case for so many minutes; returns until when.

    `conn` is in the hat "care". Raises UnknownCase, BadCare (a reason of less than 5 characters), NotForThem.
    """
    require_person(actor)
    reason = checked_reason(reason)
    case = queries.one(conn, case_id)
    if case is None:
        raise UnknownCase(case_id)
    try:
        until = mediation_seals.grant(conn, actor.id, case, reason, minutes)
    except errors.ForeignKeyViolation:
        raise NotForThem("This account is no longer there.") from None
    audit.record(
        conn, actor, audit.Action.mediation_opened, object_kind="mediation", object_id=case.number,
        area_no=case.area_no, reason=reason, detail={"step": "granted", "until": until},
    )  # fmt: skip
    return until


def seen(conn: Db, actor: Viewer, case: Case, seals: Seals) -> Sight:
    """The case as the actor may read it now; a look at it opened is audited. Raises WrongKey."""
    parties = mediation_seals.parties(conn, [case.id]).get(case.id, [])
    grant = mediation_seals.running_grant(conn, actor.id, case.id) if actor.kind == "account" else None
    if grant is None:
        masked = [
            {"side": one.side, "name": one.name_masked, "phone": _masked_phone(one, seals)} for one in parties
        ]
        return Sight(masked, None, None, None, None)
    sealed = mediation_seals.sealed(conn, [case.id])[case.id]

    def text(value: bytes | None, key_id: int) -> str | None:
        return None if value is None else seals.open(bytes(value), key_id)

    told = [
        {"side": one.side, "name": text(one.name_sealed, one.key_id), "phone": text(one.phone_sealed, one.key_id)}
        for one in parties
    ]  # fmt: skip
    matter, agreement = (
        text(value, sealed.key_id) for value in (sealed.matter_sealed, sealed.agreement_sealed)
    )
    audit.record(
        conn, actor, audit.Action.mediation_opened, object_kind="mediation", object_id=case.number,
        area_no=case.area_no, reason=grant[1], detail={"step": "read"},
    )  # fmt: skip
    return Sight(told, matter, agreement, *grant)


def _masked_phone(party: mediation_seals.Party, seals: Seals) -> str | None:
    return (
        None
        if party.phone_sealed is None
        else masked_phone(seals.open(bytes(party.phone_sealed), party.key_id))
    )
