"""Tickets from report to rating: filing, the table of states, the commands, and the history that they leave."""

from services.tickets.engine import Allowed, Done, allowed, foresee, needs, perform, read
from services.tickets.errors import BadReport, NotAllowed, NotYours, StaleVersion, UnknownTicket
from services.tickets.filing import Filed, Report, file_ticket
from services.tickets.fold import Broken, fold, state_of
from services.tickets.orders import ORDERS, Order
from services.tickets.record import number
from services.tickets.states import ENDED, STATUSES, TRANSITIONS, VOID

__all__ = [
    "ENDED", "ORDERS", "STATUSES", "TRANSITIONS", "VOID", "Allowed", "BadReport", "Broken", "Done", "Filed",
    "NotAllowed", "NotYours", "Order", "Report", "StaleVersion", "UnknownTicket", "allowed", "file_ticket", "fold",
    "foresee", "needs", "number", "perform", "read", "state_of",
]  # fmt: skip
