"""How many tickets one sender may file a minute."""

import structlog
from fastapi import HTTPException, Request
from redis.exceptions import RedisError

from api.gate import Seer
from geodata.redis_clients import loop_redis
from services.access import Viewer
from services.access.limits import AsyncLimits
from services.runtime import Runtime

log = structlog.get_logger("wangge.intake")
OF_CLIENTS = 100  # times as many as an address without a token: a client's own faults are found by its token
MINUTE_S = 60


class IntakeLimit:
    """A dependency of the route: by token for other systems, by address for whoever has none.

    While Redis is away nobody is counted: a ticket that people wait for needs the database alone.
    """

    def __init__(self, runtime: Runtime, bucket: str = "intake", most: int | None = None) -> None:
        """`most` a minute for an address without a token; the setting `intake_per_minute` by default."""
        self._limits = AsyncLimits(loop_redis(runtime.stores.redis_url), runtime.stores.key_prefix)
        self._bucket = bucket
        self._most = most or runtime.settings.intake_per_minute

    async def __call__(self, request: Request, viewer: Seer) -> None:
        """Raises HTTPException 429 with Retry-After (seconds)."""
        await self.count(request, viewer)

    async def count(self, request: Request, viewer: Viewer) -> None:
        """Count one request of that viewer, of its address if nobody is known. Raises HTTPException 429."""
        known = viewer.id > 0
        key = f"{viewer.kind} {viewer.id}" if known else request.scope["state"].get("ip", "")
        most = self._most * OF_CLIENTS if known else self._most
        try:
            wait_s = await self._limits.take(self._bucket, key, most, MINUTE_S)
        except RedisError as error:
            log.warning("senders are not counted", error=str(error))
            return
        if wait_s:
            raise HTTPException(
                429, "Too many tickets from here; try again later.", {"Retry-After": str(wait_s)}
            )
