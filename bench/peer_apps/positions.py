"""A plain Starlette intake of positions into Redis: `python -m bench.peer_apps.positions PORT REDIS`."""

import sys
from typing import Any

import orjson
import redis.asyncio as redis
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PREFIX = "bench-peer:"


def create(redis_url: str) -> Starlette:
    """POST /one takes one OwnTracks location, POST /many a list; both answer after Redis has acknowledged."""
    store = redis.Redis.from_url(redis_url)

    def write(pipe: Any, fix: dict[str, Any]) -> None:
        pipe.hset(PREFIX + "latest", fix["tid"], orjson.dumps(fix))
        pipe.xadd(PREFIX + "history", {"fix": orjson.dumps(fix)}, maxlen=100_000, approximate=True)

    async def one(request: Request) -> Response:
        fix = orjson.loads(await request.body())
        async with store.pipeline(transaction=False) as pipe:
            write(pipe, fix)
            await pipe.execute()
        return Response(b"[]", media_type="application/json")

    async def many(request: Request) -> Response:
        async with store.pipeline(transaction=False) as pipe:
            for fix in orjson.loads(await request.body()):
                write(pipe, fix)
            await pipe.execute()
        return Response(b"[]", media_type="application/json")

    async def ready(_: Request) -> Response:
        return Response(b"ok")

    routes = [
        Route("/", ready), Route("/one", one, methods=["POST"]), Route("/many", many, methods=["POST"])
    ]  # fmt: skip
    return Starlette(routes=routes)


if __name__ == "__main__":
    uvicorn.run(create(sys.argv[2]), port=int(sys.argv[1]), log_level="warning", access_log=False)
