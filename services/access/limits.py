"""How often somebody may do something: tries counted in Redis, so that every process counts the same ones."""

import hashlib
import math
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import redis
    import redis.asyncio

# The generic cell rate algorithm (GCRA, ITU-T I.371): the key holds the moment (microseconds since 1970) at which all
# tries so far would be paid off. Redis' own clock counts, not that of the process which asks.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local most, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local after = paid + window / most
local wait = after - now - window
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return 0
"""


class Limits:
    """`most` at once, and as many again over each `seconds` that follow; a refused try costs nothing."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        self._prefix = prefix
        self._redis = client
        self._take = client.register_script(TAKE)

    def take(self, bucket: str, key: str, most: int, seconds: int) -> int:
        """Count one try of `key` (an address, a login) in `bucket`: 0 = go on, else the seconds to wait (Retry-After).

        One round trip; raises RedisError when Redis is away, and the caller decides whether that refuses.
        """
        waiting = self._take(keys=[_key(self._prefix, bucket, key)], args=_args(most, seconds))
        return _seconds(waiting)

    def forget(self, bucket: str, key: str) -> None:
        """Start anew for that key, as after a sign-in that succeeded."""
        self._redis.delete(_key(self._prefix, bucket, key))


class AsyncLimits:
    """The same counts, for routes in the event loop."""

    def __init__(self, client: "redis.asyncio.Redis", prefix: str) -> None:
        self._prefix = prefix
        self._take = client.register_script(TAKE)

    async def take(self, bucket: str, key: str, most: int, seconds: int) -> int:
        """As Limits.take."""
        waiting = await self._take(keys=[_key(self._prefix, bucket, key)], args=_args(most, seconds))
        return _seconds(waiting)


def _key(prefix: str, bucket: str, key: str) -> str:
    """What somebody typed is of any length and may be personal: its digest stands for it."""
    return f"{prefix}limit:{bucket}:{hashlib.blake2b(key.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _args(most: int, seconds: int) -> list[bytes | str | float]:
    if most < 1 or seconds < 1:
        raise ValueError("a limit needs at least one try and one second")
    return [most, seconds * 1_000_000]


def _seconds(waiting: object) -> int:
    return math.ceil(cast(int, waiting) / 1_000_000)
