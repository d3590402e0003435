"""Wall screens of the bench: paired with the running product by their codes, as people do."""

from dataclasses import replace

import httpx
import psycopg
import redis

from api.gate import WALL
from bench import signed_in
from bench.context import Context
from bench.processes import Server
from bench.result import Missing
from geodata.redis_clients import loop_redis
from services.access.sessions import Sessions

SESSION_S = 600


def paired(context: Context, server: Server, name: str) -> str:
    """Pair a wall of the whole place; the header line of its session, ended by CRLF."""
    stores = context.stores
    chief = replace(signed_in.BENCH, kind="account", role="administrator")
    with redis.Redis.from_url(stores.redis_url) as client:
        sessions = Sessions(
            client, loop_redis(stores.redis_url), stores.key_prefix, idle_s=SESSION_S, absolute_s=SESSION_S
        )
        token = sessions.open(chief, ip="", agent="bench")
    with psycopg.connect(stores.database_url) as conn:
        place = conn.execute("SELECT code FROM area WHERE parent_no IS NULL AND valid_to IS NULL").fetchone()
    if place is None:
        raise Missing("a place in the reference data")
    with httpx.Client(base_url=server.url, trust_env=False) as screen:
        begun = screen.post("/api/walls/pairing").raise_for_status().json()
        httpx.post(
            f"{server.url}/api/walls",
            json={"code": begun["code"], "name": name, "area": place[0], "view": {"lang": "zh-CN"}},
            cookies={"wangge_session": token, "_csrf_token": chief.csrf},
            headers={"X-CSRFToken": chief.csrf},
            trust_env=False,
        ).raise_for_status()
        screen.post("/api/walls/pairing/claim", json={"secret": begun["secret"]}).raise_for_status()
        return f"Cookie: {WALL}={screen.cookies[WALL]}\r\n"
