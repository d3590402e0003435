"""Wall screens: paired by a code like a television, renewed by themselves, revoked at once."""

import secrets
import time
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import orjson

from geodata.queries import walls as queries
from geodata.queries.walls import Wall
from geodata.scope import EVERYTHING, Db, Pool, scoped
from services.access.limits import Limits
from services.access.scopes import scope_of
from services.access.tokens import digest_of
from services.access.viewer import SYSTEM, Viewer
from services.audit import Action, record
from settings import Settings

if TYPE_CHECKING:
    import redis

ALPHABET = "34679CFHJKNPRTXY"  # no two look alike from afar, none is wide; without vowels no code is a word
CODE_LENGTH = 8  # 4 × 10^9 codes
CODE_S = 600  # how long a code is valid
COMMIT_S = 10  # a wall that cannot be seen for so long after it was confirmed never will be
OVERLAP_S = 600  # how long the token before the newest stays valid
WRONG_CODES = (10, 600)  # at once, seconds in which as many come back
NAME_LENGTH = 60
DEMO_NAME = "Demo"
LANGUAGES = ("zh-CN", "en")
REVOKED_DAYS = 30  # for how long a revoked wall is listed

# The wall of a code, unless somebody else was quicker or the code expired meanwhile.
PUT = """
local raw = redis.call('GET', KEYS[1])
if not raw then return 0 end
local pairing = cjson.decode(raw)
if pairing.wall then return 0 end
pairing.wall = tonumber(ARGV[1])
pairing.at = tonumber(redis.call('TIME')[1])
redis.call('SET', KEYS[1], cjson.encode(pairing), 'KEEPTTL')
redis.call('DEL', KEYS[2])
return 1
"""


class BadPairing(ValueError):
    """A field is not as it must be, or no wall shows that code; details say which and what is expected."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(expected)
        self.details = [{"field": field, "expected": expected}]


class TooManyTries(PermissionError):
    """Too many wrong codes; `wait_s` seconds until the next try is looked at."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many wrong codes; try again in {wait_s} seconds.")
        self.wait_s = wait_s


class UnknownWall(LookupError):
    """There is no such wall, or it shows an area outside of what the asker may see: the same answer for both."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """What a wall that is not paired gets: the code that it shows and the secret that it keeps."""

    code: str  # as shown, XXXX-XXXX
    secret: str
    left_s: int


@dataclass(frozen=True, slots=True)
class Claim:
    """How a pairing stands; a token is handed over once and known to nobody else."""

    state: Literal["pending", "paired", "expired"]
    left_s: int = 0
    token: str | None = None


def begin(client: "redis.Redis", prefix: str) -> Pairing:
    """Begin a pairing: a new code, valid for 10 minutes."""
    secret = secrets.token_urlsafe(32)
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if client.set(_code_key(prefix, code), _name(secret), ex=CODE_S, nx=True):
            break
    client.set(_key(prefix, secret), orjson.dumps({"code": code}), ex=CODE_S)
    return Pairing(shown(code), secret, CODE_S)


def confirm(
    conn: Db,
    client: "redis.Redis",
    prefix: str,
    actor: Viewer,
    code: str,
    *,
    name: str,
    area_code: str,
    view: dict[str, Any],
) -> int:
    """Pair the wall that shows the code with an area inside of the administrator's own; returns the wall's id.

    `conn` wears the hat "access". The wall gets its token when it asks next, after the commit. `view` holds lang
    ("zh-CN" or "en") and tour (bool). Raises BadPairing, UnknownArea, TooManyTries.
    """
    limits, who = Limits(client, prefix), f"{actor.kind} {actor.id}"
    if wait_s := limits.take("pairing", who, *WRONG_CODES):
        raise TooManyTries(wait_s)
    wanted, checked = _checked_name(name), _checked_view(view)
    area_no = scope_of(conn, actor, area_code).lo
    typed = plain(code)
    holder = cast("bytes | None", client.get(_code_key(prefix, typed))) if typed else None
    if holder is None:
        raise _no_such_code()
    with conn.transaction():
        wall_id = queries.add_wall(conn, wanted, area_no, checked, actor.name)
        record(
            conn, actor, Action.wall_paired, object_kind="wall", object_id=str(wall_id), area_no=area_no,
            detail={"name": wanted, "area": area_code, **checked},
        )  # fmt: skip
        keys = [f"{prefix}pairing:{holder.decode()}", _code_key(prefix, typed)]
        if not client.eval(PUT, 2, *keys, str(wall_id)):
            raise _no_such_code()
    limits.forget("pairing", who)
    return wall_id


def claim(pool: Pool, client: "redis.Redis", prefix: str, secret: str, token_days: int) -> Claim:
    """How the pairing with that secret stands; once it is confirmed, the first to ask gets the token."""
    key = _key(prefix, secret)
    raw, left_ms = client.get(key), client.pttl(key)
    if raw is None:
        return Claim("expired")
    pairing = orjson.loads(cast(bytes, raw))
    wall_id, pending = pairing.get("wall"), Claim("pending", max(1, round(left_ms / 1000)))
    if wall_id is None:
        return pending
    with scoped(pool, EVERYTHING, "access") as conn:
        if queries.paired(conn, wall_id) is None:  # not committed yet, or never will be, or revoked already
            if time.time() - pairing["at"] < COMMIT_S:
                return pending
            client.delete(key)
            return Claim("expired")
        if client.getdel(key) is None:
            return Claim("expired")  # handed over already
        try:
            return Claim("paired", token=_new_token(conn, wall_id, token_days))
        except Exception:
            client.set(key, cast(bytes, raw), px=max(1000, left_ms))
            raise


def renew(conn: Db, token: str, token_days: int) -> str | None:
    """A new token once more than a third of the old one's life is gone, which then ends in 10 minutes; else None.

    A wall that did not get the answer asks again with the old token and gets another. Raises UnknownWall.
    """
    digest = digest_of(token)
    row = queries.token(conn, digest)
    if row is None:
        raise UnknownWall("This screen is not paired.")
    if row.left_s > token_days * 86_400 * 2 / 3:
        return None
    queries.let_expire(conn, digest, OVERLAP_S)
    return _new_token(conn, row.wall_id, token_days)


def revoke(conn: Db, actor: Viewer, wall_id: int) -> None:
    """Unpair a wall inside of the administrator's scope: its tokens open nothing any more. Raises UnknownWall."""
    wall = queries.paired(conn, wall_id) if 0 < wall_id < 2**63 else None
    if wall is None or not actor.scope.holds(wall.area_no):
        raise UnknownWall(f"There is no paired wall with the number {wall_id}.")
    queries.revoke_wall(conn, wall_id, actor.name)
    record(
        conn, actor, Action.wall_revoked, object_kind="wall", object_id=str(wall_id), area_no=wall.area_no,
        detail={"name": wall.name},
    )  # fmt: skip


def list_walls(conn: Db, actor: Viewer) -> list[Wall]:
    """The walls of areas that the actor may see: paired ones by name, then those revoked in the last 30 days."""
    return [wall for wall in queries.walls(conn, REVOKED_DAYS) if actor.scope.holds(wall.area_no)]


def demo_token(pool: Pool, settings: Settings, old: str | None) -> str | None:
    """A token of the wall of the whole place that the demo pairs itself.

    None when `old`, the token that the browser still has, is of a wall that was revoked: it shows a code like any
    other wall then. Without an area there is no wall either.
    """
    with scoped(pool, EVERYTHING, "access") as conn:
        if old and queries.is_revoked(conn, digest_of(old)):
            return None
        known = queries.demo_wall(conn)
        if known is not None:
            return _new_token(conn, known, settings.wall_token_days)
        area_no = queries.root_area(conn)
        if area_no is None:
            return None
        made = queries.add_wall(conn, DEMO_NAME, area_no, {"tour": True}, SYSTEM.name, demo=True)
        token = _new_token(conn, made, settings.wall_token_days)
        record(
            conn, SYSTEM, Action.wall_paired, object_kind="wall", object_id=str(made), area_no=area_no,
            detail={"name": DEMO_NAME, "demo": True},
        )  # fmt: skip
        return token


def plain(code: str) -> str:
    """A code as it is kept: what somebody typed without hyphens and spaces, in capitals, full-width letters too."""
    typed = unicodedata.normalize("NFKC", code[:40]).upper()
    kept = "".join(char for char in typed if char.isalnum())
    return kept if len(kept) == CODE_LENGTH and set(kept) <= set(ALPHABET) else ""


def shown(code: str) -> str:
    """A code as people read it."""
    return f"{code[:4]}-{code[4:]}"


def _new_token(conn: Db, wall_id: int, token_days: int) -> str:
    token = secrets.token_urlsafe(32)
    queries.add_token(conn, wall_id, digest_of(token), token_days)
    return token


def _no_such_code() -> BadPairing:
    return BadPairing("code", "No wall shows this code; it may have expired. Read it from the screen again.")


def _checked_name(name: str) -> str:
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > NAME_LENGTH or not wanted.isprintable():
        raise BadPairing("name", f"A name of 1 to {NAME_LENGTH} characters, such as where the screen hangs.")
    return wanted


def _checked_view(view: dict[str, Any]) -> dict[str, Any]:
    lang, tour = view.get("lang"), view.get("tour", True)
    if lang not in LANGUAGES or not isinstance(tour, bool) or set(view) - {"lang", "tour"}:
        raise BadPairing("view", "lang is zh-CN or en, tour is true or false; nothing else.")
    return {"lang": lang, "tour": tour}


def _name(secret: str) -> str:
    return digest_of(secret).hex()


def _key(prefix: str, secret: str) -> str:
    return f"{prefix}pairing:{_name(secret)}"


def _code_key(prefix: str, code: str) -> str:
    return f"{prefix}pairing:code:{code}"
