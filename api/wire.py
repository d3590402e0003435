"""WebSocket frames that are made once for all screens: written to the connections as they are, or left to the queue."""

import struct
from collections.abc import Callable

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from services.live.channel import Frame

EXTENSION = "wangge.wire"  # in the ASGI scope of a connection whose server can do this
TEXT, BINARY = 0x81, 0x82  # whole messages (RFC 6455, 5.2)


class WireProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol; an application may also hand it the bytes of a whole frame."""

    def handle_connect(self, event: Request) -> None:
        """Offer the extension; the application starts in the next round of the loop."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = self.write_now  # type: ignore[index, typeddict-item]

    def write_now(self, wire: bytes) -> bool:
        """Write a frame unless the peer is slow, leaving or gone; whether it was written."""
        if (
            not self.writable.is_set()
            or not self.handshake_complete
            or self.close_sent
            or self.disconnected
            or self.transport.is_closing()
        ):
            return False
        self.transport.write(wire)
        return True


class Wire:
    """The last frame as it goes over the line: all screens of a channel get the same one after another."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._bytes = b""

    def writer(self, socket: WebSocket) -> Callable[[Frame], bool] | None:
        """What writes a frame to that connection at once; None where the server can't."""
        write_now: Callable[[bytes], bool] | None = (socket.scope.get("extensions") or {}).get(EXTENSION)
        if write_now is None:
            return None

        def write(frame: Frame) -> bool:
            if frame is not self._frame:
                self._frame, self._bytes = frame, wire_of(frame)
            return write_now(self._bytes)

        return write


def wire_of(frame: Frame) -> bytes:
    """Header and payload of an unmasked message in one frame (RFC 6455, 5.2)."""
    first, payload = (TEXT, frame.encode()) if isinstance(frame, str) else (BINARY, frame)
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", first, size) + payload
    if size < 65_536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload
