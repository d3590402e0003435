"""How a command ends: errors that a person can act on become sentences; private servers are released."""

import sys
from contextlib import suppress


class Refused(Exception):
    """A command cannot do what it was asked; the message says why, and what to do."""


def sentence(error: Exception) -> str | None:
    """What to tell the person at the terminal; None for a fault of ours, which deserves its traceback."""
    import psycopg
    import pydantic
    import redis

    from geodata.servers import ServersRefused

    if isinstance(error, Refused | ServersRefused):
        return str(error)
    if isinstance(error, psycopg.OperationalError):
        return (
            f"The database cannot be reached: {str(error).strip()}\nSee ./wangge status (and DATABASE_URL)."
        )
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return f"Redis cannot be reached: {error}\nSee ./wangge status (and REDIS_URL)."
    if isinstance(error, pydantic.ValidationError) and error.title == "Settings":
        faults = "\n".join(
            f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        return f"A setting is not as it should be (docs/reference/settings.md):\n{faults}"
    return None


def release() -> None:
    """Stop the private servers if a command started them and nobody else uses them now."""
    if "geodata.servers" not in sys.modules:
        return
    import pydantic

    from geodata import servers
    from settings import Settings

    # The command's own outcome matters more; the next command finds them.
    with suppress(servers.ServersRefused, OSError, pydantic.ValidationError):
        servers.release(Settings())
