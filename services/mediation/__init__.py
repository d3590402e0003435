"""Mediation (disputes): cases with sealed parties, their commands and history, queue, figures and ledger."""

from services.mediation.cases import fold, kinds, perform, receive
from services.mediation.errors import BadCase, KeyReused, NotPossible, StaleCase, UnknownCase
from services.mediation.opening import Sight, open_case, seen
from services.mediation.orders import ORDERS, Order, Receive

__all__ = [
    "ORDERS", "BadCase", "KeyReused", "NotPossible", "Order", "Receive", "Sight", "StaleCase", "UnknownCase", "fold",
    "kinds", "open_case", "perform", "receive", "seen",
]  # fmt: skip
