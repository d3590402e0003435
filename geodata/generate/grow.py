"""Regions that grow over a graph from seeds until each has about the size it should have; every region is connected."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from geodata.generate.ground import Floats, Ground, Ints


def grow(
    ground: Ground, parent: Ints, seeds: Ints, targets: Floats, *, rounds: int = 12, move: bool = True
) -> tuple[Ints, Ints]:
    """Label each point with the index of its seed, never across the border of a parent.

    `targets` are wished-for points a seed. With `move`, seeds wander to the middle of their region for the first
    half of the rounds; head starts then even out the sizes. Returns labels (n,) and the final seeds.
    """
    pairs, cost = ground.edges, ground.cost
    within = parent[pairs[:, 0]] == parent[pairs[:, 1]]
    pairs, cost = pairs[within], cost[within]
    count, seeds = len(ground.xy), seeds.copy()
    head_start = np.zeros(len(seeds))
    labels = np.zeros(count, dtype=np.int64)
    for turn in range(rounds):
        labels = _reach(pairs, cost, count, seeds, head_start)
        size = np.bincount(labels, minlength=len(seeds))
        if turn == rounds - 1:
            break
        if move and turn < rounds // 2:
            seeds = _middles(ground.xy, labels, seeds)
        head_start += 0.45 * (np.sqrt(targets / np.pi) - np.sqrt(size / np.pi))
        head_start = np.where(size == 0, head_start + 0.5 * np.sqrt(targets), head_start)
    return _none_empty(pairs, cost, count, seeds, head_start, labels), seeds


def _reach(pairs: Ints, cost: Floats, count: int, seeds: Ints, head_start: Floats) -> Ints:
    """The seed whose front gets to each point first; a front starts earlier by its head start."""
    wait = head_start.max() - head_start + 1e-3
    source = np.concatenate([pairs[:, 0], pairs[:, 1], np.full(len(seeds), count)])
    target = np.concatenate([pairs[:, 1], pairs[:, 0], seeds])
    graph = csr_matrix((np.concatenate([cost, cost, wait]), (source, target)), shape=(count + 1, count + 1))
    _, before = dijkstra(graph, indices=count, return_predecessors=True)
    labels = np.full(count + 1, -1, dtype=np.int64)
    labels[seeds] = np.where(before[seeds] == count, np.arange(len(seeds)), -1)
    pointer = np.where(labels >= 0, np.arange(count + 1), before)
    pointer[count] = count
    if (pointer[:count] < 0).any():
        raise ValueError(f"{int((pointer[:count] < 0).sum())} points cannot be reached from any seed")
    while True:
        further = pointer[pointer]
        if (further == pointer).all():
            break
        pointer = further
    return labels[pointer[:count]]


def _none_empty(pairs: Ints, cost: Floats, count: int, seeds: Ints, head_start: Floats, labels: Ints) -> Ints:
    """Weaken head starts until no seed is swallowed by a neighbour."""
    for _ in range(12):
        if len(np.unique(labels)) == len(seeds):
            return labels
        head_start = head_start * 0.6
        labels = _reach(pairs, cost, count, seeds, head_start)
    return _reach(pairs, cost, count, seeds, np.zeros(len(seeds)))


def _middles(xy: Floats, labels: Ints, seeds: Ints) -> Ints:
    """The point of each region that is nearest to its middle; an empty region keeps its seed."""
    size = np.maximum(np.bincount(labels, minlength=len(seeds)), 1)
    middle = np.column_stack([np.bincount(labels, xy[:, i], len(seeds)) / size for i in (0, 1)])
    distance = np.hypot(*(xy - middle[labels]).T)
    order = np.lexsort((distance, labels))
    region, first = np.unique(labels[order], return_index=True)
    moved = seeds.copy()
    moved[region] = order[first]
    # an empty region kept its seed, which may be the middle of the one that swallowed it
    return moved if len(np.unique(moved)) == len(moved) else seeds


def spread(xy: Floats, members: Ints, targets: Sequence[float]) -> Ints:
    """A first seed for each target: the members are halved along their longer axis in proportion, again and again.

    Neighbours in the list become neighbours on the ground.
    """
    if len(targets) == 1:
        middle = xy[members].mean(axis=0)
        return members[[np.hypot(*(xy[members] - middle).T).argmin()]]
    half = len(targets) // 2
    first, second = targets[:half], targets[half:]
    part = xy[members] - xy[members].mean(axis=0)
    axis = np.linalg.eigh(part.T @ part)[1][:, -1]
    axis = axis if axis[np.abs(axis).argmax()] > 0 else -axis
    order = members[np.argsort(part @ axis, kind="stable")]
    cut = round(len(order) * sum(first) / sum(targets))
    cut = min(max(cut, len(first)), len(order) - len(second))
    return np.concatenate([spread(xy, order[:cut], first), spread(xy, order[cut:], second)])


def is_connected(ground: Ground, labels: Ints) -> bool:
    """Whether each label's points hang together."""
    pairs = ground.edges[labels[ground.edges[:, 0]] == labels[ground.edges[:, 1]]]
    graph = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(labels),) * 2)
    return bool(connected_components(graph, directed=False)[0] == len(np.unique(labels)))
