"""Row 6: positions a second, each acknowledged after the write; beside OwnTracks Recorder and Starlette + Redis."""

import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import redis

from bench import signed_in
from bench.context import Context
from bench.load import Load, hammer, request
from bench.peer_apps.positions import PREFIX
from bench.peers import program
from bench.phones import Phone, phones
from bench.processes import Server, free_port, serving
from bench.result import Missing, Result
from settings import ROOT

CONNECTIONS, BATCH = 32, 100
EARLIER_S = 200  # single fixes are older than the batches that follow: no reading comes twice
BAR_TIMES, BAR_BATCHED = 10, 10_000


def measure(context: Context) -> list[Result]:
    """Answers of status 200 only; 32 keep-alive connections, one request in flight on each; batches of 100."""
    fleet = phones(context)
    seconds = context.times(10, 2)
    server = context.fresh_server()
    before = refused(server)
    ours = _taken(
        server, owntracks_posts(fleet, "/api/positions/owntracks", context.times(80_000, 8_000)), seconds
    )
    batched = _taken(server, batch_posts(fleet, context.times(3_000, 300)), seconds)
    if refused(server) > before:
        raise Missing(f"an intake that accepts the bench's fixes ({refused(server) - before:.0f} refused)")
    with starlette(context) as peer:
        bare_one = _taken(peer, owntracks_posts(fleet, "/one", 20_000), seconds)
        bare_many = _taken(peer, many_posts(fleet, 500), seconds)
    _forget(context)
    missing = ""
    recorder = None
    try:
        with owntracks(context) as peer:
            recorder = _taken(peer, owntracks_posts(fleet, "/pub?u=bench&d=phone", 20_000), seconds)
    except Missing as error:
        missing = f"peer missing: {error}"
    times = ours.rate / recorder.rate if recorder else None
    rates = f"answer p95 {ours.ms(0.95):.0f} ms; Starlette + Redis {bare_one.rate:.0f}/s (no checks, no history table)"
    return [
        Result(
            "6 positions acknowledged, one a request", ours.rate, recorder and recorder.rate, "1/s",
            f"≥ {BAR_TIMES} × OwnTracks Recorder", None if times is None else times >= BAR_TIMES, "OwnTracks Recorder",
            less_is_better=False, n=len(ours.latencies_s), note="; ".join(filter(None, (rates, missing))),
        ),
        Result(
            "6 positions acknowledged, one a request", ours.rate, bare_one.rate, "1/s",
            "need: 800/s", ours.rate >= 800, "Starlette + Redis", less_is_better=False, n=len(ours.latencies_s),
            note="the peer checks nothing",
        ),
        Result(
            f"6 positions acknowledged, batches of {BATCH}", batched.rate * BATCH, bare_many.rate * BATCH, "1/s",
            f"≥ {BAR_BATCHED:,}/s", batched.rate * BATCH >= BAR_BATCHED, "Starlette + Redis", less_is_better=False,
            n=len(batched.latencies_s) * BATCH, note=f"answer p95 {batched.ms(0.95):.0f} ms a batch",
        ),
    ]  # fmt: skip


def _taken(server: Server, posts: list[bytes], seconds: float) -> Load:
    hammer(server.port, posts[:50], connections=2, seconds=5, most=50)  # warm
    load = hammer(server.port, posts[50:], connections=CONNECTIONS, seconds=seconds, most=len(posts) - 50)
    if set(load.statuses) - {200, 201, 202, 204}:
        raise Missing(f"an accepting answer: got {dict(load.statuses)}")
    return load


def owntracks_posts(fleet: list[Phone], path: str, count: int) -> list[bytes]:
    """OwnTracks location messages, phone by phone, a second apart for each phone, the last one now."""
    rounds = count // len(fleet) + 1
    start_s = int(time.time()) - EARLIER_S - rounds
    return [
        request(
            "POST", path, orjson.dumps(phone.owntracks(start_s + turn)),
            headers=f"X-Limit-U: bench\r\nX-Limit-D: phone\r\nAuthorization: {phone.authorization}\r\n",
        )
        for turn in range(rounds)
        for phone in fleet
    ][:count]  # fmt: skip


def batch_posts(fleet: list[Phone], count: int) -> list[bytes]:
    """Requests of our batch form, 100 phones each."""
    rounds = count * BATCH // len(fleet) + 1
    start_s = int(time.time()) - rounds
    items = [phone.batch_item(start_s + turn) for turn in range(rounds) for phone in fleet]
    return [
        request("POST", "/api/positions/batch", orjson.dumps({"fixes": items[at : at + BATCH]}))
        for at in range(0, count * BATCH, BATCH)
    ]


def many_posts(fleet: list[Phone], count: int) -> list[bytes]:
    """The Starlette peer's batches."""
    now_s = int(time.time())
    return [
        request(
            "POST",
            "/many",
            orjson.dumps([fleet[(at + i) % len(fleet)].owntracks(now_s) for i in range(BATCH)]),
        )
        for at in range(0, count * BATCH, BATCH)
    ]


def refused(server: Server) -> float:
    """Positions that the product has refused so far, whatever the reason, by its own metric."""
    asked = urllib.request.Request(server.url + "/api/metrics", headers=signed_in.headers())
    with urllib.request.urlopen(asked, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        float(line.split()[-1]) for line in lines if line.startswith("wangge_positions_refused_total{")
    )


def _forget(context: Context) -> None:
    with redis.Redis.from_url(context.stores.redis_url) as store:
        store.delete(PREFIX + "latest", PREFIX + "history")


@contextmanager
def starlette(context: Context) -> Iterator[Server]:
    """Starlette on uvicorn, redis-py, one pipeline a request, the same Redis."""
    port = free_port()
    command = [sys.executable, "-m", "bench.peer_apps.positions", str(port), context.stores.redis_url]
    log = context.log("positions")
    with serving(command, port=port, log=log, env={"PYTHONPATH": str(ROOT)}, cwd=ROOT) as server:
        yield server


@contextmanager
def owntracks(context: Context) -> Iterator[Server]:
    """OwnTracks Recorder with its HTTP intake only, when this machine has it (Debian has no package of it)."""
    store, port = context.folder / "ot-recorder", free_port()
    store.mkdir(exist_ok=True)
    command = [
        program("ot-recorder"), "--storage", store, "--port", "0", "--http-host", "127.0.0.1",
        "--http-port", str(port), "--norevgeo",
    ]  # fmt: skip
    with serving(command, port=port, log=context.log("ot-recorder")) as server:
        yield server
