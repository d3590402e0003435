"""Alarms: raised by what happens to tickets, acknowledged by name or by dealing with the matter, else escalated."""

from services.alarms.hearing import hear
from services.alarms.raising import raise_alarm

__all__ = ["hear", "raise_alarm"]
