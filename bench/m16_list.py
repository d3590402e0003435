"""Row 16: a filtered page of the list of tickets, and a Chinese search, at 1.14 million tickets, over HTTP."""

import time
from collections.abc import Sequence
from datetime import date, timedelta
from urllib.parse import quote

import psycopg
from psycopg import sql

from bench.context import Context
from bench.load import hammer, request
from bench.result import Result, Wrong, percentile

PAGE_MS, SEARCH_MS = 100.0, 200.0
Peer = tuple[str, tuple[object, ...]]  # the same as one would write it: a condition and its values


def measure(context: Context) -> list[Result]:
    """p95 over pages that filter and sort in all ways, and over searches for words frequent and rare, of a whole
    place and of a town; held against count(*), LIKE and OFFSET without any policy."""
    with psycopg.connect(context.stores.database_url) as conn:
        town, code, category, worker = _found(conn)
        words = _words(conn)
        pages = _pages(code, category, worker)
        peers = {
            "page": _peer(conn, context, [
                ("closed_at IS NULL", ()), ("category_id = (SELECT id FROM category WHERE code = %s)", (category,)),
                ("area_no BETWEEN %s AND %s", town), ("worker_id = (SELECT id FROM worker WHERE code = %s)", (worker,)),
            ]),
            "search": _peer(conn, context, [
                ("title LIKE %s OR description LIKE %s OR address LIKE %s", (f"%{word}%",) * 3) for word in words[:4]
            ]),
        }  # fmt: skip
    searches = [
        f"/api/tickets?q={quote(word)}&status={status}&sort=-reported{where}"
        for word in words for status in ("all", "open") for where in ("", f"&area={code}")
    ]  # fmt: skip
    return [
        _row(context, "a filtered page", pages, PAGE_MS, peers["page"]),
        _row(context, "a search in Chinese", searches, SEARCH_MS, peers["search"]),
    ]


def _row(context: Context, name: str, paths: Sequence[str], bar_ms: float, peer_ms: list[float]) -> Result:
    repeats = context.times(12, 2)
    port = context.server.port  # its start signs in
    requests = [request("GET", path) for path in paths]
    hammer(port, requests, connections=1, seconds=600, most=len(paths))  # plans and pages get warm
    load = hammer(port, requests, connections=1, seconds=900, most=repeats * len(paths))
    if set(load.statuses) != {200}:
        raise Wrong(f"{name}: answers were {dict(load.statuses)}")
    worst = {
        path: percentile(load.latencies_s[at :: len(paths)], 0.95) * 1000 for at, path in enumerate(paths)
    }
    slowest = max(worst, key=lambda path: worst[path])
    ours = load.ms(0.95)
    return Result(
        f"16 {name}, p95", ours, percentile(peer_ms, 0.95), "ms", f"≤ {bar_ms:.0f} ms", ours <= bar_ms,
        "count(*), LIKE and OFFSET without a policy", n=len(load.latencies_s),
        note=f"{len(paths)} different ones; p50 {load.ms():.0f} ms; the slowest by itself {worst[slowest]:.0f} ms: "
        f"{slowest}",
    )  # fmt: skip


def _found(conn: psycopg.Connection) -> tuple[tuple[int, int], str, str, str]:
    """The range and code of the town with the most tickets, the most frequent subclass, and the busiest worker."""
    town = conn.execute(
        "SELECT a.no, a.hi, a.code FROM area a JOIN ticket t ON t.area_no BETWEEN a.no AND a.hi"
        " WHERE a.level = 'town' AND a.valid_to IS NULL GROUP BY 1, 2, 3 ORDER BY count(*) DESC LIMIT 1"
    ).fetchone()
    category = conn.execute(
        "SELECT k.code FROM ticket t JOIN category k ON k.id = t.category_id GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    ).fetchone()
    worker = conn.execute(
        "SELECT w.code FROM ticket t JOIN worker w ON w.id = t.worker_id GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    ).fetchone()
    assert town is not None
    assert category is not None
    assert worker is not None
    return (town[0], town[1]), str(town[2]), str(category[0]), str(worker[0])


def _words(conn: psycopg.Connection) -> list[str]:
    """Words of one character and more: out of titles and addresses that stand far apart, and one that nobody wrote."""
    rows = conn.execute(
        "SELECT title, address FROM ticket WHERE id %% 100003 = 7 ORDER BY id LIMIT 8", ()
    ).fetchall()
    texts = [text for row in rows for text in row if text]
    found = [text[len(text) - size :] for text, size in zip(texts, (2, 4, 2, 3, 4, 6, 2, 3), strict=False)]
    return [*found, texts[0][:2], texts[0][:1], texts[1][-1:], texts[0], "\u9f98\u9f98"]


def _pages(code: str, category: str, worker: str) -> list[str]:
    """Filters and orders as people use them, and some that nobody should."""
    month, week = date.today() - timedelta(days=60), date.today() - timedelta(days=53)
    filters = [
        "", "flag=overdue", "flag=due_soon", "status=unsigned", "status=todo,check", "status=all", "status=done",
        "status=void", f"category={category}", f"category={category}&status=all", f"category={category[:2]}&status=all",
        f"worker={worker}&status=all", "channel=12345&status=all", "located=none&status=all",
        "located=none,shared_point&status=all&channel=12345", "flag=supervised&status=all", "flag=escalated",
        "flag=picture&status=all", f"since={month}&until={week}&status=all",
        f"closed_since={month}&closed_until={week}&status=all",
        f"area={code}", f"area={code}&status=all", f"area={code}&status=all&category={category[:2]}",
    ]  # fmt: skip
    sorts = ("due", "-reported", "area", "-status", "severity")
    return [
        f"/api/tickets?{one}&sort={sorts[at % 2]}".replace("?&", "?") for at, one in enumerate(filters)
    ] + [f"/api/tickets?status=all&sort={sort}{where}" for sort in sorts for where in ("", f"&area={code}")]


def _peer(conn: psycopg.Connection, context: Context, questions: Sequence[Peer]) -> list[float]:
    """Milliseconds of a count and a page, as they are usually written."""
    times = []
    for condition, values in questions:
        for _ in range(context.times(3, 1)):
            started = time.perf_counter()
            where = sql.SQL(condition)
            conn.execute(sql.SQL("SELECT count(*) FROM ticket WHERE {}").format(where), values)
            page = sql.SQL("SELECT * FROM ticket WHERE {} ORDER BY due_at, id LIMIT 50 OFFSET 0").format(
                where
            )
            conn.execute(page, values).fetchall()
            times.append((time.perf_counter() - started) * 1000)
    return times
