"""Feeds of boundaries: a coverage stays one when simplified, wider areas lie on grid lines, each is built once."""

import gzip
import json
import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import brotli
import numpy as np
import psycopg
import pytest
import redis
import shapely

from geodata.pool import make_pool
from geodata.scope import EVERYTHING, Db, Pool, Scope, enter
from geodata.servers import Stores
from services.areas import FeedCache, drawn, simplified
from tests.small_place import grid_no

TOWN = Scope(grid_no(1, 0, 0), grid_no(1, 999, 999))


@pytest.fixture(scope="module")
def feed_pool(module_clone: Stores) -> Iterator[Pool]:
    with make_pool(module_clone.database_url, size=3) as pool:
        yield pool


@pytest.fixture
def cache(feed_pool: Pool, module_clone: Stores) -> FeedCache:
    return FeedCache(feed_pool, redis.Redis.from_url(module_clone.redis_url), module_clone.key_prefix)


def collection(cache: FeedCache, scope: Scope, level: str, **more: Any) -> dict[str, Any]:
    return dict(json.loads(cache.get(scope, level, more.get("detail", "low"), "br").plain()))


def test_all_grids_of_a_scope_with_short_names_for_the_wire(cache: FeedCache) -> None:
    everything = collection(cache, EVERYTHING, "grid")
    assert len(everything["features"]) == 36
    first = everything["features"][0]
    assert first["id"] == grid_no(1, 1, 1)
    assert first["properties"] == {
        "c": "370883001001001", "n": "第1网格", "k": "urban", "p": grid_no(1, 1, 0), "hh": 220, "pop": 660,
        "x": 117.005, "y": 35.405,
    }  # fmt: skip
    assert first["geometry"]["type"] == "Polygon"
    assert {feature["id"] for feature in collection(cache, TOWN, "grid")["features"]} == {
        grid_no(1, community, grid) for community in (1, 2) for grid in range(1, 10)
    }


def test_both_codings_hold_the_same(cache: FeedCache) -> None:
    br = cache.get(EVERYTHING, "town", "low", "br")
    gz = cache.get(EVERYTHING, "town", "low", "gzip")
    assert brotli.decompress(br.body) == gzip.decompress(gz.body) == br.plain() == gz.plain()
    assert br.etag != gz.etag


def test_a_feed_is_built_once_a_revision(
    cache: FeedCache, feed_pool: Pool, module_clone: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = cache.get(EVERYTHING, "community", "low", "br")
    monkeypatch.setattr(FeedCache, "_build", lambda *_: pytest.fail("built twice"))
    other_process = FeedCache(
        feed_pool, redis.Redis.from_url(module_clone.redis_url), module_clone.key_prefix
    )
    assert other_process.get(EVERYTHING, "community", "low", "br") == one
    monkeypatch.undo()
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("SELECT nextval('area_revision')")
    later = cache.get(EVERYTHING, "community", "low", "br")
    assert later.revision == one.revision + 1 and later.etag != one.etag


def test_it_serves_without_redis(feed_pool: Pool) -> None:
    alone = FeedCache(feed_pool, redis.Redis(port=1), "x:")
    assert alone.get(EVERYTHING, "county", "low", "gzip").body


def wavy(count: int) -> list[shapely.Polygon]:
    """A coverage of columns with wavy shared borders, in degrees."""
    y = np.linspace(35.0, 35.1, 200)
    borders = [np.column_stack([117 + i * 0.02 + 0.0001 * np.sin(y * 9000 + i), y]) for i in range(count + 1)]
    return [shapely.Polygon(np.vstack([left, right[::-1]])) for left, right in pairwise(borders)]


def test_simplified_neighbours_keep_sharing_their_edges() -> None:
    shapes = np.array(wavy(6), dtype=object)
    low = simplified(shapes)
    assert shapely.get_num_coordinates(low).sum() < 0.6 * shapely.get_num_coordinates(shapes).sum()
    assert shapely.coverage_is_valid(low) and shapely.is_valid(low).all()
    assert shapely.hausdorff_distance(low, shapes).max() * 111_320 < 60


def test_wider_areas_are_drawn_on_the_lines_of_their_grids(conn: Db) -> None:
    conn.execute(
        """
        UPDATE area_boundary SET geom = ST_Multi(ST_Segmentize(geom, 0.0003)) WHERE area_no IN (
            SELECT no FROM area WHERE level = 'grid')
        """
    )
    enter(conn, EVERYTHING)
    rows, towns = drawn(conn, "town", "low")
    _, grids = drawn(conn, "grid", "low")
    assert [row.no for row in rows] == [grid_no(1, 0, 0), grid_no(2, 0, 0)]
    lines = shapely.union_all(shapely.boundary(grids))
    assert all(shapely.covers(lines.buffer(1e-9), town.boundary) for town in towns)


def test_a_place_without_grids_is_drawn_from_its_own_outline(conn: Db) -> None:
    conn.execute("DELETE FROM area_boundary WHERE area_no IN (SELECT no FROM area WHERE level = 'grid')")
    enter(conn, EVERYTHING)
    rows, shapes = drawn(conn, "town", "low")
    assert len(rows) == 2 and shapely.area(shapes).min() > 0


def test_the_first_feed_of_every_screen_is_answered_quickly_then_squeezed(
    feed_pool: Pool, module_clone: Stores
) -> None:
    client = redis.Redis.from_url(module_clone.redis_url)
    cache = FeedCache(feed_pool, client, f"{module_clone.key_prefix}squeezed:")
    quick = cache.get(EVERYTHING, "grid", "low", "br")
    for thread in threading.enumerate():
        if thread.name == "squeeze":
            thread.join(10)
    small = cache.get(EVERYTHING, "grid", "low", "br")
    assert len(small.body) < len(quick.body) and (small.plain(), small.etag) == (quick.plain(), quick.etag)
    assert (
        FeedCache(feed_pool, client, f"{module_clone.key_prefix}squeezed:").get(
            EVERYTHING, "grid", "low", "br"
        )
        == small
    ), "another process finds the small one in Redis"
