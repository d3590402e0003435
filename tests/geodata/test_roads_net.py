"""Noding: lines are cut at the vertices they share, and nothing of them is lost."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.importing.roads_net import EARTH, Net, noded
from tests.data.roads import Line, degrees

# A main street of 1,200 m with a side street in its middle, joined by a vertex of both.
STREET: Line = [(-600, 0), (0, 0), (600, 0)]
SIDE: Line = [(0, 0), (0, 400)]


def net_of(*lines: Line) -> Net:
    """The lines noded."""
    shapes = np.array([shapely.LineString([degrees(*at) for at in line]) for line in lines], dtype=object)
    return noded(shapes, shapes)


def test_lines_are_cut_where_they_share_a_vertex() -> None:
    net = net_of(STREET, SIDE)
    assert net.line.tolist() == [0, 0, 1]
    assert net.nodes == 4
    assert net.metres == pytest.approx([600, 600, 400], rel=0.003)
    assert net.target[0] == net.source[1] == net.source[2]
    assert set(net.part.tolist()) == {1}


def test_lines_that_cross_without_a_common_vertex_are_a_bridge() -> None:
    net = net_of(STREET, [(100, -300), (100, 300)])
    assert (len(net), net.nodes) == (2, 4)
    assert net.part.tolist() == [1, 2]


def test_a_vertex_told_twice_a_point_and_a_ring() -> None:
    net = net_of([(0, 0), (0, 0), (100, 0)], [(50, 50), (50, 50)], [(100, 0), (200, 0), (150, 90), (100, 0)])
    assert net.line.tolist() == [0, 2]
    assert net.source[1] == net.target[1] == net.target[0]
    assert len(shapely.get_coordinates(net.shapes[0])) == 2
    assert len(net_of()) == len(net_of([(1, 1), (1, 1)])) == 0


def test_a_line_that_meets_itself_is_cut_there() -> None:
    net = net_of([(0, 0), (100, 0), (100, 100), (50, 100), (100, 0), (200, 0)])
    assert (len(net), net.nodes) == (3, 3)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=7), max_size=8)
)
def test_of_any_lines_nothing_is_lost_and_all_shared_places_are_nodes(
    lines: list[list[tuple[int, int]]],
) -> None:
    drawn = [[(100.0 * x, 100.0 * y) for x, y in line] for line in lines]
    net = net_of(*drawn)
    whole = [EARTH.line_length(*zip(*(degrees(*at) for at in line), strict=True)) for line in drawn]
    lengths = (
        np.bincount(net.line, weights=net.metres, minlength=len(lines)) if len(net) else np.zeros(len(lines))
    )
    assert lengths == pytest.approx(whole, abs=0.01)
    where: dict[tuple[float, ...], set[int]] = {}
    for at, shape in enumerate(net.shapes):
        inside = shapely.get_coordinates(shape)
        for node, place in ((net.source[at], inside[0]), (net.target[at], inside[-1])):
            where.setdefault(tuple(place), set()).add(int(node))
    assert all(len(nodes) == 1 for nodes in where.values())
    for shape in net.shapes:
        assert not {tuple(place) for place in shapely.get_coordinates(shape)[1:-1]} & set(where)
