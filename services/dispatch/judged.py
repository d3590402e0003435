"""Who of the workers that were found could take a ticket, with the score, and who could not and why."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from geodata.queries.candidates import Near
from services.dispatch import crew
from services.dispatch.found import Asked
from services.dispatch.ground import relation
from services.dispatch.score import GENERAL, PLAIN, Facts, weigher
from services.dispatch.travel import By, least_s


class Able(NamedTuple):
    """A worker who could take it, with the score."""

    score: float
    near: Near
    facts: Facts
    # How the minutes were measured; None without a place, and not yet: roads give the least until then.
    by: By | None


class Unable(NamedTuple):
    """A worker who could not, and why."""

    why: str
    near: Near
    metres: float | None
    stands: str


def judged(asked: Asked, found: Sequence[Near]) -> tuple[list[Able], list[Unable]]:
    """Those who could take it, and those who could not. Of those no more is made than it takes to tell them apart."""
    profile, ticket, scale, refused, more, wish, _, local = asked
    here, fastest_kmh, capacity_of = ticket.area_no, ticket.fastest_kmh, profile.dispatch.capacity_of
    clock, score = crew.clock(local), weigher(scale)
    by: By | None = "straight" if fastest_kmh is None else None
    able: list[Able] = []
    unable: list[Unable] = []
    for one in {one.id: one for one in found}.values():
        left_s = crew.shift_left_s(one, clock)
        age_s = crew.age_s(one) if left_s else None
        # the place of somebody off shift is not told, not even as a distance
        metres = None if age_s is None else one.metres
        coming, capacity = more.get(one.code, 0), capacity_of(one.kind)
        stands, load = relation(one.area_no, here), one.held + coming
        why = _why_not(asked, one, left_s, age_s, load < capacity)
        if why:
            unable.append(Unable(why, one, metres, stands))
            continue
        knows = not wish.skills.isdisjoint(one.skills)
        minutes = None if metres is None else least_s(metres, profile, fastest_kmh) / 60
        facts = Facts(
            stands, "owner" if knows and one.kind == "professional" else None, minutes, age_s, left_s, load, capacity,
            1.0 if knows else GENERAL if wish.of_trade else PLAIN, one.today + coming, one.code in refused,
        )  # fmt: skip
        able.append(Able(score(facts), one, facts, None if metres is None else by))
    return able, unable


def _why_not(asked: Asked, one: Near, left_s: int, age_s: int | None, room: bool) -> str:
    if asked.ticket.worker == one.code:
        return "holds_it"
    rules = asked.profile.dispatch
    why = crew.unfit(rules, on_leave=one.away_until is not None, on_shift=left_s > 0, age_s=age_s, room=room)
    why = why or crew.foreign(asked.wish, one.kind, one.skills)
    if not why and one.code in asked.refused:
        lately = asked.now - asked.refused[one.code] < timedelta(hours=rules.refused_hours)
        return "refused" if lately else crew.OK
    return why
