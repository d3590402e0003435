"""The server as the people of a run ask it: each with a token of their own, patiently."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import httpx

AT_ONCE = 6  # requests under way
RETRY_S = (0.5, 8.0)
SIGNED_IN = ""  # who asks with a session instead of a token


class Server:
    """`tokens` are those of `script.register_clients`: part → bearer token; `counts` are the run's."""

    def __init__(
        self, url: str, tokens: Mapping[str, str], chance: random.Random, counts: Counter[str]
    ) -> None:
        self._tokens, self._chance, self._counts = dict(tokens), chance, counts
        limits = httpx.Limits(max_connections=AT_ONCE + 2)
        self._plain, self._session = (  # the other keeps the cookies of who is signed in
            httpx.AsyncClient(base_url=url, timeout=10, limits=limits, trust_env=False) for _ in range(2)
        )
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> "Server":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._plain.aclose()
        await self._session.aclose()

    async def once(self, method: str, path: str, part: str = "worker", **what: Any) -> httpx.Response | None:
        """One attempt; None when nobody answers. A fix that is not taken is not worth a second one."""
        client = self._session if part == SIGNED_IN else self._plain
        token = self._tokens.get(part)
        if token and "auth" not in what:
            what["headers"] = {"Authorization": f"Bearer {token}"} | what.get("headers", {})
        async with self._slots:
            try:
                return await client.request(method, path, **what)
            except httpx.TransportError:
                self._counts["waits"] += 1
                return None

    async def signed_in(self, method: str, path: str, **what: Any) -> httpx.Response | None:
        """One attempt of somebody who is signed in."""
        return await self.once(method, path, SIGNED_IN, **what)

    async def until_answered(self, method: str, path: str, part: str, **what: Any) -> httpx.Response:
        """As many attempts as it takes until a server answers with something other than a fault of its own."""
        wait_s = RETRY_S[0]
        while True:
            answer = await self.once(method, path, part, **what)
            if answer is not None and answer.status_code < 500 and answer.status_code != 429:
                return answer
            await asyncio.sleep(wait_s * self._chance.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2, RETRY_S[1])
