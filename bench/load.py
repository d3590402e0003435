"""The load clients: lean HTTP and WebSocket clients on uvloop, so that the server and not the client is measured."""

import asyncio
import base64
import os
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import uvloop

from bench import signed_in
from bench.result import percentile


@dataclass(slots=True)
class Load:
    """What a run of requests gave: seconds of each answer, statuses, and how long it all took."""

    latencies_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    body_bytes: int = 0  # of the last answer, as sent over the wire
    seconds: float = 0.0
    late: int = 0  # of a steady pace: due and not sent when it was over

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies_s) / self.seconds

    def ms(self, share: float = 0.5) -> float:
        """A percentile of the answer times, in milliseconds."""
        return percentile(self.latencies_s, share) * 1000


def request(
    method: str,
    path: str,
    body: bytes = b"",
    *,
    content: str = "application/json",
    headers: str = "",
    session: str | None = None,
) -> bytes:
    """The bytes of one HTTP/1.1 request; `headers` are whole lines ended by CRLF, as is another session's `session`."""
    session = signed_in.lines() if session is None else session
    length = f"Content-Type: {content}\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{session}{headers}{length}\r\n".encode() + body


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on a fresh uvloop, in a thread of its own as playwright keeps a loop in the calling one."""

    def go() -> Any:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(go).result()


def hammer(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float, most: int = 10**9
) -> Load:
    """Send the requests in turn over keep-alive connections, one in flight on each, for so long or so many."""
    result: Load = run(_hammer(port, requests, connections, seconds, most))
    return result


async def _hammer(port: int, requests: Sequence[bytes], connections: int, seconds: float, most: int) -> Load:
    loop = asyncio.get_running_loop()
    load = Load()
    numbers = iter(range(most))
    start = time.perf_counter()

    def following() -> bytes | None:
        if time.perf_counter() - start > seconds:
            return None
        number = next(numbers, None)
        return None if number is None else requests[number % len(requests)]

    clients = [
        (await loop.create_connection(lambda: Asker(loop, load, following), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    start = time.perf_counter()
    for client in clients:
        client.ask()
    await asyncio.wait_for(asyncio.gather(*(client.done for client in clients)), seconds + 120)
    load.seconds = time.perf_counter() - start
    return load


class Asker(asyncio.Protocol):
    """One keep-alive connection: sends a request, reads the answer, sends the next."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, load: Load, following: Callable[[], bytes | None]
    ) -> None:
        self.load, self.following = load, following
        self.done: asyncio.Future[None] = loop.create_future()
        self.answer = bytearray()
        self.need: int | None = None
        self.status = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self) -> None:
        """Send the next request, or hang up when there is none."""
        wanted = self.following()
        if wanted is None:
            self.close()
        else:
            self.send(wanted)

    def close(self) -> None:
        """Hang up, as there is nothing more to ask."""
        self.transport.close()
        if not self.done.done():
            self.done.set_result(None)

    def send(self, wanted: bytes) -> None:
        """Send a request; its answer is waited for."""
        self.answer.clear()
        self.need = None
        self.sent = time.perf_counter()
        self.transport.write(wanted)

    def data_received(self, data: bytes) -> None:
        self.answer += data
        if self.need is None:
            end = self.answer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.answer[:end]).lower()
            self.status = int(head[9:12])
            self.chunked = b"transfer-encoding: chunked" in head
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self.need, self.head = end + 4 + length, end + 4
        if self.chunked:
            if not self.answer.endswith(b"0\r\n\r\n"):
                return
        elif len(self.answer) < self.need:
            return
        self.load.latencies_s.append(time.perf_counter() - self.sent)
        self.load.statuses[self.status] += 1
        self.load.body_bytes = len(self.answer) - self.head
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up in the middle of the load"))


async def post(port: int, path: str, body: bytes) -> bytes:
    """One POST on a connection of its own; the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("POST", path, body, headers="Connection: close\r\n"))
    answer = await reader.read()
    writer.close()
    return answer


@dataclass(slots=True)
class Heard:
    """What all WebSocket clients received: (time.time() of arrival, the message) for every delivery."""

    deliveries: list[tuple[float, bytes]] = field(default_factory=list)
    open: int = 0
    lost: int = 0

    def hear(self, at: float, message: bytes) -> None:
        """Keep a delivery."""
        self.deliveries.append((at, message))


class Listener(asyncio.Protocol):
    """A WebSocket client that notes when each message arrives; answers pings, sends nothing else."""

    def __init__(self, heard: Heard, path: str, session: str | None = None) -> None:
        self.heard, self.path, self.session = heard, path, session
        self.unread = bytearray()
        self.upgraded = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        headers = (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n"
        )
        transport.write(request("GET", self.path, headers=headers, session=self.session))

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self.unread += data
        if not self.upgraded:
            end = self.unread.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.unread.startswith(b"HTTP/1.1 101"):
                self.transport.close()
                return
            del self.unread[: end + 4]
            self.upgraded = True
            self.heard.open += 1
        while len(self.unread) >= 2:
            kind, length, at = self.unread[0] & 0x0F, self.unread[1] & 0x7F, 2
            if length == 126:
                length, at = int.from_bytes(self.unread[2:4], "big"), 4
            elif length == 127:
                length, at = int.from_bytes(self.unread[2:10], "big"), 10
            if len(self.unread) < at + length:
                return
            message = bytes(self.unread[at : at + length])
            del self.unread[: at + length]
            if kind in (0, 1, 2):
                self.heard.hear(now, message)
            elif kind == 9:
                self.transport.write(bytes([0x8A, 0x80 | len(message)]) + b"\0\0\0\0" + message)

    def connection_lost(self, error: Exception | None) -> None:
        self.heard.lost += self.upgraded
        self.heard.open -= self.upgraded


async def listen(
    port: int, path: str, count: int, heard: Heard, timeout_s: float = 60, session: str | None = None
) -> list[Listener]:
    """Open that many WebSockets, 50 at a time, and wait until all are upgraded."""
    before = heard.open
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    while len(listeners) < count:
        batch = min(50, count - len(listeners))
        made = await asyncio.gather(
            *(
                loop.create_connection(lambda: Listener(heard, path, session), "127.0.0.1", port)
                for _ in range(batch)
            )
        )
        listeners += [listener for _, listener in made]
        deadline = time.monotonic() + timeout_s
        while heard.open < before + len(listeners):
            if time.monotonic() > deadline:
                raise ConnectionError(
                    f"only {heard.open - before} of {len(listeners)} WebSockets opened on {path}"
                )
            await asyncio.sleep(0.02)
    return listeners
