"""Brotli or gzip for text answers that nobody compressed before."""

import zlib
from typing import Any

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST_BYTES = 600
TEXT = ("text/", "application/json", "application/javascript", "application/geo+json", "image/svg+xml")


class Compress:
    """ASGI middleware; works chunk by chunk, so that an answer is never held in memory as a whole."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = _coding(Headers(scope=scope).get("accept-encoding", "")) if scope["type"] == "http" else None
        if coding is None or scope["method"] == "HEAD":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Sender(send, coding))


class _Sender:
    def __init__(self, send: Send, coding: str) -> None:
        self.send = send
        self.coding = coding
        self.held: Message | None = None  # the start, until the first body shows whether it is worth it
        self.packer: Any = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if _fit(message):
                self.held = message
            else:
                await self.send(message)
            return
        if message["type"] != "http.response.body" or (self.held is None and self.packer is None):
            await self.send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.held is not None:
            if not body and more:
                return  # a WSGI answer may begin with nothing
            start, self.held = self.held, None
            headers = MutableHeaders(raw=list(start["headers"]))
            headers.add_vary_header("Accept-Encoding")
            long_enough = (
                int(headers.get("content-length", 0)) >= LEAST_BYTES if more else len(body) >= LEAST_BYTES
            )
            if not (long_enough or (more and "content-length" not in headers)):
                await self.send({**start, "headers": headers.raw})
                await self.send(message)
                return
            del headers["content-length"]
            headers["content-encoding"] = self.coding
            etag = headers.get("etag", "")
            if etag.startswith('"'):
                headers["etag"] = f"W/{etag}"  # the bytes are no longer the same
            self.packer = _Brotli() if self.coding == "br" else _Gzip()
            await self.send({**start, "headers": headers.raw})
        packed = self.packer.take(body, last=not more)
        if packed or not more:
            await self.send({"type": "http.response.body", "body": packed, "more_body": more})


class _Brotli:
    def __init__(self) -> None:
        self.packer = brotli.Compressor(quality=4)

    def take(self, chunk: bytes, last: bool) -> bytes:
        out = self.packer.process(chunk) if chunk else b""
        return bytes(out + self.packer.finish()) if last else bytes(out)


class _Gzip:
    def __init__(self) -> None:
        self.packer = zlib.compressobj(5, wbits=31)

    def take(self, chunk: bytes, last: bool) -> bytes:
        out = self.packer.compress(chunk)
        return out + self.packer.flush() if last else out


def _coding(accepted: str) -> str | None:
    """The best coding that the client takes; one with q=0 is refused."""
    offers: dict[str, bool] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        offers[name.strip()] = weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return next((name for name in ("br", "gzip") if offers.get(name)), None)


def _fit(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "")
    return (
        start["status"] not in (204, 206, 304)
        and "content-encoding" not in headers
        and kind.startswith(TEXT)
        and not kind.startswith("text/event-stream")
    )
