"""Redis clients that fail fast, so that their users decide how to wait.

Typed as Any: redis-py's annotations unite every protocol's answers, while ours are always bytes.
"""

from typing import Any

import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

WAIT_S = 5.0  # for a connection, when all are in use


def job_redis(url: str) -> Any:
    """A client for a background thread; every fault is raised at once."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=2, socket_timeout=5, protocol=2, retry=Retry(NoBackoff(), 0)
    )


def loop_redis(url: str) -> Any:
    """An asyncio client; a pooled connection that died is replaced once, any other fault is raised at once.

    Of many who ask at the same moment (a town's screens that come back together) some wait for a connection.
    """
    retry = redis.asyncio.retry.Retry(NoBackoff(), 1)
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        socket_connect_timeout=2,
        socket_timeout=5,
        protocol=2,
        retry=retry,
        max_connections=16,
        timeout=WAIT_S,
    )
    return redis.asyncio.Redis.from_pool(pool)
