"""Scripts and styles of the screens, from memory: compressed once for all starts, never asked of Flask twice."""

import asyncio
import os
import re
import threading
import zlib
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import brotli
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.codings import Coding, coding_of
from screens.bundle import File

SQUEEZED: tuple[Coding, ...] = ("br", "gzip")
KEPT_FILES, KEPT_BYTES = 300, 64_000_000
FOR_EVER = "public, max-age=31536000, immutable"
SUITE = re.compile(r"/[a-z]+/_dash-component-suites/.+")
LEAST_BYTES = 600


class Kept:
    """One file and its codings: quick ones at first, the smallest when a thread has had the time."""

    def __init__(self, body: bytes, media_type: str, folder: Path) -> None:
        self.media_type = media_type
        self._folder = folder  # of what an earlier start has squeezed, by the mark of its content
        self.squeezed = False
        self.mark = blake2b(body, digest_size=12).hexdigest()
        self.bodies: dict[Coding, bytes] = {"identity": body}

    def quick(self) -> None:
        """Take what an earlier start has squeezed, else compress within milliseconds, as somebody waits."""
        with suppress(OSError):
            found = {coding: self._file(coding).read_bytes() for coding in SQUEEZED}
            self.bodies |= found
            self.squeezed = True
            return
        self._compress(brotli_quality=5, gzip_level=5)

    def squeeze(self) -> None:
        """Compress as far as it goes, seconds for a megabyte, and keep it for the next start."""
        self._compress(brotli_quality=11, gzip_level=9)
        self.squeezed = True
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for coding in SQUEEZED if "br" in self.bodies else ():
                beside = self._file(coding).with_suffix(f".{os.getpid()}-{threading.get_native_id()}")
                beside.write_bytes(self.bodies[coding])
                beside.replace(self._file(coding))

    def _file(self, coding: Coding) -> Path:
        return self._folder / f"{self.mark}.{coding}"

    def _compress(self, brotli_quality: int, gzip_level: int) -> None:
        plain = self.bodies["identity"]
        if len(plain) >= LEAST_BYTES:
            packer = zlib.compressobj(gzip_level, wbits=31)
            self.bodies["gzip"] = packer.compress(plain) + packer.flush()
            self.bodies["br"] = brotli.compress(plain, quality=brotli_quality)

    def answer(self, headers: Headers) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and body for who sent these headers."""
        coding = coding_of(headers.get("accept-encoding", ""))
        if coding not in self.bodies:
            coding = "identity"
        body, etag = self.bodies[coding], f'"{self.mark}-{coding}"'
        told = [
            (b"etag", etag.encode()),
            (b"cache-control", FOR_EVER.encode()),
            (b"vary", b"Accept-Encoding"),
        ]
        if etag in [known.strip() for known in headers.get("if-none-match", "").split(",")]:
            return 304, told, b""
        if coding != "identity":
            told.append((b"content-encoding", coding.encode()))
        told += [(b"content-type", self.media_type.encode()), (b"content-length", str(len(body)).encode())]
        return 200, told, body


class Assets:
    """ASGI application in front of the screens: our bundles, and what Dash marks as never changing."""

    def __init__(self, screens: ASGIApp, bundled: Iterable[File], folder: Path) -> None:
        """`folder` keeps compressed bytes between starts; it may be deleted at any time."""
        self._screens = screens
        self._folder = folder
        self._bundled = {file.path: file for file in bundled}
        self._kept: dict[str, Kept] = {}
        self._size = 0
        self._waiting: deque[Kept] = deque()
        self._squeezer: threading.Thread | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        mine = path in self._bundled or SUITE.fullmatch(path)
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not mine:
            await self._screens(scope, receive, send)
            return
        kept = self._kept.get(path)
        if kept is None and path in self._bundled:
            file = self._bundled[path]
            kept = await self._keep(path, file.body, file.media_type)
        if kept is None:
            await self._ask(path, scope, receive, send)
            return
        status, headers, body = kept.answer(Headers(scope=scope))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _ask(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what the screens say, and keep it if they say that it never changes."""
        parts: list[bytes] = []
        start: Message = {}

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
            await send(message)

        await self._screens(scope, receive, heard)
        headers = Headers(raw=start["headers"])
        lasting = "max-age=31536000" in headers.get("cache-control", "") and "content-encoding" not in headers
        if start["status"] == 200 and scope["method"] == "GET" and lasting:
            await self._keep(path, b"".join(parts), headers.get("content-type", "application/octet-stream"))

    async def _keep(self, path: str, body: bytes, media_type: str) -> Kept:
        kept = Kept(body, media_type, self._folder)
        await asyncio.to_thread(kept.quick)
        if path not in self._kept and len(self._kept) < KEPT_FILES and self._size + len(body) < KEPT_BYTES:
            self._kept[path] = kept
            self._size += len(body)
            if kept.squeezed:
                return kept
            self._waiting.append(kept)
            if self._squeezer is None or not self._squeezer.is_alive():
                self._squeezer = threading.Thread(target=self._squeeze, name="squeeze", daemon=True)
                self._squeezer.start()
        return kept

    def _squeeze(self) -> None:
        with suppress(OSError, AttributeError):  # let everybody else go first
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        while self._waiting:
            self._waiting.popleft().squeeze()
