"""People owed care: sealed at rest, masked by default, opened for a reason and for minutes, deleted on schedule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from geodata.leader import job_session
from geodata.queries import care as queries
from geodata.scope import EVERYTHING, Pool, scoped
from geodata.servers import Stores
from services.access import UnknownArea, Viewer
from services.care import opening, register, resealing, retention, visits
from services.care.errors import BadCare, NotForThem, UnknownCare
from services.care.masking import masked_id, masked_name, masked_phone
from services.care.sealing import Seals, WrongKey
from settings import Settings
from tests.services.care_record import ENTRY, ID_NUMBER, NAME, OFFICIAL, PHONE, PROFILE, SEALS, TODAY, audited
from tests.small_place import grid_no
from tests.viewers import of_town


def test_masks() -> None:
    assert masked_name("王建国") == masked_name("王五") == "王**"
    assert masked_phone("13912345678") == "139****5678"
    assert masked_phone("0537-5212345") == "053****2345"
    assert masked_phone("110") == "****10"
    assert masked_id("370883195001011234") == "3708**********1234"


def test_a_seal_opens_with_its_key_alone_and_never_looks_the_same() -> None:
    one, other = SEALS.seal(NAME), SEALS.seal(NAME)
    assert one != other and SEALS.open(one, SEALS.key_id) == NAME
    stranger = Seals(b"z" * 32)
    with pytest.raises(WrongKey, match="another secret"):
        stranger.open(one, SEALS.key_id)
    with pytest.raises(WrongKey, match="altered"):
        SEALS.open(one[:-1] + bytes([one[-1] ^ 1]), SEALS.key_id)
    assert Seals(b"z" * 32, b"k" * 32).open(one, SEALS.key_id) == NAME


def test_the_key_comes_from_the_secret_of_the_installation(tmp_path: Path) -> None:
    first, again = (Seals.of(Settings(data=tmp_path)) for _ in range(2))
    assert again.open(first.seal(NAME), first.key_id) == NAME
    assert Seals.of(Settings(data=tmp_path / "other")).key_id != first.key_id


def test_nothing_that_names_the_person_lies_in_the_database_in_plain(care: int, clone: Stores) -> None:
    with psycopg.connect(clone.database_url) as conn:
        row = conn.execute(
            "SELECT c::text, c.name_masked FROM care_record c WHERE id = %s", (care,)
        ).fetchone()
        assert row is not None and row[1] == "赵**"
        plain = (NAME, PHONE, ID_NUMBER, "孙民警", "13900000099")
        whole = row[0] + str(conn.execute("SELECT array_agg(a::text) FROM audit a").fetchone())
        for text in plain:
            assert text not in whole and text.encode().hex() not in whole


def test_masked_until_opened_and_masked_again_when_the_minutes_are_over(
    care: int, pool: Pool, clone: Stores
) -> None:
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        masked = register.seen(conn, OFFICIAL, care, SEALS, TODAY)
        assert masked.opened is None and masked.state == "overdue"
        assert masked.fields == {
            "name": "赵**", "phone": "139****2345", "id_number": None, "building": None,
            "contacts": [
                {"role": "police", "name": "孙**", "phone": "139****0099"},
                {"role": "worker", "name": "吴**", "phone": "120****0001"},
            ],
        }  # fmt: skip
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        with pytest.raises(BadCare, match="reason"):
            opening.open_record(conn, OFFICIAL, care, "  ok   ", 10)
        grant = opening.open_record(conn, OFFICIAL, care, "入户走访前核对住址", 10)
        assert timedelta(minutes=9) < grant.expires_at - datetime.now(UTC) <= timedelta(minutes=10)
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        seen = register.seen(conn, OFFICIAL, care, SEALS, TODAY)
        assert seen.opened is not None
        assert (seen.fields["name"], seen.fields["phone"], seen.fields["building"]) == (
            NAME,
            PHONE,
            "3号楼2单元",
        )
        assert seen.fields["id_number"] == "9999**********9876", "not even then in full"
        assert seen.fields["contacts"][0] == {"role": "police", "name": "孙民警", "phone": "13900000099"}
    colleague = replace(OFFICIAL, id=12)
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        assert register.seen(conn, colleague, care, SEALS, TODAY).opened is None, "a grant is one account's"
    with psycopg.connect(clone.database_url) as conn:
        conn.execute(
            "UPDATE care_grant SET granted_at = granted_at - interval '1 h', expires_at = expires_at - interval '1 h'"
        )
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        assert register.seen(conn, OFFICIAL, care, SEALS, TODAY).fields["name"] == "赵**"
    with psycopg.connect(clone.database_url) as conn:
        rows = audited(conn)
    assert [(row[0], row[3].get("step")) for row in rows] == [
        ("care_added", None), ("care_opened", "granted"), ("care_opened", "read"),
    ]  # fmt: skip
    assert {row[2] for row in rows[1:]} == {"入户走访前核对住址"} and {row[1] for row in rows} == {str(care)}


def test_no_wall_no_other_system_and_nobody_without_an_account_opens(care: int, pool: Pool) -> None:
    for kind in ("wall", "client", "system"):
        stranger = Viewer(kind, 1, kind, kind, EVERYTHING)
        with scoped(pool, EVERYTHING, "care") as conn:
            with pytest.raises(NotForThem):
                opening.open_record(conn, stranger, care, "because I can", 10)
            assert register.seen(conn, stranger, care, SEALS, TODAY).opened is None
    with pytest.raises(NotForThem), scoped(pool, EVERYTHING, "care") as conn:
        opening.open_record(conn, replace(OFFICIAL, id=999), care, "my account is gone", 10)


def test_another_town_finds_nothing(care: int, pool: Pool) -> None:
    other = of_town(2)
    with scoped(pool, other.scope, "care") as conn:
        assert register.listed(conn, TODAY, state=None, category=None, limit=10, after=None).rows == []
        assert conn.execute("SELECT count(*) FROM care_record").fetchone() == (0,)
        for act in (
            lambda: register.seen(conn, other, care, SEALS, TODAY),
            lambda: opening.open_record(conn, other, care, "out of curiosity", 10),
            lambda: register.change(conn, other, care, {"building": "x"}, SEALS, PROFILE, TODAY),
            lambda: visits.record_visit(
                conn, other, care, visited_on=TODAY, outcome="ok", note=None, today=TODAY
            ),
        ):
            with pytest.raises(UnknownCare):
                act()
        with pytest.raises(UnknownArea):
            register.add(conn, other, ENTRY, SEALS, PROFILE, TODAY)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(pool, other.scope, "care") as conn:
        conn.execute(
            "INSERT INTO care_grant SELECT 12, %s, %s, 'forced', now(), now() + interval '1 hour'",
            (care, grid_no(1, 1, 1)),
        )


@pytest.mark.parametrize("table", ["care_record", "care_visit", "care_grant"])
def test_only_the_hat_of_care_reads_the_tables(pool: Pool, table: str) -> None:
    for role in ("scoped", "county", "parts", "wall", "access", "auditor", "jobs"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(pool, EVERYTHING) as conn:
            conn.execute("SELECT set_config('role', %s, true)", (f"wangge_{role}",))
            conn.execute(f"SELECT 1 FROM {table}")


def test_ended_records_and_old_grants_are_deleted_on_schedule(care: int, pool: Pool, clone: Stores) -> None:
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        kept = register.add(conn, OFFICIAL, ENTRY, SEALS, PROFILE, TODAY)
        opening.open_record(conn, OFFICIAL, care, "before the end", 10)
        register.change(conn, OFFICIAL, care, {"ended_on": TODAY}, SEALS, PROFILE, TODAY)
    with job_session(clone.app_url, "tests") as conn:  # as the hourly housekeeping has it
        assert retention.forget(conn, 365, TODAY + timedelta(days=365)) == 0
        assert retention.forget(conn, 365, TODAY + timedelta(days=366)) == 1
    with psycopg.connect(clone.database_url) as conn:
        assert [row[0] for row in conn.execute("SELECT id FROM care_record")] == [kept]
        assert conn.execute("SELECT count(*) FROM care_grant").fetchone() == (0,)
        (deleted,) = [row for row in audited(conn) if row[0] == "care_deleted"]
    assert deleted[1] == str(care)


def test_a_changed_secret_seals_anew(care: int, pool: Pool) -> None:
    fresh = Seals(b"n" * 32, b"k" * 32)
    with scoped(pool, EVERYTHING, "care") as conn:
        assert resealing.reseal(conn, fresh) == 1 and resealing.reseal(conn, fresh) == 0
        found = queries.sealed(conn, [care])[care]
    assert Seals(b"n" * 32).open(found.name_sealed, found.key_id) == NAME
