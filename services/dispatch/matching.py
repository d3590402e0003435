"""The best matching of tickets and workers from the few pairs that can matter, with a proof that no other does."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.dispatch.optimum import NOBODY, Metres, in_space, optimum

FIRST_LOOK = 12  # so many of the nearest are weighed at first
Members = NDArray[np.int64]
May = Callable[[Members], NDArray[np.bool_]]


class Near(NamedTuple):
    """Of each ticket the nearest workers, nearest first: who, how many metres away, and who may take it."""

    members: Members
    metres: Metres
    may: NDArray[np.bool_]


class Matched(NamedTuple):
    """Of each ticket the worker that takes it (or NOBODY) and metres away, in the best matching and one by one."""

    chosen: Members
    chosen_m: Metres
    by_hand: Members
    by_hand_m: Metres
    near: Near


def nobody(rows: int) -> Matched:
    """What there is without workers, or without tickets."""
    none, far = np.full(rows, NOBODY, dtype=np.int64), np.full(rows, np.inf)
    return Matched(
        none, far, none, far, Near(none[:, None], far[:, None], np.zeros((rows, 1), dtype=np.bool_))
    )


def matched(
    tickets: tuple[Metres, Metres],
    stands: tuple[Metres, Metres],
    held: Metres,
    free: Members,
    step: float,
    may: May,
) -> Matched:
    """As `optimum` of all pairs, for tickets and workers at (lon, lat), degrees in EPSG:4326; workers all have a place.

    `held` is what a worker's tickets in hand already weigh; `may(members)` tells of each ticket (a row) which of these
    workers may take it. Looks at twice as many of the nearest until the prices of the matching prove that nobody
    farther off can be of use: at those prices no ticket would pay for the way to the next one.
    """
    from scipy.spatial import cKDTree  # 0.2 s at import

    tree, spots = cKDTree(in_space(*stands)), in_space(*tickets)
    workers = len(free)
    look = min(FIRST_LOOK, workers)
    while True:
        near = _near(tree, spots, look, may)
        at, cost = _weighed(near, held)
        taken = optimum(cost, free[at], step)
        known = look == workers
        if known or (
            (taken != NOBODY).all() and (_prices(cost, taken, free[at], step) <= near.metres[:, -1]).all()
        ):
            break
        look = min(2 * look, workers)
    chosen = np.append(at, NOBODY)[taken]
    by_hand = _by_hand(tree, spots, near, free, may)
    there = in_space(*stands)
    return Matched(chosen, _apart(spots, there, chosen), by_hand, _apart(spots, there, by_hand), near)


def _apart(spots: Metres, there: Metres, chosen: Members) -> Metres:
    found: Metres = np.linalg.norm(spots - there[chosen], axis=1)
    return found


def _near(tree: object, spots: Metres, look: int, may: May) -> Near:
    metres, members = tree.query(spots, k=np.arange(1, look + 1))  # type: ignore[attr-defined]
    return Near(members, metres, may(members))


def _weighed(near: Near, held: Metres) -> tuple[Members, Metres]:
    """The workers that are near to any ticket, and what each pair costs; infinite for pairs that are not weighed."""
    at, place = np.unique(near.members, return_inverse=True)
    cost = np.full((len(near.members), len(at)), np.inf)
    pairs = np.where(near.may, near.metres + held[near.members], np.inf)
    np.put_along_axis(cost, place.reshape(near.members.shape), pairs, axis=1)
    return at, cost


def _prices(cost: Metres, taken: Members, free: Members, step: float) -> Metres:
    """What it would cost to place each ticket anew, at the least: with somebody who has a place left, or with somebody
    whose ticket then moves on, and so forth. These are dual prices of the matching: none is undercut by a known pair,
    so a pair that costs more than its ticket's price is in no better matching."""
    used = np.bincount(taken, minlength=cost.shape[1])
    left = np.where(used < free, step * used, np.inf)
    alone: Metres = (cost + left).min(axis=1)
    own = cost[np.arange(len(taken)), taken]
    moved = cost[:, taken] - own
    prices = alone
    for _ in range(len(taken)):
        better = np.minimum(alone, (moved + prices).min(axis=1))
        if np.array_equal(better, prices):
            break
        prices = better
    return prices


def _by_hand(tree: object, spots: Metres, near: Near, free: Members, may: May) -> Members:
    """Each ticket in turn to the nearest who may take it and still has a place."""
    left = free.copy()
    chosen = np.full(len(spots), NOBODY, dtype=np.int64)
    for row in range(len(spots)):
        for member in _in_turn(tree, spots, near, row, may):
            if left[member] > 0:
                chosen[row] = member
                left[member] -= 1
                break
    return chosen


def _in_turn(tree: object, spots: Metres, near: Near, row: int, may: May) -> Iterator[int]:
    """Who may take a ticket, nearest first: those known, then all others."""
    yield from near.members[row][near.may[row]].tolist()
    if near.members.shape[1] < tree.n:  # type: ignore[attr-defined]
        _, members = tree.query(spots[row], k=np.arange(1, tree.n + 1))  # type: ignore[attr-defined]
        every = np.broadcast_to(members, (len(spots), len(members)))
        yield from members[may(every)[row]].tolist()
