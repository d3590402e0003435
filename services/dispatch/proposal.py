"""A proposal for the whole queue: every ticket that waits against every worker on shift, nothing decided."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.queries.plans import Waiting
from profiles import Profile
from services.dispatch.crew import CrewMember, fit, foreign_or_ok, wish
from services.dispatch.matching import Matched, matched, nobody
from services.dispatch.optimum import NOBODY
from services.dispatch.travel import travel_s

Members = NDArray[np.int64]
WHY, UNPLACED = "dispatch.plan.why.", "dispatch.plan.unplaced."


class Reason(NamedTuple):
    """Why, as a key of the catalogues, and what stands in its blanks."""

    key: str
    args: dict[str, Any]


class Line(NamedTuple):
    """A ticket and who is proposed for it, metres (straight line) and seconds away; or why nobody is."""

    ticket: Waiting
    member: CrewMember | None
    distance_m: float | None
    travel_s: float | None
    why: Reason


class Figures(NamedTuple):
    """What a way of handing the tickets out comes to; `spread` is the standard deviation of the workers' load."""

    placed: int
    mean_distance_m: float | None
    mean_minutes: float | None
    max_load: int
    spread: float


class Proposal(NamedTuple):
    """Lines in the order of the tickets; `before`: each ticket in turn to the nearest who may take it."""

    lines: list[Line]
    before: Figures
    after: Figures
    on_shift: int
    free: int  # of them, those who can take one more


def proposal(
    profile: Profile,
    tickets: Sequence[Waiting],
    crew: Sequence[CrewMember],
    refusals: Mapping[int, Collection[str]],
    elsewhere: Mapping[int, Reason] | None = None,
) -> Proposal:
    """Who takes which ticket so that all together walk least, within what each can hold; the most urgent come first.

    A member's ticket in hand, or taken today, weighs as `plan_fairness_m` metres. Tickets of `elsewhere` are left to
    whoever has them, for that reason. Pure: reads no database.
    """
    placed = [at for at, ticket in enumerate(tickets) if _why_not(ticket, elsewhere or {}) is None]
    able = [tickets[at] for at in placed]
    step = profile.dispatch.plan_fairness_m
    may = _may(profile, able, crew, refusals)
    able_crew = [at for at, one in enumerate(crew) if fit(profile, one)[0]]
    theirs = may if len(able_crew) == len(crew) else may[:, able_crew]
    found = _matched(able, [crew[at] for at in able_crew], theirs, step)
    lines: list[Line] = []
    rows = iter(range(len(placed)))
    for ticket in tickets:
        why = _why_not(ticket, elsewhere or {})
        if why is not None:
            lines.append(Line(ticket, None, None, None, why))
            continue
        row = next(rows)
        if found.chosen[row] == NOBODY:
            lines.append(Line(ticket, None, None, None, _why_nobody(crew, may[row])))
            continue
        member, far_m = crew[able_crew[found.chosen[row]]], float(found.chosen_m[row])
        nearer = int((found.near.may[row] & (found.near.metres[row] < far_m - 1e-6)).sum())
        lines.append(
            Line(ticket, member, far_m, float(travel_s(far_m, profile)), _why(ticket, member, nearer))
        )
    loads = np.array([one.load for one in crew], dtype=np.int64)
    at = np.array([*able_crew, NOBODY], dtype=np.int64)
    return Proposal(
        lines,
        _figures(profile, at[found.by_hand], found.by_hand_m, loads),
        _figures(profile, at[found.chosen], found.chosen_m, loads),
        len(crew),
        len(able_crew),
    )


def _matched(
    tickets: Sequence[Waiting], crew: Sequence[CrewMember], may: NDArray[np.bool_], step: float
) -> Matched:
    """Tickets with a place to members who have room in hand."""
    if not tickets or not crew:
        return nobody(len(tickets))
    where = np.array([(one.lon, one.lat) for one in tickets], dtype=np.float64)
    stand = np.array([(one.lon, one.lat) for one in crew], dtype=np.float64)
    hands = np.array([(one.load, one.assigned_today, one.capacity) for one in crew], dtype=np.int64)
    return matched(
        (where[:, 0], where[:, 1]),
        (stand[:, 0], stand[:, 1]),
        step * hands[:, :2].max(axis=1).astype(np.float64),
        hands[:, 2] - hands[:, 0],
        step,
        lambda members: np.take_along_axis(may, members, axis=1),
    )


def _may(
    profile: Profile,
    tickets: Sequence[Waiting],
    crew: Sequence[CrewMember],
    refusals: Mapping[int, Collection[str]],
) -> NDArray[np.bool_]:
    """Who may take what, as a matrix: each kind of matter is judged once for each kind of worker."""
    kinds = {kind: at for at, kind in enumerate(dict.fromkeys((one.kind, one.skills) for one in crew))}
    kind_of = np.array([kinds[one.kind, one.skills] for one in crew], dtype=np.int64)
    wishes = {code: wish(profile, code) for code in {ticket.category for ticket in tickets}}
    matters = {
        code: np.array([foreign_or_ok(wanted, *kind)[0] for kind in kinds], dtype=np.bool_)
        for code, wanted in wishes.items()
    }
    may = np.zeros((len(tickets), len(crew)), dtype=np.bool_)
    place = {one.code: at for at, one in enumerate(crew)} if refusals else {}
    for row, ticket in enumerate(tickets):
        may[row] = matters[ticket.category][kind_of] if crew else False
        for code in refusals.get(ticket.id, ()):
            if code in place:
                may[row, place[code]] = False
    return may


def _why_not(ticket: Waiting, elsewhere: Mapping[int, Reason]) -> Reason | None:
    """Why a ticket is not planned at all."""
    if ticket.lon is None or ticket.lat is None:
        return Reason(f"{UNPLACED}no_place", {})
    return elsewhere.get(ticket.id)


def _why_nobody(crew: Sequence[CrewMember], may: NDArray[np.bool_]) -> Reason:
    if not crew:
        return Reason(f"{UNPLACED}nobody_on_shift", {})
    able = int(may.sum())
    return (
        Reason(f"{UNPLACED}nobody_free", {"count": able}) if able else Reason(f"{UNPLACED}nobody_suits", {})
    )


def _why(ticket: Waiting, member: CrewMember, nearer: int) -> Reason:
    if nearer == 0:
        own = member.area_no == ticket.area_no
        return Reason(f"{WHY}own_grid" if own else f"{WHY}nearest", {})
    if member.area_no == ticket.area_no:
        return Reason(f"{WHY}own_grid", {})
    return Reason(f"{WHY}spared", {"nearer": nearer})


def _figures(profile: Profile, chosen: Members, metres: NDArray[np.float64], loads: Members) -> Figures:
    placed = chosen != NOBODY
    after = loads + np.bincount(chosen[placed], minlength=len(loads)) if len(loads) else loads
    mean_m = float(metres[placed].mean()) if placed.any() else None
    return Figures(
        placed=int(placed.sum()),
        mean_distance_m=None if mean_m is None else round(mean_m, 1),
        mean_minutes=None if mean_m is None else round(float(travel_s(mean_m, profile)) / 60, 1),
        max_load=int(after.max(initial=0)),
        spread=round(float(after.std()), 3) if len(after) else 0.0,
    )
