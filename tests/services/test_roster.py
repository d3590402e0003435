"""The roster: who is on duty at a moment, substitutes, scope, changes by hand, files."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

import profiles
from geodata.importing.report import ImportRefused
from geodata.importing.roster import import_roster
from geodata.importing.rows import PeopleOptions
from geodata.scope import EVERYTHING, Db, Scope, enter
from services import audit, roster
from services.access import UnknownArea
from services.access.viewer import Viewer
from services.roster import BadTurn, NewTurn, UnknownTurn
from tests.small_place import COUNTY_NO, grid_no

PROFILE = profiles.load("zoucheng")
ZONE = ZoneInfo("Asia/Shanghai")
TOWN_1, TOWN_2 = "370883001", "370883002"
TOWN_NO = grid_no(1, 0, 0)
SCOPE_1 = Scope(TOWN_NO, TOWN_NO + 999_999)
SCOPE_2 = Scope(grid_no(2, 0, 0), grid_no(2, 0, 0) + 999_999)
OFFICIAL = Viewer("account", 3, "official1", "town_official", SCOPE_1, areas=(TOWN_1,))
DAY = date(2026, 5, 1)
HEAD = "area,role,on_date,from_time,to_time,name,phone,substitute_for\n"


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    """A moment of the place's day."""
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


def load(conn: Db, tmp_path: Path, rows: str, head: str = HEAD) -> dict[str, int]:
    path = tmp_path / "roster.csv"
    path.write_text(head + rows)
    return import_roster(conn, path).counts


def names(conn: Db, moment: datetime, lo: int = TOWN_NO, hi: int = TOWN_NO + 999_999) -> list[str]:
    return [duty.name for duty in roster.on_duty(conn, lo, hi, moment, "Asia/Shanghai")]


@pytest.fixture
def filled(conn: Db, tmp_path: Path) -> Iterator[Db]:
    """A roster of one day in two towns, as the owner."""
    load(
        conn,
        tmp_path,
        f"{TOWN_1},duty_leader,{DAY},08:00,08:00,甲一,12000000001,\n"
        f"{TOWN_1},duty_leader,{DAY},18:00,22:00,乙二,12000000002,甲一\n"
        f"{TOWN_1}001,mediator,{DAY},08:00,18:00,丙三,,\n"
        f"{TOWN_1}001001,grid_leader,{DAY},20:00,04:00,丁四,12000000004,\n"
        f"{TOWN_2},duty_leader,{DAY},00:00,24:00,戊五,12000000005,\n",
    )
    yield conn


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(7, 59), []),
        (at(8), ["甲一", "丙三"]),
        (at(17, 59), ["甲一", "丙三"]),
        (at(18), ["乙二"]),  # stands in; and the mediator's day is over
        (at(21), ["乙二", "丁四"]),
        (at(22), ["甲一", "丁四"]),  # back
        (at(3, 59, DAY + timedelta(days=1)), ["甲一", "丁四"]),
        (at(4, 0, DAY + timedelta(days=1)), ["甲一"]),
        (at(8, 0, DAY + timedelta(days=1)), []),
    ],
)
def test_who_is_on_duty(filled: Db, moment: datetime, expected: list[str]) -> None:
    assert names(filled, moment) == expected


def test_a_day_to_midnight(filled: Db) -> None:
    assert names(filled, at(23, 59), SCOPE_2.lo, SCOPE_2.hi) == ["戊五"]
    assert names(filled, at(0, 0, DAY + timedelta(days=1)), SCOPE_2.lo, SCOPE_2.hi) == []


def test_until_is_when_the_person_changes(filled: Db) -> None:
    (leader, _) = roster.on_duty(filled, *_town(), at(9), "Asia/Shanghai")
    assert (leader.since, leader.until) == (at(8), at(18))
    (stand_in,) = roster.on_duty(filled, *_town(), at(19), "Asia/Shanghai")
    assert (stand_in.until, stand_in.substitute_for) == (at(22), "甲一")


def _town() -> tuple[int, int]:
    return SCOPE_1.lo, SCOPE_1.hi


def test_a_phone_that_the_roster_lacks_is_the_posts(filled: Db) -> None:
    filled.execute(
        "INSERT INTO key_person (kind, code, name, role, area_no, phone, generated)"
        " VALUES ('post', 'P1', '丙三', 'mediator', %s, '12000000003', true)",
        (grid_no(1, 1, 0),),
    )
    told = roster.reachable(filled, [grid_no(1, 1, 0)], PROFILE, people=True, at=at(9))
    assert [(one["name"], one["phone"], one["role"]["name_en"]) for one in told] == [
        ("丙三", "12000000003", "Mediator")
    ]


@pytest.mark.parametrize(
    "scope", [SCOPE_1, Scope.of([(SCOPE_1.lo, SCOPE_1.lo), (grid_no(1, 1, 1), grid_no(1, 1, 1))])]
)
def test_a_scope_sees_its_own(filled: Db, scope: Scope) -> None:
    enter(filled, scope)
    assert "戊五" not in names(filled, at(21), 0, 10**12)
    assert names(filled, at(21), 0, 10**12) == ["乙二", "丁四"]


def test_a_wall_learns_posts_and_no_person(filled: Db) -> None:
    enter(filled, EVERYTHING, "wall")
    told = roster.reachable(filled, (0, 10**12), PROFILE, people=False, at=at(21))
    assert [(one["role"]["code"], one["area"]) for one in told] == [
        ("duty_leader", "钢山街道"), ("duty_leader", "千泉街道"), ("grid_leader", "第1网格"),
    ]  # fmt: skip
    assert not {"name", "phone", "substitute_for", "source"} & set().union(*told)
    slots = roster.day(filled, 0, 10**12, DAY, PROFILE, people=False)
    assert len(slots) == 5 and not {"name", "phone", "substitute_for", "source"} & set().union(*slots)
    for column in ("name", "phone", "substitute_for", "source"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), filled.transaction():
            filled.execute(f"SELECT {column} FROM roster")  # type: ignore[call-overload]


def test_the_lines_of_a_day(filled: Db) -> None:
    lines = roster.day(filled, *_town(), DAY, PROFILE, people=True)
    assert [(line["name"], line["from"], line["to"]) for line in lines] == [
        ("甲一", "08:00", "08:00"), ("乙二", "18:00", "22:00"), ("丙三", "08:00", "18:00"), ("丁四", "20:00", "04:00"),
    ]  # fmt: skip
    assert roster.day(filled, *_town(), None, PROFILE, people=True) == []


def turn(**changed: Any) -> NewTurn:
    today = datetime.now(ZONE).date()
    given = {
        "area": TOWN_1,
        "role": "duty_leader",
        "date": today,
        "from": "08:00",
        "to": "24:00",
        "name": "新一",
    }
    return NewTurn.model_validate(given | changed)


def test_a_turn_is_entered_and_taken_out_on_record(conn: Db) -> None:
    enter(conn, SCOPE_1)
    number = roster.add(conn, OFFICIAL, turn(phone="120 0000 0009"), PROFILE)
    stand_in = roster.add(conn, OFFICIAL, turn(name="新二", substitute_for="新一"), PROFILE)
    assert stand_in != number
    roster.remove(conn, OFFICIAL, number)  # takes the substitute along
    assert conn.execute("SELECT count(*) FROM roster").fetchone() == (0,)
    with pytest.raises(UnknownTurn):
        roster.remove(conn, OFFICIAL, stand_in)
    enter(conn, SCOPE_1, "audit")
    rows = audit.search(conn)
    assert [(row.action, row.detail["change"], row.area_no) for row in rows] == [
        ("roster_changed", change, TOWN_NO) for change in ("removed", "added", "added")
    ]
    assert rows[0].detail["substitutes"] == 1
    assert "0009" not in str(rows)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"role": "king"}, "role"),
        ({"date": "2019-01-01"}, "date"),
        ({"substitute_for": "谁"}, "substitute_for"),
    ],
)
def test_a_turn_that_cannot_be(conn: Db, changed: dict[str, str], field: str) -> None:
    enter(conn, SCOPE_1)
    with pytest.raises(BadTurn) as refused:
        roster.add(conn, OFFICIAL, turn(**changed), PROFILE)
    assert refused.value.details[0]["field"] == field
    assert conn.execute("SELECT count(*) FROM roster").fetchone() == (0,)


def test_the_same_turn_twice_is_refused(conn: Db) -> None:
    enter(conn, SCOPE_1)
    roster.add(conn, OFFICIAL, turn(), PROFILE)
    with pytest.raises(BadTurn):
        roster.add(conn, OFFICIAL, turn(), PROFILE)


def test_another_town_can_neither_be_entered_nor_taken_out(filled: Db) -> None:
    number = filled.execute("SELECT id FROM roster WHERE area_no = %s", (SCOPE_2.lo,)).fetchone()
    assert number is not None
    enter(filled, SCOPE_1)
    for area in (TOWN_2, "nowhere"):
        with pytest.raises(UnknownArea):
            roster.add(filled, OFFICIAL, turn(area=area), PROFILE)
    with pytest.raises(UnknownTurn):
        roster.remove(filled, OFFICIAL, number[0])
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        filled.transaction(),
    ):  # also when a service forgot
        filled.execute(
            "INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, source, generated)"
            " VALUES (%s, 'police', %s, '08:00', '18:00', 'x', 'x', false)",
            (COUNTY_NO, DAY),
        )
    with pytest.raises(psycopg.errors.InsufficientPrivilege), filled.transaction():
        filled.execute("UPDATE roster SET name = 'x'")


def test_a_file_replaces_the_days_that_it_names(filled: Db, tmp_path: Path) -> None:
    counts = load(
        filled,
        tmp_path,
        f"{TOWN_1},值班领导,{DAY},,,己六,,\n钢山街道,Duty leader,{DAY + timedelta(days=1)},,,庚七,,\n",
    )
    assert (counts["read"], counts["updated"], counts["added"]) == (2, 1, 1)
    assert names(filled, at(9)) == ["己六", "丙三"]
    assert names(filled, at(9, 0, DAY + timedelta(days=1))) == ["庚七"]
    assert names(filled, at(7, 59, DAY + timedelta(days=2))) == ["庚七"]


def test_a_workbook_with_headings_of_the_field(conn: Db, tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "值班表.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(
            0, 0, ["区域", "值班岗位", "值班日期", "值班开始", "值班结束", "值班人员", "值班电话", "替班"]
        )
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        hours = book.add_format({"num_format": "hh:mm"})
        for number, (name, instead) in enumerate((("甲一", None), ("乙二", "甲一")), 1):
            sheet.write_row(number, 0, ["钢山街道", "值班领导"])
            sheet.write_datetime(number, 2, datetime(2026, 5, 1), days)
            sheet.write_datetime(number, 3, time(8 if number == 1 else 9, 30), hours)
            sheet.write_datetime(number, 4, time(17, 30), hours)
            sheet.write(number, 5, name)
            sheet.write_number(number, 6, 12000000000 + number)
            if instead:
                sheet.write(number, 7, instead)
    report = import_roster(conn, path)
    assert report.counts["added"] == 2
    assert names(conn, at(9)) == ["甲一"]
    (duty,) = roster.on_duty(conn, *_town(), at(10), "Asia/Shanghai")
    assert (duty.name, duty.phone, duty.until) == ("乙二", "12000000002", at(17, 30))


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (f"999,duty_leader,{DAY},08:00,08:00,甲,,", "area"),
        (f"第1网格,grid_leader,{DAY},08:00,08:00,甲,,", "area"),  # many have that name
        (f"{TOWN_1},king,{DAY},08:00,08:00,甲,,", "role"),
        (f"{TOWN_1},duty_leader,05/06/2026,08:00,08:00,甲,,", "on_date"),
        (f"{TOWN_1},duty_leader,,08:00,08:00,甲,,", "on_date"),
        (f"{TOWN_1},duty_leader,{DAY},25:00,08:00,甲,,", "from_time"),
        (f"{TOWN_1},duty_leader,{DAY},08:00,noon,甲,,", "to_time"),
        (f"{TOWN_1},duty_leader,{DAY},08:00,08:00,,,", "name"),
        (f"{TOWN_1},duty_leader,{DAY},08:00,08:00,甲,,乙", "substitute_for"),
        (f"{TOWN_1},duty_leader,{DAY},08:00,08:00,甲,,甲", "substitute_for"),
        (f"{TOWN_1},duty_leader,{DAY},08:00,08:00,=cmd(),,", "name"),
        (f"{TOWN_1},duty_leader,{DAY},08:00,08:00,甲,,\n{TOWN_1},duty_leader,{DAY},08:00,18:00,甲,,", "name"),
    ],
)
def test_a_broken_file_is_refused_as_a_whole(conn: Db, tmp_path: Path, row: str, column: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        load(conn, tmp_path, f"{TOWN_2},duty_leader,{DAY},08:00,08:00,好,,\n{row}\n")
    faults = refused.value.report.faults
    assert {fault.column for fault in faults} == {column}
    assert faults[0].row in (3, 4)
    assert conn.execute("SELECT count(*) FROM roster").fetchone() == (0,)


def test_a_column_that_has_no_place_here_is_refused_by_name(conn: Db, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as refused:
        load(conn, tmp_path, f"{TOWN_1},{DAY},甲,汉\n", "area,on_date,name,民族\n")
    assert "ethnicity" in str(refused.value.report.faults[0].hint)


def test_one_role_for_a_whole_file(conn: Db, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"area,on_date,name\n{TOWN_1},{DAY},甲\n")
    import_roster(conn, path, PeopleOptions(constants={"role": "duty_leader"}))
    assert names(conn, at(9)) == ["甲"]
