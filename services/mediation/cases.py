"""Receives disputes and performs commands on cases: row, event and live event in one transaction."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geodata.clock.worktime import worktime_of
from geodata.importing.words import refused_heading
from geodata.outbox import add_event
from geodata.queries import calendar, mediation_near, mediation_seals
from geodata.queries import mediation as queries
from geodata.queries.mediation import Case
from geodata.queries.mediation_near import Mediator
from geodata.scope import Db
from profiles import Profile
from services.access import UnknownArea, Viewer
from services.care.masking import masked_name
from services.care.opening import require_person
from services.care.sealing import Seals
from services.clock.due import due_of
from services.intake.masking import masked
from services.mediation import orders as o
from services.mediation.errors import BadCase, KeyReused, NotPossible, StaleCase, UnknownCase
from services.mediation.states import STAY, TRANSITIONS, commands_from

FIELDS = ("state", "tier", "room", "post_id", "worker_id", "mediator", "agreement_form", "accepted_at", "due_at",
          "closed_at", "perform_by", "performed", "performed_on")  # fmt: skip
OLDEST = timedelta(days=92)  # so long ago a meeting may have been
SEALED = ("agreement", "matter", "parties")  # never in an event
MEDIATES = (
    "mediator",
    "lawyer",
    "judge",
    "station_head",
)  # posts that may mediate, those who are asked first


def kinds(profile: Profile) -> list[str]:
    """Codes of the categories that are disputes here."""
    return [
        kind.code
        for category in profile.categories
        if category.code in profile.desks.mediation.kinds
        for kind in category.kinds
    ]


def receive(
    conn: Db, profile: Profile, actor: Viewer, told: o.Receive, seals: Seals, *, key: str | None = None,
    now: datetime | None = None,
) -> Case:  # fmt: skip
    """Enter a dispute and return the case; `conn` is in the hat "care".

    Raises UnknownArea, BadCase, KeyReused, NotForThem (a wall, another system).
    """
    require_person(actor)
    now = now or datetime.now(UTC)
    digest = _digest("receive", None, told)
    if (known := _known(conn, actor, key, digest)) is not None:
        return known
    known_kinds = kinds(profile)
    if told.category not in known_kinds:
        raise BadCase("category", told.category, known_kinds)
    most = len(profile.desks.mediation.tiers)
    if told.tier > most:
        raise BadCase("tier", told.tier, f"1 to {most}")
    place = mediation_near.place(conn, code=told.area)
    if place is None:
        raise UnknownArea(f"no area with the code {told.area}")
    if told.ticket is not None and mediation_near.ticket_area(conn, told.ticket) is None:
        raise BadCase("ticket", told.ticket, "the id of a ticket in your areas")
    _refuse_kinds("matter", told.matter)
    case = queries.add(
        conn,
        {
            "area_no": place.no,
            "category": told.category,
            "ticket_id": told.ticket,
            "tier": told.tier,
            "room": told.room,
            "matter_sealed": seals.seal(told.matter) if told.matter else None,
            "key_id": seals.key_id,
            "received_at": now,
        },
        now.astimezone(ZoneInfo(profile.time_zone)).year,
    )
    for party in told.parties:
        phone = seals.seal(party.phone) if party.phone else None
        mediation_seals.add_party(
            conn, case, party.side, masked_name(party.name), seals.seal(party.name), phone, seals.key_id
        )
    data = {"parties": len(told.parties), "ticket": told.ticket}
    _record(conn, case, None, "receive", actor, now, data, key, digest)
    return case


def perform(
    conn: Db, profile: Profile, actor: Viewer, case_id: int, order: o.Order, seals: Seals, *,
    key: str | None = None, now: datetime | None = None,
) -> Case:  # fmt: skip
    """Do one command on a case, in the caller's transaction and the hat "care"; returns the case after it.

    The same key with the same body again changes nothing. Raises UnknownCase, StaleCase, NotPossible, BadCase,
    KeyReused, NotForThem.
    """
    require_person(actor)
    now = now or datetime.now(UTC)
    command = o.NAMES[type(order)]
    digest = _digest(command, case_id, order)
    if (known := _known(conn, actor, key, digest)) is not None:
        return known
    before = queries.one(conn, case_id, lock=True)
    if before is None:
        raise UnknownCase(case_id)
    if before.version != order.version:
        raise StaleCase(case_id, order.version, before.version)
    row = TRANSITIONS[command]
    if before.state not in row.before:
        raise NotPossible(command, before.state, commands_from(before.state))
    if isinstance(order, o.Reasoned):
        order = order.model_copy(update={"reason": _kept_reason(conn, case_id, order.reason, seals)})
    changes = _EFFECTS[command](_Doing(conn, profile, before, seals, max(now, before.received_at)), order)
    if row.after != STAY:
        changes["state"] = row.after
    after = queries.change(conn, case_id, changes)
    data = order.model_dump(mode="json", exclude={"version", *SEALED}, exclude_none=True)
    _record(conn, after, before, command, actor, now, data, key, digest)
    return after


class _Doing:
    """What an effect works with."""

    def __init__(self, conn: Db, profile: Profile, case: Case, seals: Seals, now: datetime) -> None:
        self.conn, self.profile, self.case, self.seals, self.now = conn, profile, case, seals, now

    @property
    def today(self) -> date:
        """The local day."""
        return self.now.astimezone(ZoneInfo(self.profile.time_zone)).date()


def _accept(doing: _Doing, _order: Any) -> dict[str, Any]:
    limit = doing.profile.limit("handle", category=doing.case.category, channel="mediation")
    worktime = worktime_of(doing.profile, calendar.overrides(doing.conn))
    due = due_of(limit, doing.now, worktime) if limit else None
    return {"accepted_at": doing.now, "due_at": due}


def _end(doing: _Doing, _order: Any) -> dict[str, Any]:
    return {"closed_at": doing.now}


def _assign(doing: _Doing, order: o.Assign) -> dict[str, Any]:
    changes: dict[str, Any] = {"room": order.room} if order.room else {}
    found: Mediator | None = None
    if order.post is not None:
        found = mediation_near.post_of(doing.conn, order.post)
        if found is None:
            raise BadCase("post", order.post, "the id of a post holder in your areas")
        changes |= {"post_id": found.id, "worker_id": None, "mediator": found.name}
    if order.worker is not None:
        found = mediation_near.worker_of(doing.conn, order.worker)
        if found is None:
            raise BadCase("worker", order.worker, "the code of an active worker in your areas")
        changes |= {"worker_id": found.id, "post_id": None, "mediator": found.name}
    return changes


def _plan_session(doing: _Doing, order: o.PlanSession) -> dict[str, Any]:
    waiting = [one for one in queries.sessions(doing.conn, doing.case.id) if one.outcome is None]
    if waiting:
        raise BadCase(
            "planned_at", order.planned_at.isoformat(), f"first what came of meeting {waiting[0].seq}"
        )
    if order.planned_at < doing.case.received_at:
        raise BadCase("planned_at", order.planned_at.isoformat(), "a moment after the dispute was brought")
    queries.add_session(doing.conn, doing.case, order.planned_at, order.room or doing.case.room)
    return {"room": order.room} if order.room else {}


def _hold_session(doing: _Doing, order: o.HoldSession) -> dict[str, Any]:
    for name, at in (("held_at", order.held_at), ("ended_at", order.ended_at)):
        if at is not None and not doing.now - OLDEST <= at <= doing.now + timedelta(minutes=5):
            raise BadCase(name, at.isoformat(), "a moment of the last 92 days that has come")
    if not queries.end_session(
        doing.conn, doing.case.id, order.session, order.held_at, order.ended_at, order.outcome
    ):
        raise BadCase("session", order.session, "the number of a planned meeting")
    return {}


def _settle(doing: _Doing, order: o.Settle) -> dict[str, Any]:
    if order.perform_by is not None and order.perform_by < doing.today:
        raise BadCase("perform_by", order.perform_by.isoformat(), f"a day from {doing.today} on")
    _refuse_kinds("agreement", order.agreement)
    return {
        "agreement_sealed": doing.seals.seal(order.agreement),
        "agreement_form": order.form,
        "perform_by": order.perform_by,
        "closed_at": doing.now,
        **_resealed(doing),
    }


def _resealed(doing: _Doing) -> dict[str, Any]:
    """One row has one key: what an older one sealed is sealed anew together with what is new."""
    sealed = mediation_seals.sealed(doing.conn, [doing.case.id])[doing.case.id]
    if sealed.key_id == doing.seals.key_id or sealed.matter_sealed is None:
        return {"key_id": doing.seals.key_id}
    text = doing.seals.open(bytes(sealed.matter_sealed), sealed.key_id)
    return {"key_id": doing.seals.key_id, "matter_sealed": doing.seals.seal(text)}


def _move_up(doing: _Doing, _order: Any) -> dict[str, Any]:
    most = len(doing.profile.desks.mediation.tiers)
    if doing.case.tier >= most:
        raise BadCase("tier", doing.case.tier, f"a case below tier {most}, the last one here")
    return {"tier": doing.case.tier + 1, "room": None, "post_id": None, "worker_id": None, "mediator": None}


def _perform(doing: _Doing, order: o.Perform) -> dict[str, Any]:
    agreed = doing.case.closed_at or doing.now
    first = agreed.astimezone(ZoneInfo(doing.profile.time_zone)).date()
    if not first <= order.performed_on <= doing.today:
        raise BadCase("performed_on", order.performed_on.isoformat(), f"a day from {first} to {doing.today}")
    return {"performed": True, "performed_on": order.performed_on}


def _breach(_doing: _Doing, _order: Any) -> dict[str, Any]:
    return {"performed": False, "performed_on": None}


_EFFECTS: dict[str, Callable[[_Doing, Any], dict[str, Any]]] = {
    "accept": _accept, "decline": _end, "assign": _assign, "plan_session": _plan_session,
    "hold_session": _hold_session, "settle": _settle, "move_up": _move_up, "fail": _end, "withdraw": _end,
    "perform": _perform, "breach": _breach,
}  # fmt: skip


def _kept_reason(conn: Db, case_id: int, reason: str, seals: Seals) -> str:
    """A reason stands unsealed in the history: names of the parties and numbers of people are masked in it."""
    _refuse_kinds("reason", reason)
    parties = mediation_seals.parties(conn, [case_id]).get(case_id, [])
    return masked(reason, [seals.open(bytes(one.name_sealed), one.key_id) for one in parties])


def _refuse_kinds(field: str, text: str | None) -> None:
    refused = refused_heading(text) if text else None
    if refused is not None:
        said = f"the dispute alone; nothing of the kind {refused.replace('_', ' ')} is kept of people"
        raise BadCase(field, "…", said)


def _known(conn: Db, actor: Viewer, key: str | None, digest: bytes) -> Case | None:
    """The case that this key was sent for before."""
    if key is None:
        return None
    queries.hold_key(conn, actor.name, key)
    found = queries.event_of_key(conn, actor.name, key)
    if found is None:
        return None
    case_id, sent = found
    if sent != digest:
        raise KeyReused(key)
    case = queries.one(conn, case_id)
    if case is None:
        raise UnknownCase(case_id)
    return case


def _digest(command: str, case_id: int | None, told: o.Plain) -> bytes:
    return hashlib.sha256(f"{command} {case_id} {told.model_dump_json()}".encode()).digest()


def _record(
    conn: Db, case: Case, before: Case | None, kind: str, actor: Viewer, at: datetime, data: dict[str, Any],
    key: str | None, digest: bytes,
) -> None:  # fmt: skip
    old = {} if before is None else before._asdict()
    new = case._asdict()
    changed = [name for name in FIELDS if old.get(name) != new[name]]
    queries.add_event(
        conn, case, kind=kind, was=before and before.state, at=at, actor=actor.name, role=actor.role,
        before={name: plain(old.get(name)) for name in changed} if before else {},
        after={name: plain(new[name]) for name in changed},
        data=data, key=key, digest=digest if key else None,
    )  # fmt: skip
    add_event(conn, "desk", case.area_no, {"desk": "mediation", "id": case.id, "version": case.version})


def plain(value: Any) -> Any:
    """A field's value as JSON keeps it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def fold(events: Sequence[queries.CaseEvent]) -> dict[str, Any]:
    """What the events leave of a case: FIELDS as JSON keeps them, and the version."""
    state: dict[str, Any] = dict.fromkeys(FIELDS)
    for event in events:
        state |= event.after or {}
        state["version"] = event.version
    return state
