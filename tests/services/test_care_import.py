"""Files of people owed care: sealed as they come in, refused as a whole, and what they may not say of anybody."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from geodata.importing.care import import_care
from geodata.importing.report import ImportRefused
from geodata.importing.words import refused_heading
from geodata.queries import care as queries
from geodata.scope import Db, enter
from services.care.contents import Contact, contents_of
from tests.data.broken.make import BROKEN_FOLDER
from tests.services.care_record import GRID, ID_NUMBER, NAME, OFFICIAL, PHONE, SEALS


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
