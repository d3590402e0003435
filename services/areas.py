"""Boundaries for maps: GeoJSON feeds by level and detail, built once a revision and kept compressed in Redis."""

import gzip
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import brotli
import numpy as np
import numpy.typing as npt
import orjson
import psycopg
import redis
import shapely
from psycopg_pool import PoolTimeout

from geodata.queries import areas as queries
from geodata.queries.areas import Outline
from geodata.scope import EVERYTHING, Db, Pool, Scope, scoped
from services.winding import Polygon, Ring, turned

Detail = Literal["low", "full"]
Coding = Literal["br", "gzip"]
Geometries = npt.NDArray[np.object_]

LOW_TOLERANCE_M = 20.0
METRES_A_DEGREE = 111_320.0
DIGITS: dict[Detail, int] = {"low": 5, "full": 6}  # 1.1 m and 0.11 m
QUALITY, FIRST_QUALITY, BEST_QUALITY = 9, 10, 11  # of brotli: for 3,313 grids 0.2, 2 and 5 s
KEPT_SECONDS = 7 * 24 * 3600
COVERED = 0.005  # an outline is drawn from its grids if their areas agree this well

GRID_RANGE = {"community": 1_000, "town": 1_000_000, "county": 1_000_000_000, "city": 1_000_000_000_000}


@dataclass(frozen=True, slots=True)
class Feed:
    """A body as it goes over the wire, with a name of what it says (a weak tag: however well it was compressed)."""

    body: bytes
    coding: Coding
    etag: str
    revision: int

    def plain(self) -> bytes:
        """The body without its coding."""
        return _plain(self.body, self.coding)


def _plain(body: bytes, coding: Coding) -> bytes:
    return bytes(brotli.decompress(body)) if coding == "br" else gzip.decompress(body)


@dataclass(frozen=True, slots=True)
class _Wanted:
    scope: Scope
    level: str
    detail: Detail
    coding: Coding
    revision: int

    @property
    def name(self) -> str:
        return f"{self.revision}-{self.level}-{self.detail}-{self.scope.key}-{self.coding}"

    @property
    def first(self) -> bool:
        """Whether this is the first feed of every screen, worth seconds of work for a quarter fewer bytes."""
        return self.level == "grid" and self.detail == "low" and self.coding == "br"

    def feed(self, body: bytes) -> Feed:
        said = zlib.crc32(_plain(body, self.coding))
        return Feed(body, self.coding, f'W/"{self.name}-{said:08x}"', self.revision)


class FeedCache:
    """Feeds in this process's memory first, then in Redis, else built; one builder a feed at a time."""

    def __init__(self, pool: Pool, client: "redis.Redis", key_prefix: str, kept: int = 64) -> None:
        self._pool, self._redis, self._prefix, self._kept = pool, client, key_prefix, kept
        self._feeds: OrderedDict[str, Feed] = OrderedDict()
        self._building: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, scope: Scope, level: str, detail: Detail, coding: Coding) -> Feed:
        """The feed of the areas of a level inside a scope, at the newest revision."""
        with scoped(self._pool, scope) as conn:
            revision = queries.revision(conn)
        wanted = _Wanted(scope, level, detail, coding, revision)
        feed = self._remembered(wanted.name)
        if feed is None:
            with self._lock:
                building = self._building.setdefault(wanted.name, threading.Lock())
            with building:
                feed = self._remembered(wanted.name) or self._from_redis(wanted)
                if feed is None:
                    feed = self._build(wanted)
                    self._remember(wanted.name, feed)
                    if wanted.first:
                        plain = feed.plain()
                        threading.Thread(
                            target=self._squeeze, args=(wanted, plain), name="squeeze", daemon=True
                        ).start()
                else:
                    self._remember(wanted.name, feed)
            with self._lock:
                self._building.pop(wanted.name, None)
        return feed

    def warm(self) -> None:
        """Build what a first screen of the whole place asks for, so that nobody waits for it; a database that is
        away is left to the first screen that asks."""
        with suppress(psycopg.Error, PoolTimeout):
            for level in ("grid", "town", "community", "county", "city"):
                self.get(EVERYTHING, level, "low", "br")
                self.get(EVERYTHING, level, "low", "gzip")

    def _remembered(self, name: str) -> Feed | None:
        with self._lock:
            feed = self._feeds.get(name)
            if feed is not None:
                self._feeds.move_to_end(name)
            return feed

    def _remember(self, name: str, feed: Feed) -> None:
        with self._lock:
            self._feeds[name] = feed
            while len(self._feeds) > self._kept:
                self._feeds.popitem(last=False)

    def _key(self, name: str) -> str:
        return f"{self._prefix}areas:{name}"

    def _from_redis(self, wanted: _Wanted) -> Feed | None:
        try:
            body = self._redis.get(self._key(wanted.name))
        except redis.RedisError:
            return None  # the cache is away; the database is not
        return wanted.feed(body) if isinstance(body, bytes) else None

    def _build(self, wanted: _Wanted) -> Feed:
        with scoped(self._pool, wanted.scope) as conn:
            rows, shapes = drawn(conn, wanted.level, wanted.detail)
        plain = geojson(rows, shapes, DIGITS[wanted.detail], wanted.revision, wind=wanted.detail == "low")
        if wanted.coding == "gzip":
            body = gzip.compress(plain, 7)
        else:
            body = brotli.compress(plain, quality=FIRST_QUALITY if wanted.first else QUALITY, lgwin=22)
        if not wanted.first:
            self._keep(wanted, body)
        return wanted.feed(body)

    def _squeeze(self, wanted: _Wanted, plain: bytes) -> None:
        """Put the smallest body in the place of the one that was answered meanwhile."""
        body = brotli.compress(plain, quality=BEST_QUALITY, lgwin=22)
        self._keep(wanted, body)
        self._remember(wanted.name, wanted.feed(body))

    def _keep(self, wanted: _Wanted, body: bytes) -> None:
        with suppress(redis.RedisError):
            self._redis.set(self._key(wanted.name), body, ex=KEPT_SECONDS)


def drawn(conn: Db, level: str, detail: Detail) -> tuple[list[Outline], Geometries]:
    """The areas of a level with the geometry to draw.

    Low detail simplifies all grids as one coverage (about 20 m), so that neighbours keep sharing their edges, and
    draws wider areas as unions of those grids: their lines then lie exactly on grid lines.
    """
    rows = queries.outlines(conn, level)
    shapes = shapely.from_wkb(np.array([row.wkb for row in rows], dtype=object))
    if detail == "full" or not rows:
        return rows, shapes
    if level == "grid":
        return rows, simplified(shapes)
    grids = queries.outlines(conn, "grid")
    low = simplified(shapely.from_wkb(np.array([grid.wkb for grid in grids], dtype=object)))
    own = simplified(shapes)
    numbers = np.array([grid.no for grid in grids], dtype=np.int64)
    for index, row in enumerate(rows):
        first, last = np.searchsorted(numbers, (row.no, row.no + GRID_RANGE[level]))
        if last > first:
            joined = shapely.coverage_union_all(low[first:last])
            if abs(joined.area - shapes[index].area) <= COVERED * shapes[index].area:
                own[index] = joined
    return rows, own


def simplified(shapes: Geometries, tolerance_m: float = LOW_TOLERANCE_M) -> Geometries:
    """Polygons in degrees, simplified together as a coverage; the tolerance holds in metres in both directions."""
    if not len(shapes):
        return shapes
    middle = np.nanmean(shapely.bounds(shapes)[:, [1, 3]])
    scale = np.array([METRES_A_DEGREE * np.cos(np.radians(middle)), METRES_A_DEGREE])
    metric = shapely.transform(shapes, lambda at: at * scale)
    return np.asarray(
        shapely.transform(shapely.coverage_simplify(metric, tolerance_m), lambda at: at / scale)
    )


def geojson(
    rows: Sequence[Outline], shapes: Geometries, digits: int, revision: int, *, wind: bool = False
) -> bytes:
    """A FeatureCollection in degrees; feature.id is the area's number, property names are short for the wire:
    c code, n name, k kind, p parent's number, hh households, pop population, x and y label point.

    With `wind` rings go either way round, whichever makes the body smaller; else as they are stored.
    """
    polygons = [_polygons(shape, digits) for shape in shapes]
    if wind:
        left = iter(turned([polygon for parts in polygons for polygon in parts]))
        polygons = [[next(left) for _ in parts] for parts in polygons]
    features = [
        {"type": "Feature", "id": row.no, "properties": _properties(row), "geometry": _geometry(parts)}
        for row, parts in zip(rows, polygons, strict=True)
    ]
    return orjson.dumps({"type": "FeatureCollection", "revision": revision, "features": features})


def _properties(row: Outline) -> dict[str, Any]:
    found = {
        "c": row.code,
        "n": row.name,
        "k": row.kind,
        "p": row.parent_no,
        "hh": row.households,
        "pop": row.population,
        "x": round(row.x, 5),
        "y": round(row.y, 5),
    }
    return {key: value for key, value in found.items() if value is not None}


def _polygons(shape: shapely.Geometry, digits: int) -> list[Polygon]:
    return [
        [_ring(polygon.exterior, digits), *(_ring(hole, digits) for hole in polygon.interiors)]
        for polygon in _parts(shape)
    ]


def _geometry(polygons: list[Polygon]) -> dict[str, Any]:
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _parts(shape: shapely.Geometry) -> Iterable[shapely.Polygon]:
    return [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon)]


def _ring(ring: shapely.LinearRing, digits: int) -> Ring:
    points: Ring = np.round(shapely.get_coordinates(ring), digits).tolist()
    kept = [points[0]]
    kept += [here for before, here in pairwise(points) if here != before]
    return kept if len(kept) >= 4 else points
