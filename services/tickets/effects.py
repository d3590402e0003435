"""What each command changes: pure but for looking codes up; the engine keeps states, versions and events."""

from collections.abc import Callable
from typing import Any

from geodata.queries import tickets as queries
from geodata.queries.tickets import Ticket
from services.clock.timeline import Pause
from services.tickets import merging, place_rules, placing
from services.tickets import orders as o
from services.tickets.case import FAR_FUTURE, Case
from services.tickets.errors import BadReport, NotAllowed

Effect = Callable[[Case, Any], Ticket]
UNSATISFIED = "unsatisfied"


def _nothing(case: Case, order: o.Order) -> Ticket:
    return case.ticket


# --- taking up


def _end(case: Case, order: o.Order) -> Ticket:
    return case.ticket._replace(closed_at=case.now, sign_due=None, respond_due=None)


def _merge(case: Case, order: o.Merge) -> Ticket:
    into = merging.master_for(case, order.into)
    return case.ticket._replace(
        merged_into=into.id, resume_status=case.ticket.status, closed_at=case.now, suspended_until=None
    )


def _unmerge(case: Case, order: o.Unmerge) -> Ticket:
    return case.ticket._replace(merged_into=None, closed_at=None)


# --- handing on


def _hand(case: Case, order: o.Holder) -> Ticket:
    """Its new holder and helpers, and by when they have to sign."""
    worker, department = case.known_worker(order.worker), case.known_department(order.department)
    post = case.known_post(order.post)
    if worker is None and department is None and post is None:
        kind = case.profile.kind(case.ticket.category)
        department = kind.department if kind else None
        if department is None:
            raise BadReport("worker", None, "a worker or a department")
    parties = [
        {"kind": kind, "code": code, "part": "lead"}
        for kind, code in (("department", department), ("worker", worker), ("post", post))
        if code
    ]
    parties += [case.known_party(party).model_dump() | {"part": "joint"} for party in order.joint]
    return case.ticket._replace(
        worker=worker,
        department=department,
        parties=parties,
        tier=None,
        signed_at=None,
        handled_at=None,
        respond_due=None,
        sign_due=case.limit_end("sign", case.now),
    )


def _dispatch(case: Case, order: o.Dispatch) -> Ticket:
    return _promised(case, _started(case, _hand(case, order)), order)


def _started(case: Case, ticket: Ticket) -> Ticket:
    """The clock of handling starts at the first dispatch; nothing sets it back."""
    if ticket.dispatched_at is not None:
        return ticket
    ticket = ticket._replace(dispatched_at=case.now)
    return ticket._replace(due_at=case.handle_due(ticket))


def _promised(case: Case, ticket: Ticket, order: o.Holder) -> Ticket:
    """With the deadline that the order sets, which may only be before the clock's."""
    if order.due_at is None:
        return ticket
    latest = ticket.due_at or case.now + FAR_FUTURE
    if not case.now < order.due_at <= latest:
        raise BadReport(
            "due_at", order.due_at.isoformat(), f"after now, and at the latest {placing.iso(latest)}"
        )
    return ticket._replace(due_at=order.due_at)


def _transfer(case: Case, order: o.Transfer) -> Ticket:
    return _promised(case, _hand(case, order), order)._replace(transfers=case.ticket.transfers + 1)


def _whistle(case: Case, order: o.Whistle) -> Ticket:
    tiers = len(case.profile.loop.tiers)
    if order.tier > tiers:
        raise BadReport("tier", order.tier, f"1 … {tiers}" if tiers else "no tier: this place whistles not")
    place_rules.check_whistle(case, order)
    due = case.limit_end("respond", case.now)
    told = {"tier": order.tier, "respond_due": None if due is None else placing.iso(due)}
    lead = case.known_party(order.lead).model_dump() | {"part": "lead"} | told
    joint = [case.known_party(party).model_dump() | {"part": "joint"} | told for party in order.joint]
    called = case.ticket._replace(
        tier=order.tier,
        parties=[lead, *joint],
        worker=order.lead.code if order.lead.kind == "worker" else None,
        department=order.lead.code if order.lead.kind == "department" else None,
        respond_due=due,
        sign_due=None,
        signed_at=None,
    )
    return _started(case, called)


def _party(case: Case, code: str | None) -> int:
    """Index of the named party, or of the lead; BadReport without one that is still to answer."""
    waiting = [
        (number, party)
        for number, party in enumerate(case.ticket.parties)
        if not party.get("responded_at") and not party.get("refused_at")
    ]
    for number, party in waiting:
        if party["code"] == code or (code is None and party["part"] == "lead"):
            return number
    raise BadReport("party", code, [party["code"] for _, party in waiting] or "nobody is still to answer")


def _answered(case: Case, number: int, **said: Any) -> Ticket:
    parties = [party | said if at == number else party for at, party in enumerate(case.ticket.parties)]
    waits = any(not party.get("responded_at") and not party.get("refused_at") for party in parties)
    return case.ticket._replace(parties=parties, respond_due=case.ticket.respond_due if waits else None)


def _respond(case: Case, order: o.Respond) -> Ticket:
    return _answered(case, _party(case, order.party), responded_at=placing.iso(case.now))


def _refuse(case: Case, order: o.Refuse) -> Ticket:
    number = _party(case, order.party)
    lead = case.ticket.parties[number]["part"] == "lead"
    refused = _answered(case, number, refused_at=placing.iso(case.now), reason=order.reason)
    return _let_go(refused)._replace(status="returned", parties=refused.parties) if lead else refused


def _send_back(case: Case, order: o.SendBack) -> Ticket:
    return _let_go(case.ticket)


def _recall(case: Case, order: o.Recall) -> Ticket:
    return _let_go(case.ticket)


def _let_go(ticket: Ticket) -> Ticket:
    return ticket._replace(
        worker=None, department=None, parties=[], signed_at=None, sign_due=None, respond_due=None, tier=None
    )


# --- the work


def _sign(case: Case, order: o.Sign) -> Ticket:
    worker = case.known_worker(order.worker) or case.ticket.worker
    return case.ticket._replace(signed_at=case.now, worker=worker, sign_due=None)


def _suspend(case: Case, order: o.Suspend) -> Ticket:
    most = case.profile.clock.pause_most_days
    left = most * 86400 - case.paused().total_seconds()
    asked = (order.until - case.now).total_seconds()
    if not 0 < asked <= left:
        raise BadReport(
            "until",
            order.until.isoformat(),
            f"after now, and at most {left / 86400:.1f} days of {most:g} are left",
        )
    paused = case.ticket._replace(suspended_until=order.until, resume_status=case.ticket.status)
    return paused._replace(due_at=case.handle_due(paused, (Pause(case.now, order.until),)))


def _resume(case: Case, order: o.Resume) -> Ticket:
    gone_on = case.ticket._replace(suspended_until=None)
    return gone_on._replace(due_at=case.handle_due(gone_on, (Pause(case.paused_since(), case.now),)))


def _consult(case: Case, order: o.Consult) -> Ticket:
    for code in order.participants:
        case.known_department(code, "participants")
    return case.ticket._replace(resume_status=case.ticket.status)


def _handle(case: Case, order: o.Handle) -> Ticket:
    return case.ticket._replace(handled_at=case.now)


def _plan(case: Case, order: o.Plan) -> Ticket:
    done = [node for node in case.ticket.nodes if node.get("done_at")]
    fresh = [{"name": node.name, "due": placing.iso(node.due)} for node in order.nodes]
    if len(done) + len(fresh) > 40:
        raise BadReport("nodes", len(fresh), f"at most {40 - len(done)}")
    return case.ticket._replace(nodes=done + fresh)


def _node_done(case: Case, order: o.NodeDone) -> Ticket:
    nodes = case.ticket.nodes
    if order.node > len(nodes) or nodes[order.node - 1].get("done_at"):
        waiting = [number for number, node in enumerate(nodes, 1) if not node.get("done_at")]
        raise BadReport("node", order.node, waiting or "no step waits")
    done = nodes[order.node - 1] | {"done_at": placing.iso(case.now)}
    return case.ticket._replace(nodes=[*nodes[: order.node - 1], done, *nodes[order.node :]])


# --- the end


def _redo(case: Case, order: o.Redo) -> Ticket:
    return case.ticket._replace(handled_at=None, redos=case.ticket.redos + 1)


def _call_back(case: Case, order: o.CallBack) -> Ticket:
    """An unsatisfied reporter puts the ticket under supervision at once, and opens it again if it was closed."""
    supervision = case.of_loop("supervisions", order.supervision)
    heard = case.ticket._replace(satisfaction=order.satisfaction, solved=order.solved)
    if order.satisfaction != UNSATISFIED:
        return heard
    heard = heard._replace(
        supervised_at=case.now,
        supervision=supervision or case.profile.loop.class_of(case.ticket),
    )
    return heard._replace(status="reopened", closed_at=None) if heard.status == "closed" else heard


def _close(case: Case, order: o.Close) -> Ticket:
    if case.profile.loop.verify and case.ticket.status == "handled":
        raise NotAllowed(
            "close", case.ticket.status, ["verify"], "here a ticket is verified before it is closed"
        )
    return _end(case, order)._replace(
        satisfaction=order.satisfaction or case.ticket.satisfaction or "unrated",
        solved=order.solved or case.ticket.solved,
    )


def _reopen(case: Case, order: o.Reopen) -> Ticket:
    return case.ticket._replace(
        closed_at=None,
        handled_at=None,
        signed_at=None,
        satisfaction=None,
        solved=None,
        redos=case.ticket.redos + 1,
    )


# --- at any time


def _supervise(case: Case, order: o.Supervise) -> Ticket:
    return case.ticket._replace(
        supervised_at=case.now, supervision=case.of_loop("supervisions", order.supervision)
    )


def _urge(case: Case, order: o.Urge) -> Ticket:
    codes = [party["code"] for party in case.ticket.parties]
    if order.party is not None and order.party not in codes:
        raise BadReport("party", order.party, codes or "nobody holds it")
    return case.ticket


def _regrade(case: Case, order: o.Regrade) -> Ticket:
    if order.category is not None and case.profile.kind(order.category) is None:
        raise BadReport("category", order.category, "the code of a subclass of category")
    given = {
        "category": order.category,
        "severity": case.of_loop("severities", order.severity),
        "nature": case.of_loop("natures", order.nature),
        "risk": case.of_loop("risks", order.risk),
        "work_kind": case.of_loop("work_kinds", order.work_kind),
    }
    known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    graded = case.ticket._replace(**known)
    more: tuple[Pause, ...] = ()
    if graded.suspended_until is not None:
        more = (Pause(case.paused_since(), graded.suspended_until),)
    return graded._replace(due_at=case.handle_due(graded, more))


def _relocate(case: Case, order: o.Relocate) -> Ticket:
    lon, lat = placing.in_wgs84(order.lon, order.lat, order.datum)
    area, location = placing.place(case.conn, lon, lat)
    return case.ticket._replace(
        lon=lon, lat=lat, area=area, location=location, address=order.address or case.ticket.address
    )


def _register(case: Case, order: o.Register) -> Ticket:
    if case.ticket.registered_no is not None:
        raise NotAllowed(
            "register", case.ticket.status, [], f"it is registered as {case.ticket.registered_no}"
        )
    number = f"{case.now:%Y}-{queries.next_register_no(case.conn):06d}"
    kind = case.of_loop("work_kinds", order.work_kind)
    return case.ticket._replace(registered_no=number, work_kind=kind or case.ticket.work_kind)


def _tick(case: Case, order: o.Tick) -> Ticket:
    level = order.level or 0
    return case.ticket._replace(escalation=max(level, case.ticket.escalation))


EFFECTS: dict[str, Effect] = {
    "accept": _nothing, "reject": _end, "cancel": _end, "merge": _merge, "unmerge": _unmerge, "dispatch": _dispatch,
    "whistle": _whistle, "transfer": _transfer, "respond": _respond, "refuse": _refuse, "send_back": _send_back,
    "recall": _recall, "sign": _sign, "start": _nothing, "suspend": _suspend, "resume": _resume, "consult": _consult,
    "conclude": _nothing, "handle": _handle, "plan": _plan, "node_done": _node_done, "verify": _nothing,
    "redo": _redo, "call_back": _call_back, "close": _close, "archive": _nothing, "reopen": _reopen,
    "supervise": _supervise, "urge": _urge,
    "regrade": _regrade, "relocate": _relocate, "register": _register, "remark": _nothing,
    "attach": _nothing, "progress": _nothing, "inspect": _nothing, "tick": _tick,
    "closed_with": _nothing, "reopened_with": _nothing,
}  # fmt: skip
