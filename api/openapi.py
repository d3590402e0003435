"""The description of /api: title and tags for OpenAPI, and a page of it that needs no other server."""

from html import escape
from threading import Lock
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from api.gate import guard
from api.router import ANY
from screens.icon import ICON
from settings import VERSION

WORDS = """
Interfaces of Wangge, the command centre for grid governance.

- Coordinates are degrees in EPSG:4326 (CGCS2000 at map accuracy), longitude first; distances are metres.
- Times are ISO 8601 with a zone; without one they are refused.
- `within` narrows an answer to the area of that code; absent, it is the whole place.
- Every error has the body `{"error": {"code", "message", "details"}}`.
- An `X-Request-ID` header is kept, or made, and sent back; the log carries it.
"""
TAGS = [
    {"name": "Map", "description": "Areas, tickets, people and stations to draw."},
    {
        "name": "Live",
        "description": "What changes: one WebSocket per screen, a snapshot, and polling as a fallback.",
    },
    {"name": "Tickets", "description": "Tickets from report to rating: filed, listed, commanded, told of."},
    {
        "name": "Dispatch",
        "description": "The dispatchers' desk: queue, claims, candidates, assignment, plans, incidents.",
    },
    {"name": "Loops", "description": "The place's own steps, warning lists, ledgers, rounds and duties."},
    {"name": "Desks", "description": "Call-backs, supervision and consultations; ledgers as files."},
    {"name": "Mediation", "description": "Cases of mediation on three tiers, their parties masked."},
    {"name": "Pictures", "description": "Pictures in, drawn anew without metadata, and their thumbnails."},
    {"name": "Call-backs out", "description": "Telling other systems what became of their tickets, signed."},
    {
        "name": "Open311",
        "description": "GeoReport v2: anybody's apps read what is public and report, in JSON or XML.",
    },
    {
        "name": "Positions",
        "description": "Where grid workers on shift are: Traccar Client/OsmAnd, OwnTracks, batches.",
    },
    {"name": "Figures", "description": "The numbers of the panels."},
    {"name": "Video", "description": "Video stations and their streams."},
    {"name": "Sessions", "description": "Signing in and out, and what is one's own."},
    {
        "name": "People under care",
        "description": "The register, masked; a name opened for a reason, visits, export.",
    },
    {"name": "Roster", "description": "Who is on duty."},
    {"name": "Walls", "description": "Wall screens: paired by a code, renewed, revoked."},
    {"name": "Audit", "description": "Who looked at what and changed what."},
    {"name": "Operation", "description": "Health, readiness, measures, this description."},
]
ABOUT: dict[str, Any] = {
    "title": "Wangge",
    "version": VERSION,
    "summary": "All grids, live tickets and workers of a county on one map.",
    "description": WORDS,
    "openapi_tags": TAGS,
    "openapi_url": None,  # what FastAPI offers there would build all routes in the event loop
    "docs_url": None,  # its page loads scripts from a CDN, which a closed network has not
    "redoc_url": None,
    "license_info": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}


def router(app: FastAPI) -> APIRouter:
    """The description as JSON and as a page; both in a thread, as the first of them builds all routes."""
    # Not a Router of ours: its answers hold the shape of errors, to which those of all other routes refer.
    routes = APIRouter(prefix="/api", tags=["Operation"], dependencies=[Depends(guard)], responses=dict(ANY))

    one_by_one = Lock()  # who asks while it is made waits for it, else each would make it

    def description() -> dict[str, Any]:
        with one_by_one:
            return app.openapi()

    @routes.get("/openapi.json", include_in_schema=False)
    def described() -> JSONResponse:
        """This description."""
        return JSONResponse(description())

    @routes.get("/docs", response_class=HTMLResponse)
    def docs() -> str:
        """This description as a page."""
        return page(description())

    return routes


def page(description: dict[str, Any]) -> str:
    """An OpenAPI description as one HTML page without scripts."""
    parts = []
    for path, methods in sorted(description["paths"].items()):
        for method, route in methods.items():
            rows = "".join(
                f"<tr><td><code>{escape(p['name'])}</code><td>{escape(p['in'])}"
                f"{'' if p.get('required') else ', optional'}"
                f"<td>{escape(_kind(p.get('schema', {})))}<td>{escape(p.get('description', ''))}"
                for p in route.get("parameters", [])
            )
            body = route.get("requestBody", {}).get("content", {})
            rows += "".join(
                f"<tr><td>body<td>{escape(kind)}<td colspan=2>{escape(_kind(c.get('schema', {})))}"
                for kind, c in body.items()
            )
            parts.append(
                f"<section><h2><b>{method.upper()}</b> {escape(path)}</h2><p>{escape(route.get('description', ''))}</p>"
                + (f"<table>{rows}</table>" if rows else "")
                + "</section>"
            )
    info = description["info"]
    style = (
        "body{font:16px/1.5 system-ui,'Noto Sans CJK SC',sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "h2{font:600 1rem ui-monospace,monospace;margin:2rem 0 0;border-top:1px solid #ccc;padding-top:1rem}"
        "td{padding:.1rem 1rem .1rem 0;vertical-align:top}p{white-space:pre-line;margin:.3rem 0}"
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{escape(info['title'])} API</title>{ICON}<style>{style}</style>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        "<p><a href=/api/openapi.json>openapi.json</a></p>" + "".join(parts)
    )


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", ""))
