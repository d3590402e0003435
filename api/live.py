"""The live feed at the edge: a snapshot, the WebSocket of a screen, and polling where a WebSocket is impossible."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any

import psycopg
from fastapi import Query, Response, WebSocket, WebSocketDisconnect

from api.gate import SIGNED_OUT, Seer, admitted
from api.router import Router
from api.wire import Wire
from services.access import Right, UnknownArea, Viewer
from services.live.channel import Client
from services.runtime import Runtime

UNKNOWN_AREA, TRY_LATER, RESTARTS = 4404, 1013, 1012  # codes of a closed WebSocket
Within = Annotated[
    str | None, Query(max_length=40, description="Code of an area; the whole place if absent.")
]
Version = Annotated[int | None, Query(ge=0, description="The version that the screen has.")]
Of = Annotated[int | None, Query(ge=0, description="The channel of that version, as the snapshot tells it.")]


def router(runtime: Runtime) -> Router:
    """The routes of the live feed."""
    routes = Router(prefix="/api/live", tags=["Live"])
    hub, wire = runtime.hub, Wire()

    @routes.get("/snapshot", response_model=dict[str, Any])
    async def snapshot(viewer: Seer, within: Within = None) -> Response:
        """The whole live state of an area: measures of grids, workers, stations, figures, ticker, and its version."""
        return _json(await hub.snapshot(await hub.scope(viewer, within)))

    @routes.get("/poll", response_model=dict[str, Any])
    async def poll(
        viewer: Seer,
        within: Within = None,
        since: Annotated[int, Query(ge=0, description="The version that the screen has.")] = 0,
        of: Of = None,
        turn: Annotated[int, Query(ge=0, description="The turn of positions that the screen has.")] = 0,
    ) -> Response:
        """What a WebSocket would have brought since then."""
        return _json(hub.poll(await hub.scope(viewer, within), since, of, turn))

    @routes.websocket("")
    async def live(socket: WebSocket, within: Within = None, since: Version = None, of: Of = None) -> None:
        """One screen: frames of JSON text, positions as binary (docs/reference/live.md)."""
        await socket.accept()
        viewer = await admitted(socket, Right.MAP)
        if viewer is None:
            return
        try:
            scope = await hub.scope(viewer, within)
        except UnknownArea as error:
            await socket.close(UNKNOWN_AREA, str(error)[:100])
            return
        except psycopg.Error:
            await socket.close(TRY_LATER, "the database is away")
            return
        client = hub.join(scope, since, of)
        client.write = wire.writer(socket)
        try:
            await _serve(socket, client, viewer)
        finally:
            hub.leave(scope, client)

    async def _serve(socket: WebSocket, client: Client, viewer: Viewer) -> None:
        sending = asyncio.create_task(_send(socket, client))
        runtime.watch.join(client, viewer, lambda: socket.close(SIGNED_OUT, "the session has ended"))
        try:
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass  # screens have nothing to say
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            runtime.watch.leave(client)
            sending.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await sending

    return routes


async def _send(socket: WebSocket, client: Client) -> None:
    """Send what is queued until the hub lets go; a peer that is gone ends it too."""
    send = socket.send
    while (queued := await client.frames()) is not None:
        for frame in queued:
            if isinstance(frame, str):
                await send({"type": "websocket.send", "text": frame})
            else:
                await send({"type": "websocket.send", "bytes": frame})
    await socket.close(RESTARTS, "the server restarts")


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
