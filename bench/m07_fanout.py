"""Row 7: fan-out to 500 open screens, CPU a delivery and the 99th percentile of delay, against nchan and Starlette."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from bench.context import Context
from bench.fanout import Fanned, cost_us, fan
from bench.load import post
from bench.peers import debian_root
from bench.processes import Server, free_port, serving
from bench.result import Missing, Result, Wrong, percentile
from settings import ROOT

SCREENS, RATE = 500, 2.0  # messages a second, as the product's coalesced frames
BAR_US, BAR_MS = 20.0, 50.0


def measure(context: Context) -> list[Result]:
    """The same bytes at the same pace through all; CPU is what 500 screens cost more than one, in turns."""
    from bench.product_fanout import moves, serving_screens, tickets

    seconds, turns = context.times(15, 5), context.times(3, 1)
    with serving_screens(context) as (first, second):
        moves(context, first, second, 1, 2)  # warm: devices known, code paths taken
        ours = [
            (moves(context, first, second, 1, seconds), moves(context, first, second, SCREENS, seconds))
            for _ in range(turns)
        ]
        told = tickets(context, first, second, seconds)
    size = ours[-1][1].bytes_each
    missing: list[str] = []
    found: dict[str, list[tuple[Fanned, Fanned]]] = {}
    for name, peer in (("nchan", nchan), ("Starlette queue", starlette)):
        try:
            with peer(context) as server:
                found[name] = [peer_fan(server, "x" * max(0, int(size) - 60), seconds) for _ in range(turns)]
        except (Missing, Wrong) as error:
            missing.append(f"peer missing: {name}: {error}")
    best = found.get("nchan") or found.get("Starlette queue")
    cpu_us, p99_ms = cost_us(ours), p99(told)
    said = [
        f"{name} {cost_us(pairs):.1f} µs, p99 {p99(pairs[-1][1]):.0f} ms" for name, pairs in found.items()
    ]
    name = "nginx-nchan" if "nchan" in found else "Starlette, asyncio queues"
    return [
        Result(
            f"7 fan-out to {SCREENS} screens: CPU a delivery", cpu_us, cost_us(best) if best else None, "µs",
            f"≤ {BAR_US:.0f} µs", cpu_us <= BAR_US, name, n=sum(many.deliveries for _, many in ours),
            note="; ".join([f"800 positions/s, {size:,.0f} bytes a message", *said, *missing]),
        ),
        Result(
            f"7 fan-out to {SCREENS} screens: delay p99", p99_ms, p99(best[-1][1]) if best else None, "ms",
            f"≤ {BAR_MS:.0f} ms", p99_ms <= BAR_MS, name, n=len(told.delays_s),
            note="tickets, from flush to arrival (after coalescing); no screen lost",
        ),
    ]  # fmt: skip


def p99(run: Fanned) -> float:
    """The 99th percentile of its delays, in milliseconds."""
    return percentile(run.delays_s, 0.99) * 1000


def peer_fan(server: Server, padding: str, seconds: float) -> tuple[Fanned, Fanned]:
    """The peer with one screen, and with all."""

    async def publish(number: int) -> None:
        body = orjson.dumps({"now": time.time() * 1000, "number": number, "padding": padding})
        await post(server.port, "/publish", body)

    def run(screens: int) -> Fanned:
        return fan(server, "/live", screens, seconds=seconds, rate=RATE, publish=publish, sent_at=sent_now)

    return run(1), run(SCREENS)


def sent_now(message: bytes) -> float | None:
    """The sender's own time in a text frame (`now`, ms), as time.time() seconds."""
    if not message.startswith(b"{"):
        return None
    now = orjson.loads(message).get("now")
    return None if now is None else now / 1000


@contextmanager
def starlette(context: Context) -> Iterator[Server]:
    """Starlette on uvicorn with a queue a client."""
    port = free_port()
    command = [sys.executable, "-m", "bench.peer_apps.fanout", str(port)]
    with serving(
        command, port=port, log=context.log("fanout"), env={"PYTHONPATH": str(ROOT)}, cwd=ROOT
    ) as server:
        yield server


NGINX = """
daemon off; worker_processes 1; pid {run}/pid; error_log {run}/error.log; user root;
load_module {root}/usr/lib/nginx/modules/ngx_nchan_module.so;
events {{ worker_connections 4096; }}
http {{
    access_log off; client_body_temp_path {run}/body; proxy_temp_path {run}/proxy;
    fastcgi_temp_path {run}/fastcgi; uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
    server {{
        listen 127.0.0.1:{port}; client_max_body_size 1m; client_body_buffer_size 1m;
        location = / {{ return 200; }}
        location = /live {{
            nchan_subscriber websocket; nchan_channel_id bench; nchan_subscriber_first_message newest;
        }}
        location = /publish {{ nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1; }}
    }}
}}
"""


@contextmanager
def nchan(context: Context) -> Iterator[Server]:
    """nginx with the nchan module, from Debian's packages, one worker."""
    root, run, port = debian_root(context.folder, "nginx"), context.folder / "nginx", free_port()
    run.mkdir(exist_ok=True)
    config = run / "nginx.conf"
    config.write_text(NGINX.format(root=root, run=run, port=port))
    if context.folder.is_relative_to("/var/lib"):
        raise Missing("nchan (it insists on /var/lib/nginx, and the data folder lies below /var/lib)")
    # nchan makes /var/lib/nginx whatever the configuration says: give it a /var/lib that only it sees
    start = 'mount -t tmpfs none /var/lib && mkdir /var/lib/nginx && exec "$@"'
    nginx: list[str | Path] = [root / "usr/sbin/nginx", "-c", config, "-p", run, "-e", run / "start.log"]
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", start, "nginx", *nginx]
    with serving(command, port=port, log=context.log("nginx")) as server:
        yield server
