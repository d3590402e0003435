"""Frames written straight to the connections: every length, in order, and a slow screen still hears of a gap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from api.live import _send
from api.wire import EXTENSION, Wire, WireProtocol
from services.live.channel import QUEUE_LENGTH, Client, Frame

GAP = '{"t":"gap"}'


class Line:
    """A client of the hub on a real connection, and how many frames needed no queue."""

    def __init__(self, client: Client, socket: ClientConnection) -> None:
        self.client, self.socket, self.at_once = client, socket, 0
        write = client.write
        if write is not None:
            client.write = lambda frame: self._counted(write(frame))

    def _counted(self, written: bool) -> bool:
        self.at_once += written
        return written


@asynccontextmanager
async def line(ws: object = WireProtocol) -> AsyncIterator[Line]:
    """One screen on a uvicorn of its own."""
    joined: asyncio.Queue[Client] = asyncio.Queue()
    wire = Wire()

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        client = Client(GAP)
        client.write = wire.writer(socket)
        joined.put_nowait(client)
        sending = asyncio.create_task(_send(socket, client))
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
        sending.cancel()

    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/", live)]), port=0, log_level="warning", ws=ws, lifespan="off",
        ws_per_message_deflate=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with connect(f"ws://127.0.0.1:{port}/", max_size=None, max_queue=1, compression=None) as socket:
        yield Line(await joined.get(), socket)
    server.should_exit = True
    await serving


async def test_every_length_arrives_as_it_was_sent() -> None:
    sent: list[Frame] = [b"", "", "\u4f60\u597d"]
    for size in (1, 125, 126, 127, 65_535, 65_536, 300_000):
        sent += [b"\x00" * size, "x" * size]
    async with line() as screen:
        for frame in sent:
            screen.client.put(frame)
            assert await screen.socket.recv() == frame
        assert screen.at_once == len(sent)


async def test_order_is_kept_between_what_is_queued_and_what_is_not() -> None:
    async with line() as screen:
        screen.client.begin(["0", "1"])
        for number in range(2, 8):
            screen.client.put(str(number))
        assert screen.at_once == 0, "nothing overtakes what waits"
        assert [await screen.socket.recv() for _ in range(8)] == [str(number) for number in range(8)]
        screen.client.put("8")
        assert screen.at_once == 1
        assert await screen.socket.recv() == "8"


async def test_a_slow_screen_fills_its_queue_and_is_told_of_a_gap() -> None:
    async with line() as screen:
        for _ in range(400):
            screen.client.put(b"x" * 100_000)  # more than all buffers of the connection
            await asyncio.sleep(0)
        assert len(screen.client._frames) <= QUEUE_LENGTH
        assert 0 < screen.at_once < 400
        heard = [await screen.socket.recv()]
        while heard[-1] != GAP:
            heard.append(await asyncio.wait_for(screen.socket.recv(), 10))
        assert len(heard) < 400


async def test_a_screen_that_is_let_go_is_told_so_and_gets_nothing_more() -> None:
    async with line() as screen:
        screen.client.put("last")
        screen.client.close()
        screen.client.put("late")
        assert await screen.socket.recv() == "last"
        assert await screen.socket.recv() == "late", "what was queued before the end is still sent"
        with pytest.raises(ConnectionClosedError):
            await screen.socket.recv()
        assert screen.socket.close_code == 1012
        before = screen.at_once
        screen.client.put("too late")
        assert screen.at_once == before


async def test_another_server_sends_through_the_queue() -> None:
    async with line(ws="websockets-sansio") as screen:
        assert screen.client.write is None
        screen.client.put("hello")
        assert await screen.socket.recv() == "hello"


@pytest.mark.parametrize("extensions", [None, {}, {"websocket.http.response": {}}])
def test_a_scope_without_the_extension_has_no_writer(extensions: dict[str, object] | None) -> None:
    scope = {"type": "websocket", "extensions": extensions}
    assert EXTENSION not in (extensions or {})
    assert Wire().writer(WebSocket(scope, None, None)) is None  # type: ignore[arg-type]
