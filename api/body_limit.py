"""A limit for the body of every request, before anything reads it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import refusal

MOST_BYTES = 1 << 20
OWN_LIMIT = (
    "/api/positions/",
    "/api/pictures",
    "/open311/v2/requests.",
)  # routes that read as they go, and refuse at a limit of their own


class BodyLimit:
    """ASGI middleware; takes the whole body first, so that a slow sender holds no thread of those who wait for it."""

    def __init__(self, app: ASGIApp, most_bytes: int = MOST_BYTES) -> None:
        self.app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(OWN_LIMIT):
            await self.app(scope, receive, send)
            return
        announced = {
            name: value
            for name, value in scope["headers"]
            if name in (b"content-length", b"transfer-encoding")
        }
        if not announced or announced.get(b"content-length") == b"0":
            await self.app(scope, receive, send)
            return
        length = announced.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._most_bytes:
            await self._refuse(scope, receive, send)
            return
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > self._most_bytes:
                await self._refuse(scope, receive, send)
                return
        whole: Message | None = {"type": "http.request", "body": b"".join(parts), "more_body": False}
        del parts

        async def replay() -> Message:
            nonlocal whole
            if whole is None:
                return await receive()
            message, whole = whole, None
            return message

        await self.app(scope, replay, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        sentence = f"The body may have {self._most_bytes} bytes at most."
        await refusal(413, "too_large", sentence, headers={"Connection": "close"})(scope, receive, send)
