"""Pairing of walls: a code works once and not for long, a token renews itself, and who may pair and revoke what."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis

from geodata.scope import EVERYTHING, Pool, Scope, scoped
from geodata.servers import Stores
from services.access import UnknownArea, Viewer, walls
from services.access.tokens import digest_of
from services.access.walls import ALPHABET, BadPairing, TooManyTries, UnknownWall
from settings import Settings
from tests.small_place import grid_no

DAYS = 90
TOWN_1 = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)
CHIEF = Viewer("account", 1, "chief", "administrator", EVERYTHING, ("370883",))
TOWN_CHIEF = Viewer("account", 2, "town-chief", "administrator", TOWN_1, ("370883001",))
VIEW = {"lang": "zh-CN", "tour": True}


@pytest.fixture
def client(clone: Stores) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(clone.redis_url) as opened:
        yield opened


@pytest.fixture
def prefix(clone: Stores) -> str:
    return clone.key_prefix


def confirm(
    pool: Pool, client: "redis.Redis", prefix: str, code: str, actor: Viewer = CHIEF, **changed: Any
) -> int:
    fields = {"name": "大厅", "area_code": "370883001", "view": VIEW} | changed
    with scoped(pool, EVERYTHING, "access") as conn:
        return walls.confirm(conn, client, prefix, actor, code, **fields)


def pair(pool: Pool, client: "redis.Redis", prefix: str) -> tuple[int, str]:
    pairing = walls.begin(client, prefix)
    wall_id = confirm(pool, client, prefix, pairing.code)
    claim = walls.claim(pool, client, prefix, pairing.secret, DAYS)
    assert claim.token
    return wall_id, claim.token


def renewed(pool: Pool, token: str) -> str | None:
    with scoped(pool, EVERYTHING, "access") as conn:
        return walls.renew(conn, token, DAYS)


def asked(stores: Stores, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(stores.database_url) as conn:
        return conn.execute(query, values).fetchall()  # type: ignore[arg-type]


def test_a_wall_is_paired_and_gets_its_token_once(
    clone: Stores, pool: Pool, client: "redis.Redis", prefix: str
) -> None:
    pairing = walls.begin(client, prefix)
    assert len(pairing.code) == 9
    assert pairing.code[4] == "-"
    assert set(pairing.code) <= {*ALPHABET, "-"}
    assert not set(ALPHABET) & set("01OQDILS5Z2B8UVG")
    assert walls.claim(pool, client, prefix, pairing.secret, DAYS).state == "pending"

    wall_id = confirm(pool, client, prefix, pairing.code)
    claim = walls.claim(pool, client, prefix, pairing.secret, DAYS)
    assert claim.state == "paired"
    assert claim.token
    assert walls.claim(pool, client, prefix, pairing.secret, DAYS) == walls.Claim("expired")

    rows = asked(
        clone,
        "SELECT w.id, w.name, w.area_no, w.view, w.created_by, t.expires_at - t.created_at = interval '90 days'"
        " FROM wall_screen w JOIN wall_token t ON t.wall_id = w.id WHERE t.token_sha256 = %s",
        digest_of(claim.token),
    )
    assert rows == [(wall_id, "大厅", grid_no(1, 0, 0), VIEW, "chief", True)]
    audited = asked(clone, "SELECT actor_name, action, object_id, area_no, detail FROM audit")
    assert audited == [
        (
            "chief",
            "wall_paired",
            str(wall_id),
            grid_no(1, 0, 0),
            {"name": "大厅", "area": "370883001", **VIEW},
        )
    ]


def test_what_the_stores_keep_opens_nothing(
    clone: Stores, pool: Pool, client: "redis.Redis", prefix: str
) -> None:
    pairing = walls.begin(client, prefix)
    confirm(pool, client, prefix, pairing.code)
    kept = [key + (client.get(key) or b"") for key in client.scan_iter(f"{prefix}pairing:*")]
    assert kept
    assert not any(pairing.secret.encode() in entry for entry in kept)


def test_the_code_as_people_type_it(pool: Pool, client: "redis.Redis", prefix: str) -> None:
    for typed in (str.lower, lambda code: code.replace("-", " "), lambda code: f" {code.replace('-', '')} ",
                  lambda code: "".join(chr(ord(c) + 0xFEE0) for c in code)):  # fmt: skip  # full-width
        assert confirm(pool, client, prefix, typed(walls.begin(client, prefix).code)) > 0


def test_a_code_works_once(clone: Stores, pool: Pool, client: "redis.Redis", prefix: str) -> None:
    pairing = walls.begin(client, prefix)
    confirm(pool, client, prefix, pairing.code)
    with pytest.raises(BadPairing) as refused:
        confirm(pool, client, prefix, pairing.code)
    assert refused.value.details[0]["field"] == "code"
    assert asked(clone, "SELECT count(*) FROM wall_screen") == [(1,)]


def test_two_administrators_at_once_pair_one_wall(
    clone: Stores, pool: Pool, client: "redis.Redis", prefix: str
) -> None:
    """The second has looked the code up already when the first is through."""
    pairing = walls.begin(client, prefix)
    holder = client.get(f"{prefix}pairing:code:{walls.plain(pairing.code)}")
    confirm(pool, client, prefix, pairing.code)
    client.set(f"{prefix}pairing:code:{walls.plain(pairing.code)}", holder, ex=60)  # as it was before
    with scoped(pool, EVERYTHING, "access") as conn, pytest.raises(BadPairing):
        walls.confirm(
            conn, client, prefix, CHIEF, pairing.code, name="b", area_code="370883", view=VIEW
        )  # caught inside of the transaction, which commits
    assert asked(clone, "SELECT name FROM wall_screen") == [("大厅",)]
    assert asked(clone, "SELECT count(*) FROM audit") == [(1,)]


def test_a_code_expires(pool: Pool, client: "redis.Redis", prefix: str) -> None:
    pairing = walls.begin(client, prefix)
    keys = list(client.scan_iter(f"{prefix}pairing:*"))
    assert len(keys) == 2
    assert all(walls.CODE_S - 5 < client.ttl(key) <= walls.CODE_S for key in keys)
    client.delete(*keys)  # ten minutes later
    assert walls.claim(pool, client, prefix, pairing.secret, DAYS).state == "expired"
    with pytest.raises(BadPairing):
        confirm(pool, client, prefix, pairing.code)


def test_a_wall_asks_before_the_administrators_transaction_ends(
    pool: Pool, client: "redis.Redis", prefix: str
) -> None:
    pairing = walls.begin(client, prefix)
    with scoped(pool, EVERYTHING, "access") as conn:
        walls.confirm(conn, client, prefix, CHIEF, pairing.code, name="a", area_code="370883", view=VIEW)
        assert walls.claim(pool, client, prefix, pairing.secret, DAYS).state == "pending"
    assert walls.claim(pool, client, prefix, pairing.secret, DAYS).state == "paired"


def test_a_confirmation_that_was_lost_frees_the_wall(
    pool: Pool, client: "redis.Redis", prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairing = walls.begin(client, prefix)
    with pytest.raises(ZeroDivisionError), scoped(pool, EVERYTHING, "access") as conn:
        walls.confirm(conn, client, prefix, CHIEF, pairing.code, name="a", area_code="370883", view=VIEW)
        raise ZeroDivisionError
    assert walls.claim(pool, client, prefix, pairing.secret, DAYS).state == "pending"
    monkeypatch.setattr(walls, "COMMIT_S", 0)
    assert walls.claim(pool, client, prefix, pairing.secret, DAYS).state == "expired"


def test_wrong_codes_are_counted_for_each_administrator(
    pool: Pool, client: "redis.Redis", prefix: str
) -> None:
    for _ in range(walls.WRONG_CODES[0]):
        with pytest.raises(BadPairing):
            confirm(pool, client, prefix, "3333-3333")
    pairing = walls.begin(client, prefix)
    with pytest.raises(TooManyTries) as refused:  # the right one too
        confirm(pool, client, prefix, pairing.code)
    assert 0 < refused.value.wait_s <= walls.WRONG_CODES[1]
    assert confirm(pool, client, prefix, pairing.code, TOWN_CHIEF) > 0


def test_right_codes_are_not_counted(pool: Pool, client: "redis.Redis", prefix: str) -> None:
    for _ in range(walls.WRONG_CODES[0] + 2):
        pair(pool, client, prefix)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "  "), ("name", "x" * 61), ("name", "a\x00b"), ("view", {"lang": "fr"}),
     ("view", {"lang": "en", "tour": "yes"}), ("view", {"lang": "en", "people": True})],
)  # fmt: skip
def test_a_bad_field_is_named_and_costs_no_code(
    pool: Pool, client: "redis.Redis", prefix: str, field: str, value: Any
) -> None:
    pairing = walls.begin(client, prefix)
    with pytest.raises(BadPairing) as refused:
        confirm(pool, client, prefix, pairing.code, **{field: value})
    assert refused.value.details[0]["field"] == field
    assert confirm(pool, client, prefix, pairing.code) > 0


@pytest.mark.parametrize("code", ["370883002", "370883", "000000", "", "\x00"])
def test_an_administrator_pairs_own_areas_only(
    pool: Pool, client: "redis.Redis", prefix: str, code: str
) -> None:
    pairing = walls.begin(client, prefix)
    with pytest.raises(UnknownArea):
        confirm(pool, client, prefix, pairing.code, TOWN_CHIEF, area_code=code)
    assert confirm(pool, client, prefix, pairing.code, TOWN_CHIEF, area_code="370883001001") > 0


def test_an_administrator_sees_and_revokes_own_areas_only(
    clone: Stores, pool: Pool, client: "redis.Redis", prefix: str
) -> None:
    own = confirm(pool, client, prefix, walls.begin(client, prefix).code)
    other = confirm(pool, client, prefix, walls.begin(client, prefix).code, area_code="370883002")
    whole = confirm(pool, client, prefix, walls.begin(client, prefix).code, area_code="370883")
    with scoped(pool, EVERYTHING, "access") as conn:
        assert {wall.id for wall in walls.list_walls(conn, CHIEF)} == {own, other, whole}
        assert [(wall.id, wall.area_code) for wall in walls.list_walls(conn, TOWN_CHIEF)] == [
            (own, "370883001")
        ]
        for unknown in (other, whole, 0, -1, 10**30):
            with pytest.raises(UnknownWall, match=f"no paired wall with the number {unknown}"):
                walls.revoke(conn, TOWN_CHIEF, unknown)
        walls.revoke(conn, TOWN_CHIEF, own)
        with pytest.raises(UnknownWall):
            walls.revoke(conn, TOWN_CHIEF, own)
        assert walls.list_walls(conn, TOWN_CHIEF)[0].revoked_at is not None
    assert asked(clone, "SELECT actor_name, object_id FROM audit WHERE action = 'wall_revoked'") == [
        ("town-chief", str(own))
    ]


def test_a_token_is_renewed_after_a_third_of_its_life_and_the_old_one_overlaps(
    clone: Stores, pool: Pool, client: "redis.Redis", prefix: str
) -> None:
    wall_id, first = pair(pool, client, prefix)
    assert renewed(pool, first) is None
    aged(clone, first, left="61 days")
    assert renewed(pool, first) is None
    aged(clone, first, left="59 days")
    second = renewed(pool, first)
    assert second
    assert second != first
    lives = asked(
        clone,
        "SELECT token_sha256, extract(epoch FROM expires_at - now())::int FROM wall_token WHERE wall_id = %s",
        wall_id,
    )
    assert {bytes(digest): left_s // 10 for digest, left_s in lives} == {
        digest_of(first): pytest.approx(walls.OVERLAP_S // 10, abs=1),
        digest_of(second): pytest.approx(DAYS * 8640, abs=1),
    }
    third = renewed(pool, first)  # the answer with the second was lost
    assert third not in (None, first, second)
    assert renewed(pool, second) is None

    aged(clone, first, left="-1 second")
    with pytest.raises(UnknownWall):
        renewed(pool, first)
    aged(clone, second, left="1 day")
    renewed(pool, second)
    assert asked(clone, "SELECT count(*) FROM wall_token WHERE token_sha256 = %s", digest_of(first)) == [(0,)]


def aged(stores: Stores, token: str, left: str) -> None:
    with psycopg.connect(stores.database_url) as conn:
        conn.execute(
            "UPDATE wall_token SET expires_at = now() + %s::interval WHERE token_sha256 = %s",
            (left, digest_of(token)),
        )


def test_a_revoked_wall_renews_nothing(clone: Stores, pool: Pool, client: "redis.Redis", prefix: str) -> None:
    wall_id, token = pair(pool, client, prefix)
    aged(clone, token, left="1 day")
    with scoped(pool, EVERYTHING, "access") as conn:
        walls.revoke(conn, CHIEF, wall_id)
    with pytest.raises(UnknownWall):
        renewed(pool, token)


def test_the_demo_pairs_one_wall_with_a_token_a_browser(clone: Stores, pool: Pool) -> None:
    tokens = [
        walls.demo_token(pool, Settings(), None),
        walls.demo_token(pool, Settings(), "of a database that is gone"),
    ]
    assert all(tokens)
    assert len(set(tokens)) == 2
    assert asked(clone, "SELECT name, area_no, demo, created_by FROM wall_screen") == [
        ("Demo", grid_no(0, 0, 0), True, "system")
    ]
    assert asked(clone, "SELECT count(*) FROM wall_token") == [(2,)]


def test_a_revoked_demo_wall_shows_a_code_and_a_new_browser_gets_another(clone: Stores, pool: Pool) -> None:
    token = walls.demo_token(pool, Settings(), None)
    with scoped(pool, EVERYTHING, "access") as conn:
        walls.revoke(conn, CHIEF, walls.list_walls(conn, CHIEF)[0].id)
    assert walls.demo_token(pool, Settings(), token) is None
    assert walls.demo_token(pool, Settings(), None)
    assert asked(clone, "SELECT count(*) FROM wall_screen WHERE demo") == [(2,)]
