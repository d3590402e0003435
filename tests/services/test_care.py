"""People owed care: sealed at rest, masked by default, opened for a reason and for minutes, deleted on schedule."""

import io
import re
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from yoyo import get_backend, read_migrations

import profiles
from geodata.importing.care import import_care
from geodata.importing.report import ImportRefused
from geodata.importing.words import refused_heading
from geodata.leader import job_session
from geodata.migrate import FOLDER, migrate
from geodata.queries import care as queries
from geodata.queries import points
from geodata.scope import EVERYTHING, Db, Pool, enter, scoped
from geodata.servers import Stores
from services.access import UnknownArea, Viewer
from services.care import export, opening, register, resealing, retention, visits
from services.care.contents import Contact
from services.care.entry import Entry
from services.care.errors import BadCare, NotForThem, UnknownCare
from services.care.masking import masked_id, masked_name, masked_phone
from services.care.plan import after_visit, state_of
from services.care.sealing import Seals, WrongKey
from settings import Settings
from tests.data.broken.make import BROKEN_FOLDER
from tests.small_place import grid_no, load_small_place
from tests.viewers import county, of_town

PROFILE = profiles.load("zoucheng")
TODAY = date(2026, 6, 15)
NAME, PHONE, ID_NUMBER = "赵六生", "13900012345", "999999195001019876"
GRID = "370883001001001"
SEALS = Seals(b"k" * 32)
OFFICIAL = of_town(1)
ENTRY = Entry(
    NAME, "elderly_alone", GRID, PHONE, ID_NUMBER, "3号楼2单元",
    contacts=(Contact("police", "孙民警", "13900000099"), Contact("worker", "吴网格", "12000000001")),
    last_visit_on=TODAY - timedelta(days=40),
)  # fmt: skip


@pytest.fixture
def care(pool: Pool, clone: Stores) -> Iterator[int]:
    """The id of one record in grid 1 of town 1; accounts for the viewers are there."""
    with psycopg.connect(clone.database_url) as conn:
        for viewer in (OFFICIAL, of_town(2), county("town_official")):
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, 'x', %s, 'tests')",
                (viewer.id, viewer.name, viewer.role),
            )
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        made = register.add(conn, OFFICIAL, ENTRY, SEALS, PROFILE, TODAY)
    yield made


def audited(conn: Db) -> list[tuple[Any, ...]]:
    """Action, object and reason of all rows of the audit, as its owner reads them."""
    return conn.execute("SELECT action, object_id, reason, detail FROM audit ORDER BY id").fetchall()


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


def test_counts_a_grid_for_everybody_in_scope(care: int, pool: Pool) -> None:
    for hat in ("facts", "wall"):
        with scoped(pool, OFFICIAL.scope, hat) as conn:
            assert points.care(conn, *OFFICIAL.scope.ranges[0]) == [(grid_no(1, 1, 1), 1, 1)]
        with scoped(pool, of_town(2).scope, hat) as conn:
            assert points.care(conn, 0, 10**13) == [], "whatever range is asked for"
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        register.change(conn, OFFICIAL, care, {"ended_on": TODAY}, SEALS, PROFILE, TODAY)
    with scoped(pool, EVERYTHING) as conn:
        assert points.care(conn, 0, 10**13) == [], "care has ended"


def test_entry_names_every_field_that_is_wrong(pool: Pool) -> None:
    bad = replace(
        ENTRY, name=" ", category="suspect", phone="call me", id_number="37088319500101123", lon=117.0,
        last_visit_on=TODAY + timedelta(days=1), contacts=(Contact("police", "x", "abc"),) * 6,
    )  # fmt: skip
    with scoped(pool, OFFICIAL.scope, "care") as conn, pytest.raises(BadCare) as refused:
        register.add(conn, OFFICIAL, bad, SEALS, PROFILE, TODAY)
    fields = {one["where"] for one in refused.value.details}
    assert {
        "name",
        "category",
        "phone",
        "id_number",
        "lon",
        "last_visit_on",
        "contacts",
        "contacts.0",
    } <= fields


def test_a_change_says_which_fields_and_not_what(care: int, pool: Pool, clone: Stores) -> None:
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        opening.open_record(conn, OFFICIAL, care, "phone number changed", 10)
        register.change(
            conn, OFFICIAL, care, {"phone": "13700000001", "area": "370883001002005"}, SEALS, PROFILE, TODAY
        )
        assert queries.running_grant(conn, OFFICIAL.id, care) is None, "it moved: opened records close"
        opening.open_record(conn, OFFICIAL, care, "to see the change", 10)
        seen = register.seen(conn, OFFICIAL, care, SEALS, TODAY)
        assert (seen.fields["phone"], seen.fields["name"], seen.row.area_no) == (
            "13700000001",
            NAME,
            grid_no(1, 2, 5),
        )
        with pytest.raises(UnknownArea):
            register.change(conn, OFFICIAL, care, {"area": "370883002001001"}, SEALS, PROFILE, TODAY)
        with pytest.raises(BadCare):
            register.change(conn, OFFICIAL, care, {"name": None}, SEALS, PROFILE, TODAY)
    with psycopg.connect(clone.database_url) as conn:
        (told,) = [row[3] for row in audited(conn) if row[0] == "care_changed"]
    assert told["fields"] == ["area", "phone"] and "13700000001" not in str(told)


def test_the_register_in_pages_and_by_state(pool: Pool, care: int) -> None:
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        for days in (3, 20, 50, 60):
            entry = replace(ENTRY, category="disabled", last_visit_on=TODAY - timedelta(days=days))
            register.add(conn, OFFICIAL, entry, SEALS, PROFILE, TODAY)
        first = register.listed(conn, TODAY, state=None, category=None, limit=3, after=None)
        rest = register.listed(conn, TODAY, state=None, category=None, limit=3, after=first.after)
        assert (first.total, len(first.rows), len(rest.rows), rest.after) == (5, 3, 2, None)
        planned = [row.next_visit_on for row in first.rows + rest.rows]
        assert planned == sorted(planned) and not {row.id for row in first.rows} & {
            row.id for row in rest.rows
        }

        def states(state: Any, category: str | None = None) -> list[int]:
            found = register.listed(conn, TODAY, state=state, category=category, limit=9, after=None).rows
            return [(row.next_visit_on - TODAY).days for row in found]

        assert states("overdue") == [-30, -20, -10]
        assert states("overdue", "elderly_alone") == [-10]
        assert states("due") == [] and states("later") == [10, 27] and states("ended") == []
        markers = visits.due(conn, TODAY)
        assert [one.state for one in markers] == ["overdue"] * 3
        assert {(round(one.marker.lon, 6), one.marker.lat) for one in markers} == {(117.005, 35.405)}, (
            "the grid's label point"
        )


def test_states_by_day() -> None:
    for days, state in ((-1, "overdue"), (0, "due"), (7, "due"), (8, "later")):
        assert state_of(TODAY + timedelta(days=days), None, TODAY) == state
    assert state_of(TODAY, TODAY, TODAY) == "ended"


def test_a_visit_moves_the_plan() -> None:
    last, following = TODAY - timedelta(days=40), TODAY - timedelta(days=10)
    assert after_visit("ok", TODAY, 30, last, following) == (TODAY, TODAY + timedelta(days=30))
    assert after_visit("needs_help", TODAY, 30, last, following) == (TODAY, TODAY + timedelta(days=7))
    assert after_visit("needs_help", TODAY, 3, last, following) == (TODAY, TODAY + timedelta(days=3))
    assert after_visit("absent", TODAY, 30, last, following) == (last, following)
    assert after_visit("ok", last - timedelta(days=1), 30, last, following) == (last, following), (
        "written down late"
    )


def test_a_visit_is_written_down_with_a_note_about_what_was_done_only(care: int, pool: Pool) -> None:
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        visit: dict[str, Any] = {"visited_on": TODAY - timedelta(days=5), "outcome": "ok", "today": TODAY}
        with pytest.raises(BadCare, match="visited_on"):
            visits.record_visit(
                conn, OFFICIAL, care, note=None, **visit | {"visited_on": TODAY + timedelta(days=1)}
            )
        for note in ("信仰某教", "常年上访", "his political opinions"):
            with pytest.raises(BadCare, match="note"):
                visits.record_visit(conn, OFFICIAL, care, note=note, **visit)
        with pytest.raises(BadCare, match="visited_on"):
            visits.record_visit(conn, OFFICIAL, care, note=None, **visit | {"visited_on": date(2020, 1, 1)})
        following = visits.record_visit(conn, OFFICIAL, care, note="已送药", **visit)
        assert following == TODAY + timedelta(days=25)
        row = queries.one(conn, care)
        assert row is not None and (row.last_visit_on, row.next_visit_on) == (visit["visited_on"], following)
        (written,) = queries.visits(conn, care, 5)
        assert (written.outcome, written.note, written.visited_by) == ("ok", "已送药", OFFICIAL.name)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(pool, OFFICIAL.scope, "care") as conn:
        conn.execute("DELETE FROM care_visit")


def test_an_export_says_who_and_why_and_carries_no_formula(care: int, pool: Pool, clone: Stores) -> None:
    entry = replace(ENTRY, name="=HYPERLINK(1)", building="@cmd|' /C calc'!A0", phone="+8613900000000")
    words = {name: name for name in export.COLUMNS} | {
        f"state.{s}": s for s in ("overdue", "due", "later", "ended")
    }
    words["watermark"] = "{account} {time} {reason} {number} {rows}"
    options: dict[str, Any] = {
        "words": words, "categories": {}, "roles": {}, "seals": SEALS, "state": None, "category": None,
        "now": datetime(2026, 6, 15, 9, 30, tzinfo=UTC),
    }  # fmt: skip
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        register.add(conn, OFFICIAL, entry, SEALS, PROFILE, TODAY)
        with pytest.raises(BadCare):
            export.export(conn, OFFICIAL, "", **options)
        book = export.export(conn, OFFICIAL, "月度入户 & 核对", **options)
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        texts = [
            unescape(text)
            for text in re.findall(r"<t[^>]*>([^<]*)</t>", parts.read("xl/sharedStrings.xml").decode())
        ]
    mark = texts[0]
    for part in (OFFICIAL.name, "2026-06-15 09:30:00", "月度入户 & 核对"):
        assert part in mark
    for place in ("oddHeader", "oddFooter"):
        (told,) = re.findall(f"<{place}>(.*?)</{place}>", sheet)
        assert OFFICIAL.name in told and "月度入户 &amp;&amp; 核对" in told
    assert "<f>" not in sheet and "<f " not in sheet
    assert not [text for text in texts if text.startswith(("=", "@", "+", "-"))]
    assert len([text for text in texts if re.fullmatch(r"[0-9a-f]{8}-\d{4}", text)]) == 2, (
        "each row its own number"
    )
    assert {"'=HYPERLINK(1)", "'@cmd|' /C calc'!A0", NAME} <= set(texts)
    assert ID_NUMBER not in "".join(texts) and "9999**********9876" in texts
    with psycopg.connect(clone.database_url) as conn:
        exported = [row for row in audited(conn) if row[0] == "care_exported"]
    assert [(row[2], row[3]["rows"]) for row in exported] == [("月度入户 & 核对", 2)]
    assert str(exported[0][1]) in mark


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


# --- import


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Writes lines as a CSV file."""

    def write(*lines: str) -> Path:
        path = tmp_path / "care.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_an_import_seals(conn: Db, file: Any) -> None:
    path = file(
        "编号,姓名,联系电话,身份证号,走访类别,所属网格编码,楼栋,五包一,走访周期(天),上次走访,下次走访",
        f"C1,{NAME},{PHONE},{ID_NUMBER},独居老人,{GRID},3号楼,镇领导 13900000002；村干部 13900000003,30,2025-05-01,",
        f"C2,钱七,,,残疾人,{GRID},,,,,",
    )
    assert import_care(conn, path, sealer=SEALS).counts == {"read": 2, "updated": 0, "added": 2}
    enter(conn, OFFICIAL.scope, "care")
    rows = {row.code: row for row in queries.page(conn, queries.Wanted(), 10, None)}
    assert rows["C1"].next_visit_on == date(2025, 5, 31) and rows["C1"].name_masked == "赵**"
    assert rows["C2"].every_days == 30 and rows["C2"].last_visit_on is None
    assert rows["C2"].next_visit_on == rows["C2"].started_on, "never visited: due at once"
    from services.care.contents import contents_of

    found = contents_of(queries.sealed(conn, [rows["C1"].id])[rows["C1"].id], SEALS)
    assert (found.name, found.phone, found.id_number) == (NAME, PHONE, ID_NUMBER)
    assert found.contacts == (Contact("", "镇领导", "13900000002"), Contact("", "村干部", "13900000003"))


def test_an_older_file_does_not_take_visits_back(conn: Db, file: Any) -> None:
    path = file(
        "code,name,category,area,last_visit_on,next_visit_on", f"C1,{NAME},child,{GRID},2025-05-01,2025-06-01"
    )
    import_care(conn, path, sealer=SEALS)
    conn.execute("UPDATE care_record SET last_visit_on = '2025-05-20', next_visit_on = '2025-06-20'")
    report = import_care(conn, path, sealer=SEALS)
    assert report.counts == {"read": 1, "updated": 1, "added": 0}
    plan = conn.execute("SELECT last_visit_on, next_visit_on FROM care_record").fetchone()
    assert plan == (date(2025, 5, 20), date(2025, 6, 20))


def test_a_faulty_file_is_refused_as_a_whole_with_row_and_column(conn: Db, file: Any) -> None:
    path = file(
        "code,name,phone,id_number,category,area,every_days,last_visit_on,next_visit_on",
        f"C1,{NAME},{PHONE},{ID_NUMBER},独居老人,{GRID},30,2025-05-01,2025-06-01",
        "C2,,打电话,12345,重点人,370883001001,0,2199-01-01,2025-06-01",
    )
    with pytest.raises(ImportRefused) as refused:
        import_care(conn, path, sealer=SEALS)
    assert {(fault.row, fault.column) for fault in refused.value.report.faults} == {
        (3, column)
        for column in (
            "name",
            "phone",
            "id_number",
            "category",
            "area",
            "every_days",
            "last_visit_on",
            "next_visit_on",
        )
    }
    assert conn.execute("SELECT count(*) FROM care_record").fetchone() == (0,)


@pytest.mark.parametrize(
    ("kind", "headings"),
    [
        ("belief", ["宗教信仰", "是否信教", "教派", "Religion", "religious_group", "belief", "church"]),
        ("ethnicity", ["民族", "族别", "Ethnicity", "ethnic group", "race", "nationality"]),
        ("opinion", ["思想动态", "政治面貌", "政治倾向", "对政府态度", "Opinion", "politicalView", "ideology"]),
        ("petition_history", ["是否上访", "信访记录", "缠访次数", "Petition history", "petitions"]),
        ("trajectory", ["活动轨迹", "行踪", "手机定位", "基站位置", "Trajectory", "lastTrack", "gps_log", "IMEI"]),
        ("biometrics", ["人脸照片", "指纹", "声纹", "车牌号", "face_id", "photo", "Fingerprint", "licensePlate"]),
        ("score", ["风险评分", "风险等级", "信用分", "人员画像", "Score", "riskLevel", "rating", "prediction"]),
    ],
)  # fmt: skip
def test_columns_that_have_no_place_here_refuse_the_file_by_their_name(
    conn: Db, file: Any, kind: str, headings: list[str]
) -> None:
    for heading in headings:
        path = file(f"code,name,category,area,{heading}", f"C1,{NAME},独居老人,{GRID},x")
        with pytest.raises(ImportRefused) as refused:
            import_care(conn, path, sealer=SEALS)
        (fault,) = refused.value.report.faults
        assert fault.value == heading and kind.replace("_", " ") in fault.hint, heading
    assert conn.execute("SELECT count(*) FROM care_record").fetchone() == (0,)


def test_a_refusal_names_every_refused_column(conn: Db) -> None:
    with pytest.raises(ImportRefused) as refused:
        import_care(conn, BROKEN_FOLDER / "care_with_belief.csv", sealer=SEALS)
    assert [fault.value for fault in refused.value.report.faults] == [
        "民族",
        "宗教信仰",
        "是否信访",
        "riskScore",
    ]


def test_columns_of_our_own_have_a_place_here() -> None:
    for heading in (
        "编号",
        "姓名",
        "联系电话",
        "身份证号",
        "走访类别",
        "楼栋",
        "五包一",
        "上次走访",
        "残疾等级",
    ):
        assert refused_heading(heading) is None, heading


# --- the schema


def test_no_table_offers_to_track_a_resident(conn: Db) -> None:
    columns = conn.execute(
        """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT IN ('geography_columns', 'geometry_columns', 'spatial_ref_sys')
        """
    ).fetchall()
    assert len(columns) > 100
    found = [
        f"{table}.{column}" for table, column in columns if refused_heading(column) or refused_heading(table)
    ]
    # The grade of a matter in a ledger (services/loop/lists.py), never of a person.
    assert [name for name in found if not re.fullmatch(r"ticket(_\d{6})?\.risk", name)] == []


def test_no_table_links_a_care_record_to_positions(conn: Db) -> None:
    links = conn.execute(
        """
        SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
        """
    ).fetchall()
    near = {table for pair in links for table in pair if any(name.startswith("care_") for name in pair)}
    assert near == {"care_record", "care_visit", "care_grant", "account", "area"}
    holding = conn.execute(
        """
        SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND (column_name LIKE '%%care%%' OR column_name IN ('resident_id', 'person_id'))
        """
    ).fetchall()
    assert {row[0] for row in holding} == {"care_visit", "care_grant"}
    times = conn.execute(
        """
        SELECT column_name FROM information_schema.columns
        WHERE table_name = 'care_record' AND udt_name IN ('timestamptz', 'tstzrange') ORDER BY 1
        """
    ).fetchall()
    assert times == [("created_at",), ("updated_at",)], "one registered building, no place at a time"


def test_key_person_holds_posts_only(conn: Db) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(
            "INSERT INTO key_person (kind, code, name, role, area_no, generated)"
            " VALUES ('care', 'x', 'x', 'x', %s, true)",
            (grid_no(1, 1, 1),),
        )


def test_the_migration_stops_before_records_that_were_not_generated(template: Stores) -> None:
    name = f"wangge_test_{uuid.uuid4().hex[:12]}"
    admin = template.with_database("wangge_test_admin").database_url
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    made = template.with_database(name).database_url
    try:
        backend = get_backend(f"postgresql+psycopg://{made.partition('://')[2]}")
        before = read_migrations(str(FOLDER)).filter(lambda one: one.id < "0008")
        backend.apply_migrations(before)
        backend.connection.close()
        with psycopg.connect(made) as conn:
            load_small_place(conn)
            for code, generated in (("C1", True), ("C2", False)):
                conn.execute(
                    "INSERT INTO key_person (kind, code, name, role, area_no, generated)"
                    " VALUES ('care', %s, 'x', 'x', %s, %s)",
                    (code, grid_no(1, 1, 1), generated),
                )
        with pytest.raises(
            psycopg.errors.RaiseException, match=r"1 care records .* \./wangge import care FILE"
        ):
            migrate(made)
        with psycopg.connect(made) as conn:
            assert conn.execute("SELECT count(*) FROM key_person WHERE kind = 'care'").fetchone() == (2,)
            conn.execute("DELETE FROM key_person WHERE NOT generated")
        migrate(made)
        with psycopg.connect(made) as conn:
            assert conn.execute("SELECT count(*) FROM key_person").fetchone() == (0,)
    finally:
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
