"""What tells for and against a candidate, in keys of words (dispatch.reason.…) with their figures."""

from datetime import datetime
from typing import Any, NamedTuple

from profiles import Profile
from services.dispatch.crew import CrewMember
from services.dispatch.score import Facts, ground_of

MOST = 4


class Reason(NamedTuple):
    """A sentence of the catalogue and what fills its blanks."""

    key: str
    args: dict[str, Any]


def for_row(profile: Profile, category: str, facts: Facts, *, area: str) -> list[Reason]:
    """What stands beside a candidate: whose ground, then what helps most, then what to know; four at the most."""
    rules = profile.dispatch
    _, gives = ground_of(rules.ground(category), facts)
    told = [Reason(f"ground_{gives}", {"area": area})]
    if facts.skill == 1 and facts.load is not None and gives != "owner":
        told.append(Reason("trade", {}))
    if facts.refused:
        told.append(Reason("refused_before", {}))
    if facts.minutes is not None and facts.minutes >= rules.far_minutes:
        told.append(Reason("far", {"minutes": round(facts.minutes)}))
    if facts.age_s is not None and facts.age_s > rules.fresh_position_s:
        told.append(Reason("position_aging", {"minutes": max(1, facts.age_s // 60)}))
    if facts.shift_left_s is not None and facts.shift_left_s < rules.shift_left_minutes * 60:
        told.append(Reason("shift_ends", {"minutes": facts.shift_left_s // 60}))
    if facts.today is not None and facts.today >= rules.most_a_day:
        told.append(Reason("much_today", {"n": facts.today}))
    if facts.load == 0:
        told.append(Reason("idle", {}))
    elif facts.load is not None and facts.load >= facts.capacity - 1:
        told.append(Reason("nearly_full", {"load": facts.load, "capacity": facts.capacity}))
    return told[:MOST]


def for_left_out(why: str, one: CrewMember, now: datetime, refused_at: datetime | None = None) -> Reason:
    """Why a worker is not proposed."""
    args: dict[str, Any] = {}
    if why == "off_shift":
        args = {"shift_from": one.shift_from}
    elif why == "on_leave":
        args = {"until": None if one.away_until is None else round(one.away_until.timestamp() * 1000)}
    elif why == "position_old":
        args = {"minutes": (one.position_age_s or 0) // 60}
    elif why == "at_limit":
        args = {"load": one.load, "capacity": one.capacity}
    elif why == "refused":
        args = {"minutes": 0 if refused_at is None else round((now - refused_at).total_seconds() / 60)}
    return Reason(why, args)
