"""A screen, a caller and a dispatcher in Python that never give up, for tests that take servers away from them."""

import itertools
import json
import threading
import time
from typing import Any

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.small_place import centre


class Screen(threading.Thread):
    """Follows the live feed as assets/10-live.js does; `grids` is what it would show."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.grids: dict[int, list[Any]] = {}
        self.version: int | None = None
        self.as_of_ms = 0
        self.seen: set[int] = set()
        self.opened = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        """Connect and read, for ever."""
        while not self.stopped.is_set():
            try:
                if self.version is None:
                    self.fetch()
                self.follow()
            except (OSError, WebSocketException, httpx.HTTPError, TimeoutError, AssertionError):
                self.stopped.wait(0.2)

    def fetch(self) -> None:
        """Replace everything by a snapshot."""
        answer = httpx.get(f"{self.url}/api/live/snapshot", timeout=8, trust_env=False)
        assert answer.status_code == 200
        snapshot = answer.json()
        self.version, self.channel, self.as_of_ms = snapshot["v"], snapshot["of"], snapshot["as_of"] or 0
        self.grids = {row[0]: row for row in snapshot["grids"]}

    def follow(self) -> None:
        """One connection."""
        address = f"{self.url.replace('http', 'ws')}/api/live?since={self.version}&of={self.channel}"
        with connect(address, compression=None, proxy=None, open_timeout=3, close_timeout=0.2) as ws:
            self.opened += 1
            while not self.stopped.is_set():
                frame = ws.recv(timeout=5)
                if isinstance(frame, bytes):
                    continue
                told = json.loads(frame)
                self.as_of_ms = told.get("as_of") or self.as_of_ms
                if told["t"] == "gap":
                    self.fetch()
                elif told["t"] != "hello" and told["v"] >= self.version:
                    self.version = told["v"]
                    self.grids |= {row[0]: row for row in told.get("grids", ())}
                    self.seen |= {ticket["id"] for ticket in told.get("tickets", ())}

    @property
    def age_s(self) -> float:
        """Age of what it shows."""
        return time.time() - self.as_of_ms / 1000


class Caller(threading.Thread):
    """Files tickets one after the other, each until it is acknowledged; `acknowledged` maps its number to the id."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.acknowledged: dict[str, int] = {}
        self.refused: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        """File for ever."""
        with httpx.Client(base_url=self.url, timeout=8, trust_env=False) as client:
            for count in itertools.count():
                lon, lat = centre(1 + count % 2, 1 + count // 2 % 2, 1 + count % 9)
                report = {"channel": "grid", "category": "01001", "title": "事项", "lon": lon, "lat": lat}
                report["source_id"] = f"{self.name}-{count}"
                while report["source_id"] not in self.acknowledged:
                    if self.stopped.wait(0.03):
                        return
                    try:
                        answer = client.post("/api/tickets", json=report)
                    except httpx.HTTPError:
                        continue
                    if answer.is_success:
                        self.acknowledged[report["source_id"]] = answer.json()["id"]
                    elif answer.status_code < 500:
                        self.refused.append(answer.text)
                        return


class Dispatcher(threading.Thread):
    """Leads tickets from dispatch to closing, each command sent with its key until it is answered.

    `acknowledged` maps each key to the version that its command led to.
    """

    ROUND = ("dispatch", "sign", "start", "handle", "redo", "handle", "close")
    CARRIES = {"handle": {"result": "done"}, "redo": {"reason": "once more"}}  # noqa: RUF012

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.acknowledged: dict[str, int] = {}
        self.refused: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        """One ticket after the other, for ever."""
        lon, lat = centre(1, 1, 1)
        report = {"channel": "grid", "category": "01001", "title": "事项", "lon": lon, "lat": lat}
        with httpx.Client(base_url=self.url, timeout=8, trust_env=False) as client:
            for count in itertools.count():
                ticket = self._sent(client, "/api/tickets", report, f"{self.name}-{count}")
                for turn, command in enumerate(self.ROUND if ticket else ()):
                    order = {"version": ticket["version"]} | self.CARRIES.get(command, {})
                    path, key = f"/api/tickets/{ticket['id']}/{command}", f"{self.name}-{count}-{turn}"
                    ticket = self._sent(client, path, order, key)
                    if ticket is None:
                        return
                if ticket is None:
                    return

    def _sent(self, client: httpx.Client, path: str, body: dict[str, Any], key: str) -> dict[str, Any] | None:
        while not self.stopped.wait(0.02):
            try:
                answer = client.post(path, json=body, headers={"Idempotency-Key": key})
            except httpx.HTTPError:
                continue
            if answer.is_success:
                told: dict[str, Any] = answer.json()
                self.acknowledged[key] = told["version"]
                return told
            if answer.status_code < 500:
                self.refused.append(answer.text)
                return None
        return None
