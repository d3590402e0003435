"""The callbacks of the page of an area, called as the plain functions that they are."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from dash.development.base_component import Component

import profiles
from callbacks.area import Asked, export, show_table, show_tiles, span_words
from geodata.pool import make_pool
from geodata.scope import EVERYTHING, scoped
from geodata.servers import Stores
from services.access import UnknownArea
from services.runtime import Runtime
from settings import Settings
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, of_town


@pytest.fixture(scope="module")
def runtime(module_clone: Stores) -> Any:
    """A process on a small place with three tickets in the first grid: closed, open, and open past its deadline."""
    with make_pool(module_clone.app_url, size=2) as pool:
        file_tickets(module_clone)
        yield Runtime(Settings(), profiles.load("zoucheng"), module_clone, pool, *[None] * 7)  # type: ignore[arg-type]


def file_tickets(stores: Stores) -> None:
    """Insert them an hour ago, or at midnight where the day is younger than that."""
    hour = timedelta(hours=1)
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    reported = max(now - hour, now.replace(hour=0, minute=0, second=0, microsecond=0))
    since = (now - reported) / 2
    x, y = centre(1, 1, 1)
    with psycopg.connect(stores.database_url) as conn:
        for closed, due in ((reported + since, now + hour), (None, now + hour), (None, reported + since)):
            conn.execute(
                """
                INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status,
                                    closed_at, due_at, satisfaction)
                VALUES (%s, 1, (SELECT id FROM category WHERE code = '01001'), '张三举报', ST_SetSRID(
                        ST_MakePoint(%s, %s), 4326), 'exact', %s, %s, %s, %s, %s)
                """,
                (reported, x, y, grid_no(1, 1, 1), "closed" if closed else "in_progress", closed, due,
                 "satisfied" if closed else None),
            )  # fmt: skip


def text_of(node: Any) -> str:
    """All text of a component."""
    if isinstance(node, list | tuple):
        return " ".join(filter(None, map(text_of, node)))
    if isinstance(node, Component):
        return text_of(getattr(node, "children", None))
    return "" if node is None else str(node)


def test_tiles_of_the_whole_place(runtime: Runtime) -> None:
    tiles, span = show_tiles(runtime, DISPATCHER, {"period": "month"})
    texts = [text_of(tile) for tile in tiles]
    assert len(texts) == 6
    assert texts[0].startswith("受理 上月")
    assert "3 件" in texts[0]
    assert "\u25b2 1 件" in texts[3]
    assert "1 / 2" in texts[4], "the open ticket past its deadline counts in the denominator"
    assert "100.0 % 1 / 1" in texts[5]
    assert "与上月同期比" in span


def test_rows_of_children_and_their_names_in_english(runtime: Runtime) -> None:
    rows, count = show_table(runtime, DISPATCHER, {"code": "370883"})
    assert [row["name"] for row in rows] == ["钢山街道", "千泉街道"]
    assert rows[0] | {"name": ""} == {
        "key": "370883001", "no": grid_no(1, 0, 0), "code": "370883001", "name": "", "initials": "",
        "grids": 18, "open": 2,
        "change": 2, "overdue": 1, "reported": 3, "on_time": 0.5, "on_time_n": 1, "on_time_d": 2,
        "satisfaction": 1.0, "satisfaction_n": 1, "satisfaction_d": 1,
    }  # fmt: skip
    assert rows[1]["on_time"] is None
    assert count == "共 2 个"
    rows, count = show_table(runtime, DISPATCHER, {"code": "370883", "lang": "en"})
    assert [row["name"] for row in rows] == ["Gangshan", "Qianquan"]
    assert count == "2 in all"
    rows, _ = show_table(runtime, DISPATCHER, {"code": "370883001001", "lang": "en"})
    assert rows[0]["name"] == "Grid 1"


def test_a_grid_shows_its_open_tickets_and_nobodys_name(runtime: Runtime) -> None:
    rows, count = show_table(runtime, DISPATCHER, {"code": "370883001001001"})
    assert [row["late"] for row in rows] == [True, False]
    assert rows[0]["category"] == "暴露垃圾"
    assert count == "共 2 个"
    assert "张三" not in str(rows)


def test_an_unknown_area(runtime: Runtime) -> None:
    with pytest.raises(UnknownArea):
        show_table(runtime, DISPATCHER, {"code": "999"})


@pytest.mark.parametrize("odd", [{}, {"period": "", "lang": None}, {"period": "decade", "lang": "fr"}])
def test_an_odd_address_falls_back(runtime: Runtime, odd: dict[str, str | None]) -> None:
    asked = Asked(runtime, DISPATCHER, {"code": "370883001", **odd})
    assert (asked.code, asked.lang, asked.period) == ("370883001", "zh-CN", "today")


def test_words_of_a_span(runtime: Runtime) -> None:
    now = datetime(2026, 11, 18, 6, tzinfo=UTC)
    assert (
        span_words(Asked(runtime, DISPATCHER, {"period": "week"}, now)) == "11月16日–11月18日，与上周同期比"
    )
    assert (
        span_words(Asked(runtime, DISPATCHER, {"lang": "en"}, now))
        == "18 Nov, against the same time a week ago"
    )


def test_export_needs_rows_and_leaves_a_trace(runtime: Runtime) -> None:
    analyst = of_town(1, "analyst")
    assert export(runtime, analyst, 1, [{"no": 1}], {"code": None}) is True
    assert export(runtime, analyst, 1, [], {}) is not True
    assert export(runtime, analyst, None, [{"no": 1}], {}) is not True
    with scoped(runtime.pool, EVERYTHING, "audit") as conn:
        rows = conn.execute(
            "SELECT actor_name, object_id, detail FROM audit WHERE action = 'export'"
        ).fetchall()
    assert rows == [("analyst1", "370883001", {"rows": 1})]
