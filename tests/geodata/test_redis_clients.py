"""Redis clients: many at once wait for a connection instead of being turned away."""

import asyncio

from geodata.redis_clients import loop_redis
from geodata.servers import Stores


def test_hundreds_of_callers_at_the_same_moment_are_all_answered(stores: Stores) -> None:
    async def ask() -> list[object]:
        client = loop_redis(stores.redis_url)
        answers = await asyncio.gather(*(client.echo(str(n)) for n in range(300)), return_exceptions=True)
        await client.aclose()
        return answers

    assert asyncio.run(ask()) == [str(n).encode() for n in range(300)]
