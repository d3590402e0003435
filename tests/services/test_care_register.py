"""The register of people owed care: entries, changes, pages, visits and the plan they move, its export."""

import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import psycopg
import pytest

from geodata.queries import care as queries
from geodata.queries import points
from geodata.scope import EVERYTHING, Pool, scoped
from geodata.servers import Stores
from services.access import UnknownArea
from services.care import export, opening, register, visits
from services.care.contents import Contact
from services.care.errors import BadCare
from services.care.plan import after_visit, state_of
from tests.services.care_record import ENTRY, ID_NUMBER, NAME, OFFICIAL, PROFILE, SEALS, TODAY, audited
from tests.small_place import grid_no
from tests.viewers import of_town


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
