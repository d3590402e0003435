"""Errors in the shape of GeoReport v2: a list of code and description, in the format that was asked for."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.errors import answer_to
from api.open311.formats import Form, answer
from services.open311.errors import Refused


class Route(APIRoute):
    """A route whose refusals, those of the gate and of the database included, have the specification's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route with its refusals turned."""
        plain = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await plain(request)
            except Exception as error:
                return refusal(request, error)

        return handler


def refusal(request: Request, error: Exception) -> Response:
    """The answer to a raised error; what has none in api/errors.py is raised again."""
    form: Form = "xml" if request.url.path.endswith(".xml") else "json"
    headers: dict[str, str] = {}
    if isinstance(error, Refused):
        code, sentences = error.code, [str(error)]
    elif isinstance(error, RequestValidationError):
        code = 400
        sentences = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()]
    else:
        told = answer_to(request, error)
        code = 400 if told.status_code == 422 else told.status_code
        body = orjson.loads(told.body)["error"]
        sentences = [_sentence(body["message"], one) for one in body["details"]] or [body["message"]]
        headers = {name: told.headers[name] for name in ("retry-after",) if name in told.headers}
    return answer(form, "errors", [{"code": code, "description": one} for one in sentences], code, headers)


def _sentence(message: str, detail: dict[str, Any]) -> str:
    """A fault in one sentence: the field and what is expected of it."""
    field = detail.get("field") or detail.get("where")
    expected = detail.get("expected") or detail.get("message")
    return f"{field}: {expected}" if field and expected else message
