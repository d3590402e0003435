"""GET /api/tickets/{id}/card: all that a desk shows of one ticket, and what it may do with it."""

from datetime import datetime
from typing import Any

from api.gate import Seer
from api.router import Router
from api.tickets import UNKNOWN, _checked
from services import ticket_card
from services.access import Right, opened
from services.runtime import Runtime

Card = dict[str, Any]


def router(runtime: Runtime) -> Router:
    """The route."""
    routes = Router(prefix="/api/tickets", tags=["Tickets"])

    @routes.get("/{ticket_id}/card", responses=UNKNOWN)
    def card(ticket_id: int, viewer: Seer) -> Card:
        """Course, clock, steps, holders, pictures, the place's past, and the commands with their forms.

        Words and names for who may see people; times are milliseconds since 1970.
        """
        people = viewer.may(Right.PEOPLE)
        with opened(runtime.pool, viewer) as (conn, _):
            found = ticket_card.card(conn, runtime.profile, viewer, _checked(ticket_id), people=people)
        shown: Card = _ms(found)
        return shown

    return routes


def _ms(told: Any) -> Any:
    """Times as milliseconds since 1970, as all feeds carry them."""
    if isinstance(told, datetime):
        return round(told.timestamp() * 1000)
    if isinstance(told, dict):
        return {key: _ms(value) for key, value in told.items()}
    return [_ms(value) for value in told] if isinstance(told, (list, tuple)) else told
