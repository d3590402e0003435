"""What a place asks of a command beyond the table of states: who gives it, what came before, whom a whistle calls."""

from geodata.queries import loop as queries
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from profiles.loop import Tier
from services.access.viewer import Viewer
from services.tickets.case import Case
from services.tickets.errors import BadReport, NotAllowed, NotYours
from services.tickets.orders import Order, Party, Whistle

UNSATISFIED = "unsatisfied"


def require(profile: Profile, viewer: Viewer, ticket: Ticket, command: str, order: Order) -> None:
    """Refuse what the place's loop does not allow here and now. Raises NotYours, NotAllowed."""
    loop = profile.loop
    if not _lets(profile, viewer, ticket, command):
        raise NotYours(f"Here your role does not give the command {command}.")
    if missing := loop.missing(command, ticket):
        raise NotAllowed(command, ticket.status, missing, f"here {', '.join(missing)} comes before {command}")
    heard = getattr(order, "satisfaction", None) or ticket.satisfaction
    if command == "close" and loop.close_satisfied and heard == UNSATISFIED:
        why = "here a ticket is not closed while its reporter is not satisfied"
        raise NotAllowed(command, ticket.status, ["redo", "call_back"], why)


def is_open(profile: Profile, viewer: Viewer, ticket: Ticket, command: str) -> bool:
    """Whether the place's loop lets this viewer give the command now."""
    loop = profile.loop
    if command == "close" and loop.close_satisfied and ticket.satisfaction == UNSATISFIED:
        return False
    return _lets(profile, viewer, ticket, command) and not loop.missing(command, ticket)


def check_whistle(case: Case, order: Whistle) -> None:
    """Refuse a caller, or a lead, that the tier is not for; who joins is free. Raises NotYours, BadReport."""
    tier, lead = case.profile.loop.tiers[order.tier - 1], order.lead
    if not _may_call(tier, case.viewer):
        raise NotYours(f"Your role or area does not whistle on the tier {tier.code}.")
    name = _called(case.conn, lead)
    if name is None or not tier.calls(lead.kind, name):
        expected = {"workers": tier.workers, "departments": tier.departments}
        raise BadReport("lead", f"{lead.kind} {lead.code}", expected)


def tier_for(conn: Db, profile: Profile, viewer: Viewer, lead: Party) -> int:
    """The nearest tier of the whistle, from 1, on which the viewer may call that lead. Raises BadReport."""
    name = _called(conn, lead)
    for number, tier in enumerate(profile.loop.tiers, 1):
        if name is not None and _may_call(tier, viewer) and tier.calls(lead.kind, name):
            return number
    raise BadReport("to", f"{lead.kind} {lead.code}", "somebody whom you may whistle for")


def _may_call(tier: Tier, viewer: Viewer) -> bool:
    if viewer.kind == "system":
        return True
    return (not tier.callers or viewer.role in tier.callers) and (not tier.whole or viewer.scope.county)


def _called(conn: Db, lead: Party) -> str | None:
    """What a tier knows the lead by: a worker's kind, a department's or a post's code; None: no such worker."""
    return queries.worker_kind(conn, lead.code) if lead.kind == "worker" else lead.code


def _lets(profile: Profile, viewer: Viewer, ticket: Ticket, command: str) -> bool:
    return viewer.kind == "system" or profile.loop.lets(viewer.role, command, ticket)
