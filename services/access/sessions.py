"""Sessions of accounts, kept in Redis: opened at sign-in, found by every request, ended from anywhere."""

import hashlib
import secrets
import time
from dataclasses import replace
from typing import Any, NamedTuple, cast

import orjson
import redis
import redis.asyncio

from services.access.viewer import Viewer


class SessionRow(NamedTuple):
    """One session as lists show it; times in seconds since 1970. `id` is no secret: it names, it does not open."""

    id: str
    account_id: int
    login: str
    role: str
    ip: str
    agent: str
    opened_at: float
    seen_at: float


class Sessions:
    """The token itself is never kept: its digest is the key. Idle and absolute limits are in seconds."""

    def __init__(
        self, client: "redis.Redis", loop: "redis.asyncio.Redis", prefix: str, *, idle_s: int, absolute_s: int
    ) -> None:
        self._redis, self._loop = client, loop
        self._prefix = f"{prefix}session:"
        self._idle_s, self._absolute_s = idle_s, absolute_s

    def open(self, viewer: Viewer, *, ip: str, agent: str) -> str:
        """Begin a session and return its token, always a new one; what the viewer may do is fixed until it ends.

        A viewer without a CSRF token gets one.
        """
        token = secrets.token_urlsafe(32)
        name = _name(token)
        now = time.time()
        kept = {
            "viewer": replace(viewer, csrf=viewer.csrf or secrets.token_urlsafe(24)).as_json(),
            "ip": ip,
            "agent": agent[:200],
            "opened_at": now,
        }
        self._redis.set(self._prefix + name, orjson.dumps(kept), ex=min(self._idle_s, self._absolute_s))
        return token

    async def find(self, token: str) -> Viewer | None:
        """Whose session it is, or None when it ended; being asked for keeps it from idling out."""
        name = _name(token)
        raw = await self._loop.getex(self._prefix + name, ex=self._idle_s)
        return self._viewer(name, raw)

    async def alive(self, session_ids: list[str]) -> set[str]:
        """Those of the sessions that still exist; asking does not keep them."""
        if not session_ids:
            return set()
        found = await self._loop.mget([self._prefix + name for name in session_ids])
        return {
            name for name, raw in zip(session_ids, found, strict=True) if self._viewer(name, raw) is not None
        }

    def _viewer(self, name: str, raw: Any) -> Viewer | None:
        if raw is None:
            return None
        kept = orjson.loads(raw)
        if time.time() - kept["opened_at"] >= self._absolute_s:
            return None
        return Viewer.from_json(kept["viewer"], session=name, ip=kept["ip"])

    def end(self, token: str) -> None:
        """End the session of that token."""
        self._redis.delete(self._prefix + _name(token))

    def end_by_id(self, session_id: str) -> bool:
        """End a session by its id; whether there was one."""
        return bool(self._redis.delete(self._prefix + session_id))

    def end_all(self, account_id: int) -> int:
        """End all sessions of an account: what it may do has changed. Returns how many there were."""
        return sum(self.end_by_id(session.id) for session in self.of(account_id))

    def of(self, account_id: int | None = None) -> list[SessionRow]:
        """The sessions of one account, or all; the newest first."""
        keys = [cast(bytes, key) for key in self._redis.scan_iter(f"{self._prefix}*", count=1000)]
        rows = []
        for key in keys:
            raw, idle_ms = self._redis.get(key), self._redis.pttl(key)
            name = key.decode().removeprefix(self._prefix)
            viewer = self._viewer(name, raw)
            if viewer is None or (account_id is not None and viewer.id != account_id):
                continue
            kept = orjson.loads(cast(bytes, raw))
            seen_at = max(kept["opened_at"], time.time() - (self._idle_s - idle_ms / 1000))
            rows.append(
                SessionRow(
                    name,
                    viewer.id,
                    viewer.name,
                    viewer.role,
                    kept["ip"],
                    kept["agent"],
                    kept["opened_at"],
                    seen_at,
                )
            )
        return sorted(rows, key=lambda row: row.opened_at, reverse=True)


def _name(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
