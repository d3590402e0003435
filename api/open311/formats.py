"""The two formats of GeoReport v2: the same lists and objects as JSON or as XML."""

import re
from html import escape
from typing import Any, Literal

import orjson
from fastapi import Response

Form = Literal["json", "xml"]
TYPES: dict[Form, str] = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
# What XML 1.0 cannot hold, escaped or not.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Elements of a list are named by one of them.
_ONE = {
    "services": "service", "service_requests": "request", "attributes": "attribute", "values": "value",
    "errors": "error", "endpoints": "endpoint", "formats": "format",
}  # fmt: skip


def answer(
    form: Form, root: str, body: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A body as JSON, or as XML below an element named `root`."""
    content = orjson.dumps(body) if form == "json" else xml(root, body)
    return Response(content, status, headers, TYPES[form])


def xml(root: str, body: Any) -> bytes:
    """A document: a list becomes elements of its singular name, null an empty element."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(root, body)}\n'.encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        inside = "".join(_element(_ONE[name], one) for one in value)
    elif isinstance(value, dict):
        inside = "".join(_element(key, one) for key, one in value.items())
    elif value is None:
        inside = ""
    elif isinstance(value, bool):
        inside = str(value).lower()
    else:
        inside = escape(_NO_XML.sub("", str(value)), quote=False)
    return f"<{name}>{inside}</{name}>" if inside else f"<{name}/>"
