"""A Starlette fan-out with one asyncio queue a client: `python -m bench.peer_apps.fanout PORT`."""

import asyncio
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


def create() -> Starlette:
    """WebSocket /live hears what POST /publish says."""
    queues: set[asyncio.Queue[str]] = set()

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        queue: asyncio.Queue[str] = asyncio.Queue(8)
        queues.add(queue)
        try:
            while True:
                await socket.send_text(await queue.get())
        except WebSocketDisconnect:
            pass
        finally:
            queues.discard(queue)

    async def publish(request: Request) -> Response:
        message = (await request.body()).decode()
        for queue in queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(message)
        return Response(b"")

    async def ready(_: Request) -> Response:
        return Response(b"ok")

    routes = [Route("/", ready), WebSocketRoute("/live", live), Route("/publish", publish, methods=["POST"])]
    return Starlette(routes=routes)


if __name__ == "__main__":
    uvicorn.run(
        create(), port=int(sys.argv[1]), log_level="warning", access_log=False, ws_per_message_deflate=False
    )
