"""Days set above the national calendar, and deadlines of tickets that come without one."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from geodata.clock.calendar import Override
from geodata.importing.calendar import import_calendar
from geodata.importing.report import ImportRefused
from geodata.importing.tickets import import_tickets
from geodata.queries.calendar import overrides
from geodata.scope import EVERYTHING, Db, Hat, enter

ZONE = ZoneInfo("Asia/Shanghai")
HEADING = "source_id,reported_at,channel,category,dispatched_at,due_at"


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines as a CSV file."""

    def write(*lines: str) -> Path:
        path = tmp_path / "file.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_days_are_added_and_replaced(conn: Db, written: Callable[..., Path]) -> None:
    path = written("日期,类型,名称", "2027-01-01,放假,元旦", "2027-01-03,补班,元旦调休")
    assert import_calendar(conn, path).counts == {"read": 2, "updated": 0, "added": 2}
    assert import_calendar(conn, written("day,kind,name", "2027-01-03,off,停班")).counts["updated"] == 1
    assert overrides(conn) == (
        Override(date(2027, 1, 1), False, "元旦"), Override(date(2027, 1, 3), False, "停班"),
    )  # fmt: skip


@pytest.mark.parametrize("hat", ["facts", "wall"])
def test_whoever_reads_tickets_reads_the_days(conn: Db, hat: Hat) -> None:
    enter(conn, EVERYTHING, hat)
    assert overrides(conn) == ()


def test_a_broken_calendar(conn: Db, written: Callable[..., Path]) -> None:
    path = written(
        "day,kind,name", "2027-01-01,maybe,x", "someday,off,y", "2027-02-01,off,", "2027-02-01,off,z"
    )
    with pytest.raises(ImportRefused) as refused:
        import_calendar(conn, path)
    assert {fault.column for fault in refused.value.report.faults} == {"kind", "day", "name"}
    assert overrides(conn) == ()


def test_tickets_without_a_deadline_get_the_place_s(conn: Db, written: Callable[..., Path]) -> None:
    import_calendar(conn, written("day,kind,name", "2025-06-04,off,停班"))
    rows = written(
        HEADING,
        "1,2025-06-03 08:00,12345,01001,2025-06-03 10:00,",  # 4 working hours
        "2,2025-06-03 08:00,12345,01007,2025-06-03 10:00,",  # 5 working days: 5, 6, 9, 10, 11
        "3,2025-06-03 10:00,12345,01001,,",  # not dispatched: provisional, from the report
        "4,2025-06-03 08:00,12345,01001,2025-06-03 10:00,2025-06-30 12:00",
        "5,2025-06-03 08:00,12345,01,2025-06-03 10:00,",  # a class has no limit of its own
    )
    report = import_tickets(conn, rows)
    found = dict(conn.execute("SELECT source_id, due_at FROM ticket").fetchall())
    assert {key: at and f"{at.astimezone(ZONE):%m-%d %H:%M}" for key, at in found.items()} == {
        "1": "06-03 15:30", "2": "06-11 17:30", "3": "06-03 15:30", "4": "06-30 12:00", "5": None,
    }  # fmt: skip
    assert "3 tickets name no deadline: worked out from the place's limits." in report.notes
    assert isinstance(found["1"], datetime)
