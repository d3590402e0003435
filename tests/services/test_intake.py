"""What intake does to a report before it is a ticket: masking, the sealed reporter, and addresses found by name."""

import re
from dataclasses import replace
from datetime import date

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.importing.masking import masked as masked_column
from geodata.queries.intake import forget_reporters
from geodata.scope import EVERYTHING, Db, Hat, Pool, Scope, enter, scoped
from geodata.servers import Stores
from services.care.sealing import Seals
from services.intake import reporter
from services.intake.address import find_place
from services.intake.masking import masked, published
from services.intake.reporter import Reporter
from tests.small_place import grid_no, make_months
from tests.viewers import DISPATCHER

ID = "370883199001011239"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # mobiles, as people write them
        ("我是13812345678", "我是138****5678"),
        ("138 1234 5678、138-1234-5678", "138****5678、138****5678"),
        ("+86 138 1234 5678", "138****5678"),
        ("008613812345678。", "138****5678。"),
        ("1 3 8 1 2 3 4 5 6 7 8", "138****5678"),
        ("手机１３８１２３４５６７８", "手机138****5678"),
        ("1.13812345678请回电", "1.138****5678请回电"),
        ("138.1234.5678", "138****5678"),
        # ID numbers
        (f"身份证{ID}", "身份证37****1239"),
        ("37088319900101123X", "37****123X"),
        ("37088319900101123x。", "37****123x。"),
        ("370883 19900101 1234", "37****1234"),
        ("370883-1990-01-01-1234", "37****1234"),
        ("３７０８８３１９９００１０１１２３９", "37****1239"),
        ("旧证370883900101123", "旧证37****1123"),
        (f"370883{date.today().year + 1}01011239", "37****1239"),  # born at New Year, before it is that in UTC
        # landlines
        ("0537-5212345", "0537-****45"),
        ("（0537）5212345", "(0537)****45"),
        ("(010)88886666", "(010)****66"),
        ("01088886666", "010****66"),
        ("0537 521 2345", "0537 ****45"),
        ("+86-537-5212345 不是号", "+86-537-5212345 不是号"),  # without the 0 it is no number that can be dialled
        ("电话：5212345", "电话：****45"),
        ("请拨打 52123456 联系我", "请拨打 ****56 联系我"),
        ("Tel 5212345", "Tel ****45"),
        # mail
        ("写信到wang.xm@example.com", "写信到w***@example.com"),
    ],
)  # fmt: skip
def test_what_names_somebody_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "路口堆放垃圾", "", "12345热线", "110、119、120、95598", "400-123-4567",
        "370883001001001",  # the code of a grid is as long as an old ID number
        "370883101203001",
        "37088300002000000001",  # a video station: 20 digits
        "91370883MA3C1234XY", "20261122-1234567", "单号202611220830123456",
        "2026-11-22 08:30", "117.0051234567,35.4012345678", "欠款123456789.12元", "37088320261301123X",
        "138123456789", "房号 1-3-2026-12-05-12", "面积52123456平方米",
    ],
)  # fmt: skip
def test_what_names_nobody_stays(text: str) -> None:
    assert masked(text) == text


def test_the_reporters_own_name_is_masked_where_it_is_known() -> None:
    assert masked("我叫王小明，王小明住3号楼", ["王小明"]) == "我叫王**，王**住3号楼"
    assert masked("the lamp", ["", "x", " "]) == "the lamp"


def test_an_import_masks_whole_columns_alike() -> None:
    texts = [
        "我是13812345678", "138 1234 5678、138-1234-5678", "+86 138 1234 5678", f"身份证{ID}", "37088319900101123X。",
        "0537-5212345", "(010)88886666", "01088886666", "路口堆放垃圾", "370883001001001", "37088300002000000001",
        "20261122-1234567", "117.0051234567,35.4012345678", "12345热线", None,
    ]  # fmt: skip
    shown = [text and masked(text) for text in texts]
    assert masked_column(pa.array(texts)).to_pylist() == shown
    clean = pa.array(["路口堆放垃圾", None])
    assert masked_column(clean) is clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("我叫王小明，路灯不亮", "我叫王**，路灯不亮"), ("我是欧阳小明", "我是欧**"),
        ("联系人：李四 13812345678", "联系人：李** 138****5678"),
        ("本人姓名叫赵钱", "本人姓名叫赵**"), ("我叫王**，路灯", "我叫王**，路灯"), ("我是小区业主", "我是小区业主"),
        ("王家村村口", "王家村村口"),
    ],
)  # fmt: skip
def test_what_strangers_read_names_nobody_who_introduces_themselves(text: str, shown: str) -> None:
    assert published(text) == shown and published(shown) == shown


@given(st.text(alphabet="0123456789Xx -()+.电话号王@ab０１９Ｘ（）", max_size=60))
def test_masking_twice_changes_nothing_and_never_grows(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
    assert len(once) <= len(text) + 3 * text.count("@")


@given(st.text(max_size=30), st.integers(3, 9), st.integers(0, 10**9 - 1), st.text(max_size=30))
def test_no_mobile_gets_through(before: str, second: int, rest: int, after: str) -> None:
    number = f"1{second}{rest:09d}"
    shown = masked(f"{before}，{number}，{after}")
    assert not re.search(rf"(?<!\d){number}(?!\d)", shown)


NAMES = {  # of the small place's communities: two towns with a village of the same name
    (1, 1): "吴官庄村", (1, 2): "平阳社区居民委员会", (2, 1): "吴官庄村", (2, 2): "千泉社区",
}  # fmt: skip


@pytest.fixture
def named(conn: Db) -> Db:
    for (town, community), name in NAMES.items():
        conn.execute("UPDATE area SET name = %s WHERE no = %s", (name, grid_no(town, community, 0)))
        conn.execute(
            "UPDATE area SET name = %s || '第' || (no %% 1000) || '网格' WHERE no BETWEEN %s AND %s",
            (name.removesuffix("居民委员会"), grid_no(town, community, 1), grid_no(town, community, 9)),
        )
    conn.execute(
        "INSERT INTO video_station (id, name, site_kind, area_no, geom, generated)"
        " VALUES ('37088300001320000001', '太平路卫生院', 'clinic', %s, 'SRID=4326;POINT(117 35.4)', true)",
        (grid_no(1, 2, 4),),
    )
    return conn


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("钢山街道吴官庄村村口", (1, 1, 0)),
        ("千泉街道吴官庄", (2, 1, 0)),
        ("钢山吴官庄", (1, 1, 0)),
        ("山东省邹城市钢山街道平阳小区3号楼", (1, 2, 0)),
        ("平阳社区居委会门口", (1, 2, 0)),
        ("平阳社区第3网格", (1, 2, 3)),
        ("平阳 第 3 网格", (1, 2, 3)),
        ("钢山街道办事处旁边", (1, 0, 0)),
        ("千泉街道", (2, 0, 0)),  # a town before the community of the same name
        ("千泉社区", (2, 2, 0)),
        ("千泉路，平阳社区北门", (1, 2, 0)),  # a road that is named like a town
        ("太平路卫生院对面", (1, 2, 4)),
        ("钢山街道吴关庄", (1, 1, 0)),  # another character of the same sound
        ("Pingyang, Gangshan", (1, 2, 0)),
        ("千泉街道平阳社区", (2, 0, 0)),  # no such community there: the town is what is sure
        ("吴官庄村", None),  # in both towns: only the whole place holds them
        ("邹城市", None),
        ("路口", None),
        ("", None),
        ("\x00", None),
    ],
)  # fmt: skip
def test_an_address_names_an_area(named: Db, address: str, where: tuple[int, int, int] | None) -> None:
    found = find_place(named, address)
    assert (found and found.no) == (where and grid_no(*where)), found


def test_an_address_finds_nothing_outside_of_the_scope(named: Db) -> None:
    enter(named, Scope(grid_no(2, 0, 0), grid_no(2, 0, 0) + 999_999))
    assert find_place(named, "平阳社区") is None
    found = find_place(named, "吴官庄村")
    assert found is not None and found.no == grid_no(2, 1, 0)


KEY, OTHER_KEY = bytes(range(32)), bytes(32)
REPORTER = Reporter(name="王小明", phone="13812345678", email="wang@example.com")
CALLER = replace(DISPATCHER, name="caller")


def test_a_reporter_is_kept_sealed_and_opened_on_record(pool: Pool) -> None:
    seals, no = Seals(KEY), grid_no(1, 1, 1)
    with scoped(pool, EVERYTHING) as conn:
        reporter.keep(conn, seals, 7, no, REPORTER)
        reporter.keep(conn, seals, 8, no, Reporter())
        shown = conn.execute("SELECT ticket_id, name_masked, phone_masked FROM ticket_reporter").fetchall()
        assert shown == [(7, "王**", "138****5678")]
    with scoped(pool, EVERYTHING, "care") as conn:
        assert reporter.opened(conn, CALLER, seals, 7) == REPORTER
        with pytest.raises(reporter.NoReporter):
            reporter.opened(conn, CALLER, seals, 8)
    with scoped(pool, EVERYTHING, "audit") as conn:
        rows = conn.execute("SELECT actor_name, object_kind, object_id, area_no FROM audit").fetchall()
        assert rows == [("caller", "ticket", "7", no)]


@pytest.mark.parametrize("hat", ["facts", "wall", "access", "audit", "jobs"])
def test_nothing_but_the_hat_of_care_reads_what_is_sealed(pool: Pool, hat: Hat) -> None:
    with scoped(pool, EVERYTHING) as conn:
        reporter.keep(conn, Seals(KEY), 7, grid_no(1, 1, 1), REPORTER)
    for scope in (EVERYTHING, Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(pool, scope, hat) as conn:
            conn.execute("SELECT sealed FROM ticket_reporter")


def test_a_reporter_of_another_town_is_not_there(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        reporter.keep(conn, Seals(KEY), 7, grid_no(1, 1, 1), REPORTER)
    town_2 = Scope(grid_no(2, 0, 0), grid_no(2, 0, 0) + 999_999)
    with scoped(pool, town_2, "care") as conn, pytest.raises(reporter.NoReporter):
        reporter.opened(conn, CALLER, Seals(KEY), 7)


def test_a_changed_secret_seals_anew(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        reporter.keep(conn, Seals(KEY), 7, grid_no(1, 1, 1), REPORTER)
    fresh = Seals(OTHER_KEY, KEY)
    with scoped(pool, EVERYTHING, "care") as conn:
        assert reporter.reseal(conn, fresh) == 1 and reporter.reseal(conn, fresh) == 0
        assert reporter.opened(conn, CALLER, Seals(OTHER_KEY), 7) == REPORTER


def test_a_reporter_follows_the_ticket_and_is_forgotten_after_its_end(pool: Pool, clone: Stores) -> None:
    with psycopg.connect(clone.database_url) as conn:
        make_months(conn, 391, 380)
        for ticket_id, days in ((7, 400), (8, 10)):
            conn.execute(
                "INSERT INTO ticket (id, reported_at, closed_at, channel_id, category_id, title, location, area_no,"
                " status) SELECT %s, now() - make_interval(days => %s), now() - make_interval(days => %s), 1, id,"
                " 't', 'none', %s, 'closed' FROM category WHERE code = '01001'",
                (ticket_id, min(days + 1, 390), min(days, 380), grid_no(1, 1, 1)),
            )
            reporter.keep(conn, Seals(KEY), ticket_id, grid_no(1, 1, 1), REPORTER)
        conn.execute("UPDATE ticket_reporter SET created_at = now() - interval '500 days'")
        conn.execute("UPDATE ticket SET area_no = %s", (grid_no(2, 1, 1),))
        areas = conn.execute("SELECT DISTINCT area_no FROM ticket_reporter").fetchall()
        assert areas == [(grid_no(2, 1, 1),)]
    with scoped(pool, EVERYTHING, "jobs") as conn:
        assert forget_reporters(conn, 365) == 1 and forget_reporters(conn, 365) == 0
