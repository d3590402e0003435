"""Reading a request's body with a limit, as JSON."""

from typing import Any

import orjson
from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect


async def limited_body(request: Request, limit_bytes: int) -> bytes:
    """The body; 413 as soon as it is longer than the limit, without reading the rest."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise HTTPException(413, f"The body may have {limit_bytes} bytes at most.")
    parts: list[bytes] = []
    length = 0
    try:
        more = True
        while more:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            part, more = message.get("body", b""), message.get("more_body", False)
            length += len(part)
            if length > limit_bytes:
                raise HTTPException(413, f"The body may have {limit_bytes} bytes at most.")
            parts.append(part)
    except ClientDisconnect:
        raise HTTPException(400, "The body ended early.") from None
    return b"".join(parts)


def json_of(body: bytes) -> Any:
    """The body as JSON; 400 with the place of the fault. NaN and Infinity are no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, f"The body is no JSON: {error}.") from None
