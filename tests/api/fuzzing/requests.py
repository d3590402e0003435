"""Requests to one route: some drawn by schemathesis from the OpenAPI description, the others bent from those.

Drawing by the description costs a hundred times what bending does, and a request that differs from a good one in one
place goes further than one that is wrong everywhere.
"""

import json
from itertools import zip_longest
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.api.fuzzing.in_process import Request
from tests.api.fuzzing.values import anything, changed, text

DRAWN = 40  # requests by the description at most, for each mode
JSON = "application/json"


class Parts(NamedTuple):
    """What a request is made of, before it is quoted and encoded; `body` is JSON if `content_type` says so."""

    path: dict[str, Any]
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any
    content_type: str | None


class Requests:
    """Makes requests to one operation of the description, as many as wanted."""

    def __init__(self, operation: Any, number: int, wanted: int) -> None:
        from schemathesis.generation.modes import GenerationMode  # a second of imports

        self._method, self._template = operation.method.upper(), operation.path
        self._chance = Random(f"{number} {operation.label}")
        self._names = sorted(one.name for one in operation.query)
        modes = [GenerationMode.POSITIVE]
        if operation.body or list(operation.iter_parameters()):
            modes.append(GenerationMode.NEGATIVE)
        found = [drawn(operation, mode, number, min(max(wanted // 4, 1), DRAWN)) for mode in modes]
        self._seeds = [parts for several in zip_longest(*found) for parts in several if parts]

    def make(self, wanted: int) -> list[Request]:
        """Drawn ones of either mode in turn, then bent ones, half of all at least."""
        found = [self._encoded(parts) for parts in self._seeds[: (wanted + 1) // 2]]
        return found + [self._encoded(self._bent()) for _ in range(wanted - len(found))]

    def _bent(self) -> Parts:
        chance = self._chance
        parts, other = chance.choice(self._seeds), chance.choice(self._seeds)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            places = ["headers"] if self._method not in ("GET", "DELETE") else []
            places += ["path"] * (2 if parts.path else 0) + ["query"] * (5 if self._names else 0)
            places += ["body"] * (6 if parts.content_type else 0)
            place = chance.choice(places or ["headers"])
            parts = parts._replace(**{place: getattr(self, f"_{place}")(parts, other)})
        return parts

    def _path(self, parts: Parts, other: Parts) -> dict[str, Any]:
        name = self._chance.choice(sorted(parts.path))
        kind = self._chance.random()
        if kind < 0.4:
            return parts.path | {name: self._chance.randrange(1, 40)}  # an id that may well be there
        return parts.path | {name: other.path.get(name, "1") if kind < 0.6 else text(self._chance)}

    def _query(self, parts: Parts, other: Parts) -> dict[str, Any]:
        name, kind = self._chance.choice(self._names), self._chance.random()
        if kind < 0.15:
            return {key: value for key, value in parts.query.items() if key != name}
        if kind < 0.35 and name in other.query:
            return parts.query | {name: other.query[name]}
        if kind < 0.5 and name in parts.query:
            return parts.query | {name: changed(self._chance, parts.query[name])}
        return parts.query | {name: text(self._chance)}

    def _headers(self, parts: Parts, _: Parts) -> dict[str, str]:
        name = self._chance.choice(
            ("Accept-Language", "If-None-Match", "Idempotency-Key", "Range", "Content-Type")
        )
        return parts.headers | {name: text(self._chance).encode("ascii", "ignore").decode().replace("\n", "")}

    def _body(self, parts: Parts, other: Parts) -> Any:
        chance = self._chance
        if isinstance(parts.body, bytes):
            at = chance.randrange(len(parts.body) + 1)
            return (
                parts.body[:at]
                + chance.randbytes(chance.randrange(8))
                + parts.body[at + chance.randrange(3) :]
            )
        kind = chance.random()
        if kind < 0.05:
            return anything(chance)
        if kind < 0.1:
            return encoded_json(parts.body)[: chance.randrange(1, 40)]
        if kind < 0.4 and isinstance(parts.body, dict) and isinstance(other.body, dict) and other.body:
            key = chance.choice(list(other.body))
            return parts.body | {key: other.body[key]}
        return changed(chance, parts.body)

    def _encoded(self, parts: Parts) -> Request:
        path = self._template
        for name, value in parts.path.items():
            path = path.replace("{" + name + "}", quote(plain(value), safe="", errors="replace") or "%20")
        query = [
            (key, plain(each))
            for key, value in parts.query.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        body, headers = b"", dict(parts.headers)
        if parts.content_type:
            body = parts.body if isinstance(parts.body, bytes) else encoded_json(parts.body)
            headers.setdefault("Content-Type", parts.content_type)
        lines = tuple(
            (name.lower().encode("latin-1", "ignore"), value.encode("latin-1", "ignore"))
            for name, value in headers.items()
        )
        return Request(self._method, path, urlencode(query, errors="replace").encode(), lines, body)


def plain(value: Any) -> str:
    """A value as it stands in an address."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, dict | list | bool) or value is None else str(value)


def encoded_json(value: Any) -> bytes:
    """As lenient programs write it: NaN, halves of surrogate pairs and all."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def drawn(operation: Any, mode: Any, number: int, wanted: int) -> list[Parts]:
    """So many requests that the description allows (or, in the negative mode, does not)."""
    found: list[Parts] = []

    @seed(number)
    @settings(
        max_examples=wanted, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate], print_blob=False,
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        found.append(parts_of(case))

    draw()
    return found


def parts_of(case: Any) -> Parts:
    """A case of schemathesis, taken apart."""
    body, content_type = None, case.media_type
    sent = case.as_transport_kwargs(base_url="http://localhost")
    headers = {name: str(value) for name, value in sent["headers"].items()}
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() not in ("accept-encoding", "connection", "user-agent", "content-length")
    }
    if content_type == JSON and "json" in sent:
        body = sent["json"]
    elif sent.get("data") is not None or sent.get("files"):
        given_body = {key: sent[key] for key in ("data", "files") if sent.get(key) is not None}
        if isinstance(given_body.get("data"), bytes | str):
            given_body["content"] = given_body.pop("data")
        try:
            whole = httpx.Request("POST", "http://localhost", **given_body)
            body = whole.read()
        except (AttributeError, TypeError, ValueError):  # what no client can send
            body = b""
        else:
            content_type = whole.headers.get("content-type", content_type)
    elif content_type:
        body = b""
    return Parts(dict(case.path_parameters or {}), dict(case.query or {}), kept, body, content_type)
