"""Row 14: the round trip of every Dash callback that our screens make, against a bare callback and bare Starlette."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import orjson
import psycopg

from bench.browser import fresh_page
from bench.context import Context
from bench.load import Load, hammer, request
from bench.processes import Server, free_port, serving
from bench.result import Missing, Result
from services.area_report import PERIODS
from settings import ROOT

BAR_MS = 100.0
CLICK = {
    "output": "text.children", "outputs": {"id": "text", "property": "children"}, "changedPropIds": ["button.n_clicks"],
    "inputs": [{"id": "button", "property": "n_clicks", "value": 1}], "parsedChangedPropIds": ["button.n_clicks"],
}  # fmt: skip


def measure(context: Context) -> list[Result]:
    """The requests that the pages really send, replayed one after another; the slowest one's p95 counts.

    What a page sends as it opens, and what an area page sends for a week or a month, each have a row.
    """
    asked = recorded(context)
    longer = {f"{name}, {period}": (path, other) for name, (path, body) in asked.items()
              for period, other in for_longer(body).items()}  # fmt: skip
    if not longer:
        raise Missing("callbacks on our screens")
    repeats = context.times(60, 10)
    found: dict[str, Load] = {}
    for name, (path, body) in (asked | longer).items():
        load = hammer(
            context.server.port, [request("POST", path, body)], connections=1, seconds=60, most=repeats + 3
        )
        if set(load.statuses) - {200, 204}:
            raise Missing(f"an answer to {name}: got {dict(load.statuses)}")
        del load.latencies_s[:3]
        found[name] = load
    with bare(context) as peer:
        clicks = [request("POST", "/dash/_dash-update-component", orjson.dumps(CLICK))]
        flask = hammer(peer.port, clicks, connections=1, seconds=60, most=repeats * 5)
        plain = hammer(
            peer.port, [request("POST", "/bare", orjson.dumps(CLICK))], connections=1, seconds=60, most=500
        )
    if set(flask.statuses) != {200}:
        raise Missing(f"an answer of the bare callback: got {dict(flask.statuses)}")
    rows = []
    for words, names in (("p95 of the slowest", asked), ("of a week or a month, p95 of the slowest", longer)):
        slowest = max(names, key=lambda name: found[name].ms(0.95))
        ours = found[slowest].ms(0.95)
        said = "; ".join(
            f"{name} {found[name].ms():.0f}/{found[name].ms(0.95):.0f} ms" for name in sorted(names)
        )
        rows.append(Result(
            f"14 Dash callbacks, {words}", ours, flask.ms(0.95), "ms", f"≤ {BAR_MS:.0f} ms", ours <= BAR_MS,
            "bare callback, Dash on Flask", n=repeats,
            note=f"slowest: {slowest}; bare Starlette {plain.ms():.2f} ms; all, p50/p95: {said}",
        ))  # fmt: skip
    return rows


def for_longer(body: bytes) -> dict[str, bytes]:
    """The same request for the periods that its page does not open with; none where it has no period."""
    found = {}
    for period in PERIODS[1:]:
        asked = orjson.loads(body)
        for given in asked["inputs"]:
            if isinstance(given.get("value"), dict) and "period" in given["value"]:
                given["value"]["period"] = period
                found[period] = orjson.dumps(asked)
    return found


def recorded(context: Context) -> dict[str, tuple[str, bytes]]:
    """Name → path and body of each callback request of the wall and of one area page on every level."""
    with psycopg.connect(context.stores.database_url) as conn:
        areas = conn.execute(
            "SELECT DISTINCT ON (level) level::text, code FROM area WHERE valid_to IS NULL ORDER BY level, no"
        ).fetchall()
    pages = {"wall": "/wall/"} | {level: f"/area/{code}" for level, code in areas}
    found: dict[str, tuple[str, bytes]] = {}
    for name, path in pages.items():
        with fresh_page(context.browser) as page:

            def note(sent: object, name: str = name) -> None:
                if "_dash-update-component" in sent.url and sent.post_data:  # type: ignore[attr-defined]
                    body = sent.post_data.encode()  # type: ignore[attr-defined]
                    output = str(orjson.loads(body)["output"]).strip(".").split("...")[0]
                    found[f"{name}: {output}"] = (urlsplit(sent.url).path, body)  # type: ignore[attr-defined]

            page.on("request", note)
            page.goto(context.server.url + path)
            if name != "wall":
                page.wait_for_selector(".tile .value", timeout=60_000)
            page.wait_for_timeout(4000)
    return found


@contextmanager
def bare(context: Context) -> Iterator[Server]:
    """A callback that formats a number: Dash on Flask, mounted as ours is; and a Starlette route that does the same."""
    port = free_port()
    command = [sys.executable, "-m", "bench.peer_apps.callback", str(port)]
    log = context.log("callback")
    with serving(
        command, port=port, log=log, env={"PYTHONPATH": str(ROOT)}, cwd=ROOT, ready="/dash/"
    ) as server:
        yield server
