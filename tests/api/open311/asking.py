"""A request as a client of GeoReport v2 makes it."""

import secrets
from typing import Any

import httpx
import psycopg

import profiles
from services.access import SYSTEM
from services.tickets import Report, file_ticket
from tests.small_place import centre

LON, LAT = centre(1, 1, 1)
ASKED = {"service_code": "05003", "lat": str(LAT), "long": str(LON), "description": "路灯不亮，请修"}
TOKEN = secrets.token_urlsafe(24)


def post(client: httpx.Client, form: str = "json", **changes: str) -> httpx.Response:
    return client.post(f"/requests.{form}", data={**ASKED, **changes})


def filed(client: httpx.Client, **changes: str) -> dict[str, Any]:
    """A request that was just posted, as everybody reads it."""
    answer = post(client, **changes)
    assert answer.status_code == 201, answer.text
    number = answer.json()[0]["service_request_id"]
    return dict(client.get(f"/requests/{number}.json").json()[0])


def tickets(conn: psycopg.Connection[Any], **changes: Any) -> int:
    """A ticket of another channel than Open311."""
    profile = profiles.load("zoucheng")
    given = {"channel": "12345", "category": "05003", "title": "匿名的话", "lon": LON, "lat": LAT, **changes}
    return file_ticket(conn, profile, SYSTEM, Report(**given), source="api").ticket.id
