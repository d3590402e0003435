"""A short way into an application: requests straight into it, in its own loop, without a socket in between."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

AT_ONCE = 4  # requests under way at the same time: also what they do to each other is seen
PATIENCE_S = 60.0


class Request(NamedTuple):
    """A request as it reaches the application."""

    method: str
    path: str  # quoted
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


class Answer(NamedTuple):
    """What came back; headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Inside:
    """The application as its server sees it, which remembers the loop that it lives in."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self.state = app, app.state
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._loop = asyncio.get_running_loop()
        await self._app(scope, receive, send)

    def ask(self, requests: Sequence[Request], headers: Sequence[tuple[bytes, bytes]]) -> list[Answer]:
        """Their answers, in order; every request has those headers too. Raises what the application raises."""
        assert self._loop is not None, "the application is not served yet"
        return asyncio.run_coroutine_threadsafe(self._all(requests, headers), self._loop).result()

    def ask_in_turn(self, asked: Iterable[tuple[Request, Sequence[tuple[bytes, bytes]]]]) -> list[Answer]:
        """The same for requests with headers of their own each, one after the other."""
        assert self._loop is not None, "the application is not served yet"

        async def in_turn() -> list[Answer]:
            return [await asyncio.wait_for(self._one(*one), PATIENCE_S) for one in asked]

        return asyncio.run_coroutine_threadsafe(in_turn(), self._loop).result()

    async def _all(self, requests: Sequence[Request], headers: Sequence[tuple[bytes, bytes]]) -> list[Answer]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(request: Request) -> Answer:
            async with turns:
                return await asyncio.wait_for(self._one(request, headers), PATIENCE_S)

        return await asyncio.gather(*(one(request) for request in requests))

    async def _one(self, request: Request, headers: Sequence[tuple[bytes, bytes]]) -> Answer:
        told: list[Message] = []
        over = asyncio.Event()
        body: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]

        async def receive() -> Message:
            if body:
                return body.pop()
            await over.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            told.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                over.set()

        try:
            await self._app(scope_of(request, headers), receive, send)
        finally:
            over.set()
        start = next(message for message in told if message["type"] == "http.response.start")
        fields = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        with suppress(KeyError):
            if fields["content-encoding"]:
                return Answer(start["status"], fields, b"")
        return Answer(start["status"], fields, b"".join(message.get("body", b"") for message in told))


def scope_of(request: Request, headers: Sequence[tuple[bytes, bytes]]) -> Any:
    """The ASGI scope as uvicorn makes it."""
    raw_path = request.path.encode("ascii")
    length = [(b"content-length", str(len(request.body)).encode())] if request.body else []
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 50_000), "root_path": "", "method": request.method,
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"), "raw_path": raw_path,
        "query_string": request.query, "state": {},
        "headers": [(b"host", b"127.0.0.1"), *headers, *request.headers, *length],
    }  # fmt: skip
