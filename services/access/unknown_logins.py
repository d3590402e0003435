"""Tries with logins that nobody has: counted and locked as those of accounts, so that answers tell no difference."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import redis

REMEMBERED_S = 86_400


class UnknownLogins:
    """Counts in Redis; a digest stands for what was typed, which may be a password in the wrong field."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        self._redis, self._prefix = client, f"{prefix}unknown-login:"

    def count(self, login: str, most: int, lock_s: int) -> int:
        """Count a try: 0 when it may be answered like a wrong password, else the seconds for which it is "locked"."""
        name = self._prefix + hashlib.blake2b(login.encode("utf-8", "replace"), digest_size=16).hexdigest()
        tries = self._redis.incr(name)
        if tries <= most:
            self._redis.expire(name, lock_s if tries == most else REMEMBERED_S)
            return 0
        return max(1, self._redis.ttl(name))
