"""Import of workers, posts, stations, the party tree and patrols; that of care: tests/services/test_care_import.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from geodata.importing.people import (
    import_org,
    import_patrols,
    import_posts,
    import_stations,
    import_workers,
)
from geodata.importing.report import ImportRefused
from geodata.importing.rows import PeopleOptions
from geodata.scope import Db
from tests.geodata.test_import_areas import complaints, one

GRID = "370883001001001"


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines as a CSV file."""

    def write(*lines: str) -> Path:
        path = tmp_path / "file.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_workers_by_their_chinese_headings(conn: Db, written: Callable[..., Path]) -> None:
    path = written(
        "工号,姓名,手机号码,人员类别,所属网格编码,专业,上班时间,下班时间,工作日",
        f"X1,张三,13900000000,专职,{GRID},供水、供电,8:00,24:00,周一至周五",
        f"X2,李四,,专业网格员,{GRID},,,,",
    )
    report = import_workers(conn, path)
    assert report.counts == {"read": 2, "updated": 0, "added": 2}
    rows = conn.execute(
        "SELECT code, kind, area_no, skills, shift_from::text, shift_to::text, shift_days FROM worker"
        " WHERE code LIKE 'X%' ORDER BY code"
    ).fetchall()
    assert rows == [
        ("X1", "full_time", 1_001_001_001, ["供水", "供电"], "08:00:00", "24:00:00", 31),
        ("X2", "professional", 1_001_001_001, [], "08:00:00", "18:00:00", 127),
    ]
    path = written("code,name,kind,area", f"X1,张三丰,兼职,{GRID}")
    assert import_workers(conn, path).counts == {"read": 1, "updated": 1, "added": 0}
    assert one(conn, "SELECT name FROM worker WHERE code = 'X1'") == "张三丰"


def test_a_broken_file_of_workers(conn: Db, written: Callable[..., Path]) -> None:
    path = written(
        "code,name,kind,area,shift_from,shift_days",
        f"X1,张三,全职,{GRID},8:00,",
        "X1,,专职,370883001001999,25:00,someday",
    )
    with pytest.raises(ImportRefused) as refused:
        import_workers(conn, path)
    said = complaints(refused)
    for sentence in (
        "2 kind 全职",
        "3 name",
        "3 area 370883001001999",
        "3 shift_from 25:00",
        "3 shift_days",
        "3 code X1 each code once",
    ):
        assert sentence in said, said
    assert one(conn, "SELECT count(*) FROM worker WHERE code = 'X1'") == 0


def test_posts(conn: Db, written: Callable[..., Path]) -> None:
    posts = written("code,name,role,area,lon,lat,phone", f"P1,王五,网格长,{GRID},117.005,35.405,13900000001")
    assert import_posts(conn, posts).counts["added"] == 1


@pytest.mark.parametrize(
    "heading",
    ["民族", "宗教信仰", "政治倾向", "是否上访", "信访记录", "活动轨迹", "人脸照片", "风险评分",
     "Ethnicity", "riskScore",
     "face_id", "petition history", "religion", "opinions", "lastTrack"],
)  # fmt: skip
def test_columns_that_this_product_refuses(conn: Db, written: Callable[..., Path], heading: str) -> None:
    path = written(f"code,name,role,area,{heading}", f"P1,王五,网格长,{GRID},x")
    with pytest.raises(ImportRefused) as refused:
        import_posts(conn, path)
    fault = refused.value.report.faults[0]
    assert fault.value == heading
    assert "Delete the column" in fault.hint


def test_ordinary_headings_are_welcome(conn: Db, written: Callable[..., Path]) -> None:
    path = written("code,name,role,area,备注,surface,interface,operator", f"P1,王五,网格长,{GRID},,,,")
    assert import_posts(conn, path).counts["added"] == 1


def test_stations_lie_where_their_point_says(conn: Db, written: Callable[..., Path]) -> None:
    number = "37088300001320000001"
    path = written(
        "国标编号,点位名称,场所类型,经度,纬度,hls",
        f"{number},一号厅,办事大厅,117.005,35.405,https://a.example/live.m3u8",
    )
    assert import_stations(conn, path).counts["added"] == 1
    assert one(conn, "SELECT area_no FROM video_station WHERE id = %s", number) == 1_001_001_001
    path = written("id,name,site_kind,lon,lat,stream_url", "3.70883E+19,一号厅,办事大厅,,,rtsp://a/b")
    with pytest.raises(ImportRefused) as refused:
        import_stations(conn, path)
    said = complaints(refused)
    assert "Excel rounds long numbers" in said
    assert "RTSP needs a gateway" in said
    assert "A station without a point" in said


def test_the_party_tree(conn: Db, written: Callable[..., Path]) -> None:
    path = written(
        "path,kind,name,area", "t001,镇街党委,钢山街道党工委,370883001", f"t001.b1,网格党支部,第一支部,{GRID}"
    )
    assert import_org(conn, path).counts["added"] == 2
    with pytest.raises(ImportRefused):
        import_org(conn, written("path,kind,name,area", "t001..x,镇街党委,钢山街道党工委,370883001"))


def test_patrols_of_one_day_become_one(conn: Db, written: Callable[..., Path]) -> None:
    path = written(
        "area,day,worker,first_at,last_at",
        f"{GRID},2025-05-01,W1001001001,2025-05-01 08:00,2025-05-01 09:00",
        f"{GRID},2025-05-01,W1001001001,2025-05-01 15:00,2025-05-01 16:30",
    )
    import_patrols(conn, path)
    assert one(conn, "SELECT extract(epoch FROM last_at - first_at)::int FROM patrol") == 8 * 3600 + 1800
    foreign = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'patrol'::regclass"
    assert one(conn, foreign) == 2
    import_patrols(conn, path, PeopleOptions())
    assert one(conn, "SELECT count(*) FROM patrol") == 1
