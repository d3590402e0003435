"""The desks behind the tickets: call-backs, supervision, consultations, and their ledgers."""

from services.desks.errors import BadDesk, StaleDesk, UnknownDesk

__all__ = ["BadDesk", "StaleDesk", "UnknownDesk"]
