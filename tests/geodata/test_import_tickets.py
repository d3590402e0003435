"""Import of tickets: what rows become, what is kept and reported, what is refused and how it is said."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from geodata.importing.report import ImportRefused
from geodata.importing.tickets import TicketOptions, import_tickets
from geodata.scope import Db
from tests.data.broken.make import BROKEN_FOLDER, HEADING, ticket
from tests.geodata.test_import_areas import complaints, one


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as a CSV file with the usual heading."""

    def write(*rows: str, heading: str = HEADING, encoding: str = "utf-8") -> Path:
        path = tmp_path / "tickets.csv"
        path.write_bytes((heading + "".join(rows)).encode(encoding))
        return path

    return write


def test_a_ticket_gets_its_grid_and_one_event(conn: Db, written: Callable[..., Path]) -> None:
    report = import_tickets(
        conn, written(ticket(1), ticket(2, lon="117.0551", status="办结", closed_at="2025/3/3 9:05"))
    )
    assert report.counts == {"read": 2, "exact": 2, "added": 2}
    rows = conn.execute(
        "SELECT source_id, area_no, location, status, reported_at, closed_at, version, generated FROM ticket ORDER BY 1"
    ).fetchall()
    when = datetime(2025, 3, 2, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai
    assert rows == [
        ("T0001", 1_001_001_001, "exact", "accepted", when, None, 1, False),
        ("T0002", 1_001_002_003, "exact", "closed", when, datetime(2025, 3, 3, 1, 5, tzinfo=UTC), 1, False),
    ]
    events = conn.execute(
        "SELECT kind, status, version, area_no FROM ticket_event ORDER BY ticket_id"
    ).fetchall()
    assert events == [("imported", "accepted", 1, 1_001_001_001), ("imported", "closed", 1, 1_001_002_003)]
    assert (
        one(conn, "SELECT body->>'tickets' FROM outbox WHERE kind = 'reload' ORDER BY id DESC LIMIT 1") == "2"
    )


def test_a_new_month_is_a_partition_like_the_others(conn: Db, written: Callable[..., Path]) -> None:
    import_tickets(
        conn, written(ticket(1, reported_at="2019-05-31 23:59"), ticket(2, reported_at="2019-06-01 09:00"))
    )
    names = "SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY 1) FROM pg_inherits"
    names += " WHERE inhparent = 'ticket'::regclass"
    assert "ticket_201905 ticket_201906" in one(
        conn, names + " AND inhrelid::regclass::text LIKE 'ticket_2019%%'"
    )
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
    assert one(conn, indexes, "ticket_201905") == one(conn, indexes, "ticket")
    foreign = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass"
    assert one(conn, foreign, "ticket_201905") == 4
    assert one(conn, "SELECT count(*) FROM ticket WHERE reported_at < '2020-01-01'") == 2


def test_what_has_no_grid_is_kept_and_reported(conn: Db, written: Callable[..., Path]) -> None:
    report = import_tickets(
        conn,
        written(
            ticket(1, lon="", lat=""),
            ticket(2, lon="0", lat="0"),
            ticket(3, lon="118.5"),
            ticket(4),
        ),
    )
    assert report.counts == {"read": 4, "exact": 1, "outside": 1, "none": 2, "added": 4}
    assert any("1 tickets lie outside" in note for note in report.notes)
    numbers = {row[0] for row in conn.execute("SELECT area_no FROM ticket WHERE location <> 'exact'")}
    assert numbers == {1_000_000_000}


def test_a_point_that_many_share_is_no_place(conn: Db) -> None:
    report = import_tickets(conn, BROKEN_FOLDER / "default_point.csv")
    assert report.counts == {"read": 100, "exact": 40, "shared_point": 60, "added": 100}
    assert any("60 tickets share the point 116.970000, 35.400000" in note for note in report.notes)
    shared = conn.execute(
        "SELECT DISTINCT area_no, geom IS NOT NULL FROM ticket WHERE location = 'shared_point'"
    )
    assert shared.fetchall() == [(1_000_000_000, True)]


def test_the_area_named_in_the_file_holds_where_the_point_does_not(
    conn: Db, written: Callable[..., Path]
) -> None:
    row = ticket(1, lon="", lat="").strip() + ",370883001002\n"
    import_tickets(conn, written(row, heading=HEADING.strip() + ",所属网格\n"))
    assert one(conn, "SELECT area_no FROM ticket") == 1_001_002_000


def test_tickets_keep_the_grid_of_their_time(conn: Db, written: Callable[..., Path]) -> None:
    """A boundary that moved on 1 June leaves the tickets of May where they were."""
    conn.execute(
        "UPDATE area_boundary SET valid = daterange('2020-01-01', '2025-06-01') WHERE area_no = 1001001001"
    )
    conn.execute(
        "INSERT INTO area_boundary (area_no, version, valid, geom, label_at, source, generated)"
        " SELECT area_no, 2, daterange('2025-06-01', NULL), ST_Translate(geom, 1, 0), ST_Translate(label_at, 1, 0),"
        " source, generated FROM area_boundary WHERE area_no = 1001001001"
    )
    import_tickets(
        conn,
        written(ticket(1, reported_at="2025-05-31 23:00:00"), ticket(2, reported_at="2025-06-01 01:00:00")),
    )
    rows = conn.execute("SELECT source_id, area_no, location FROM ticket ORDER BY 1").fetchall()
    assert rows == [("T0001", 1_001_001_001, "exact"), ("T0002", 1_001_001_000, "outside")]


def test_a_workbook_with_chinese_headings_a_mapping_and_excel_dates(conn: Db, tmp_path: Path) -> None:
    path = tmp_path / "工单.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(
        0, 0, ["工单编号", "受理时间", "类别", "诉求内容", "经度", "纬度", "当前状态", "办结时间", "评价"]
    )
    day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.write_row(
        1, 0, [20250301001, None, 1001, "3号楼路灯不亮", 117.0051, 35.4051, "已经解决", None, "很满意"]
    )
    sheet.write_datetime(1, 1, datetime(2025, 3, 1, 8, 30), day)
    sheet.write_number(1, 7, 45718.5, day)  # 2025-03-02 12:00
    sheet.write_row(
        2, 0, [20250301002, "2025年3月1日 下午2:05", "占道经营", "", 117.0151, 35.4051, "处置", None, ""]
    )
    book.close()
    options = TicketOptions(
        columns={"status": "当前状态"},
        constants={"channel": "12345热线"},
        values={"status": {"已经解决": "办结"}},
    )
    report = import_tickets(conn, path, options)
    assert report.counts["exact"] == 2
    rows = conn.execute(
        "SELECT t.source_id, t.reported_at, c.code, t.title, t.status, t.closed_at, t.satisfaction"
        " FROM ticket t JOIN category c ON c.id = t.category_id ORDER BY 1"
    ).fetchall()
    assert rows[0] == (
        "20250301001", datetime(2025, 3, 1, 0, 30, tzinfo=UTC), "01001", "3号楼路灯不亮", "closed",
        datetime(2025, 3, 2, 4, 0, tzinfo=UTC), "satisfied",
    )  # fmt: skip
    assert rows[1][1:5] == (datetime(2025, 3, 1, 6, 5, tzinfo=UTC), "01002", "占道经营", "in_progress")


def test_gb18030_semicolons_and_another_zone(conn: Db, written: Callable[..., Path]) -> None:
    path = written(ticket(1).replace(",", ";"), heading=HEADING.replace(",", ";"), encoding="gb18030")
    import_tickets(conn, path, TicketOptions(time_zone="UTC"))
    assert conn.execute("SELECT title, reported_at FROM ticket").fetchone() == (
        "路灯不亮", datetime(2025, 3, 2, 8, 30, tzinfo=UTC),
    )  # fmt: skip


def test_geojson_points_in_gcj02(conn: Db, tmp_path: Path) -> None:
    import json

    import numpy as np

    from geodata.datum import from_wgs84

    lon, lat = from_wgs84(np.array([117.0051]), np.array([35.4051]), "gcj02")
    feature = {
        "type": "Feature", "geometry": {"type": "Point", "coordinates": [lon[0], lat[0]]},
        "properties": {"reported_at": "2025-03-01T08:00:00+08:00", "channel": "grid", "category": "01001",
                       "title": "a"},
    }  # fmt: skip
    path = tmp_path / "tickets.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    import_tickets(conn, path, TicketOptions(datum="gcj02"))
    x, y, number = conn.execute("SELECT ST_X(geom), ST_Y(geom), area_no FROM ticket").fetchone() or ()
    assert (x, y) == pytest.approx((117.0051, 35.4051), abs=1e-8)
    assert number == 1_001_001_001


def test_tickets_that_are_here_already(conn: Db, written: Callable[..., Path]) -> None:
    import_tickets(conn, written(ticket(1)))
    with pytest.raises(ImportRefused) as refused:
        import_tickets(conn, written(ticket(1), ticket(2)))
    assert "2 source_id T0001" in complaints(refused)
    assert "--known skip" in complaints(refused)


def test_known_tickets_are_skipped_when_told(conn: Db, written: Callable[..., Path]) -> None:
    import_tickets(conn, written(ticket(1)))
    report = import_tickets(conn, written(ticket(1, title="另"), ticket(2)), TicketOptions(known="skip"))
    assert (report.counts["skipped"], report.counts["added"]) == (1, 1)
    assert one(conn, "SELECT title FROM ticket WHERE source_id = 'T0001'") == "路灯不亮"


REFUSED: dict[str, list[str]] = {
    "duplicate_ids.csv": ["4 source_id T0001 each source_id once a channel"],
    "unknown_category.csv": ["3 category 爆露垃圾", "Nearest: 暴露垃圾", "4 channel 来电", "5 status 弄好了"],
    "formulas.csv": ["2 title =HYPERLINK(A1) a value, not a formula", "3 title #REF!"],
    "swapped.csv": ["4 lat 117.0051", "swapped"],
    "metres.csv": ["projected metres or feet"],
    "bad_numbers.csv": ["2 lon inf", "3 lon NaN", "4 lat 1e999", "5 lat", "both longitude and latitude"],
    "bad_times.csv": [
        "2 reported_at 2025-02-30 08:00", "3 reported_at 05/06/2025", "4 reported_at", "5 reported_at 2099-01-01 00:00",
        "--time-zone", "6 closed_at 2025-03-01 08:00:00 a time not before the report", "7 closed_at",
    ],
    "ragged.csv": ["9 cells in row 3", "separator inside a text"],
    "no_rows.csv": ["at least one ticket"],
    "open_quote.csv": ["quotation mark"],
    "no_category.csv": ["--column category=NAME", "--column channel=NAME"],
    "cut_off.parquet": ["damaged or cut off"],
    "old.xls": ["save it as .xlsx"],
    "binary.csv": ["binary"],
    "error_cells.xlsx": ["3 title #DIV/0!"],
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused_whole_with_row_and_column(conn: Db, name: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        import_tickets(conn, BROKEN_FOLDER / name)
    said = complaints(refused)
    for sentence in REFUSED[name]:
        assert sentence in said, said
    assert one(conn, "SELECT count(*) FROM ticket") == 0


def test_complaints_are_counted_in_full_and_listed_in_part(conn: Db, written: Callable[..., Path]) -> None:
    with pytest.raises(ImportRefused) as refused:
        import_tickets(conn, written(*(ticket(number, lon="x") for number in range(500))))
    assert refused.value.report.fault_total == 500
    assert len(refused.value.report.faults) <= 25


def test_parquet_with_types_of_its_own(conn: Db, tmp_path: Path) -> None:
    when = datetime(2025, 3, 2, 0, 30, tzinfo=UTC)
    table: dict[str, Any] = {
        "source_id": pa.array(["a", "b"]), "reported_at": pa.array([when, when], pa.timestamp("ms", "Asia/Shanghai")),
        "channel": pa.array(["grid", "12345"]).dictionary_encode(), "category": pa.array([1001, 2001]),
        "title": ["x", None], "lon": [117.0051, float("nan")], "lat": [35.4051, None], "worker": ["W1001001001", None],
    }  # fmt: skip
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    report = import_tickets(conn, [tmp_path / "t.parquet"], TicketOptions(generated=True))
    assert report.counts == {"read": 2, "exact": 1, "none": 1, "added": 2}
    assert (
        one(
            conn,
            "SELECT count(*) FROM ticket WHERE worker_id IS NOT NULL AND generated AND reported_at = %s",
            when,
        )
        == 1
    )
