"""How far up a late ticket has gone: by the time since its deadline, and one more after too many redos or transfers."""

from datetime import datetime

from geodata.clock.worktime import Worktime
from profiles.clock import Level
from services.clock.due import Reckoning, due_of


def level_of(reckoning: Reckoning, worktime: Worktime) -> Level | None:
    """The level reached at the reckoning's moment; None while it is in time, and not redone or passed on too often."""
    rules = worktime.clock.escalation
    if not rules.levels:
        return None
    line = reckoning.timeline
    until = reckoning.now if line.end is None else min(reckoning.now, line.end)
    reached = sum(until > moment for moment in levels_at(reckoning.due, worktime))
    often = line.count("redone") > rules.most_redos or line.count("transferred") > rules.most_transfers
    reached = min(reached + often, len(rules.levels))
    return rules.levels[reached - 1] if reached else None


def levels_at(due: datetime, worktime: Worktime) -> list[datetime]:
    """The moments at which a ticket that stays late reaches each level."""
    return [
        due_of(level.after, due, worktime) if level.after else due
        for level in worktime.clock.escalation.levels
    ]
