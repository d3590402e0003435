"""What intake does to a report before it is a ticket: masking, the sealed reporter, and addresses found by name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.masking import is_id_number, masked

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


def test_the_check_digit_of_an_id_number() -> None:
    assert is_id_number("11010519491231002X") and is_id_number("440524188001010014")
    assert not is_id_number("110105194912310021") and not is_id_number("1101051949123100")
