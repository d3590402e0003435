"""Likely duplicates by place, time, category and words; merging that loses no voice, closes along and can be undone."""

import random
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import profiles
from geodata.queries import duplicates as queries
from geodata.queries.ticket_events import events_of
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Db, Pool, enter, scoped
from services import duplicates, tickets
from services.duplicates import Draft, alike
from services.tickets import BadReport, NotAllowed, Report, UnknownTicket, fold, state_of
from tests.small_place import centre, grid_no, make_months
from tests.ticket_steps import give
from tests.viewers import DISPATCHER, of_town

ZOUCHENG = profiles.load("zoucheng")
PROFILE = ZOUCHENG.model_copy(
    update={"loop": ZOUCHENG.loop.model_copy(update={"verify": False, "needs": {}, "accepted_by_hand": []})}
)
METRE = 1 / 111_000  # degrees of latitude
NOW = datetime.now(UTC)
LON, LAT = centre(1, 1, 1)


@pytest.fixture(autouse=True)
def _in_scope(request: pytest.FixtureRequest) -> None:
    if "conn" in request.fixturenames:
        conn = request.getfixturevalue("conn")
        make_months(conn, 42)
        enter(conn, EVERYTHING)


def file(
    conn: Db, title: str = "路口堆放垃圾", category: str = "01001", *, north: float = 0, days: float = 0,
    place: dict[str, object] | None = None, **more: object,
) -> Ticket:  # fmt: skip
    """A ticket so many metres north of the middle of a grid, reported so many days ago."""
    where = {"lon": LON, "lat": LAT + north * METRE} if place is None else place
    at = NOW - timedelta(days=days)
    report = Report(channel="grid", category=category, title=title, reported_at=at, **where, **more)
    return tickets.file_ticket(conn, PROFILE, DISPATCHER, report, now=NOW).ticket


def likely(conn: Db, **draft: object) -> list[duplicates.Candidate]:
    return duplicates.likely(conn, PROFILE, Draft.model_validate(draft), NOW)


HERE = {"title": "路口堆放垃圾", "category": "01001", "lon": LON, "lat": LAT}


def test_the_nearest_and_most_alike_comes_first_with_its_reasons(conn: Db) -> None:
    near = file(conn, "十字路口垃圾成堆没人清理", north=30)
    far = file(conn, "十字路口垃圾成堆没人清理", north=150, days=6)
    file(conn, north=260)  # too far for this kind of matter
    file(conn, "小区电梯停运", "02004", north=30, days=20)  # another matter
    found = likely(conn, **HERE)
    assert [one.ticket.id for one in found] == [near.id, far.id]
    assert found[0].distance_m == pytest.approx(30, abs=1) and found[1].distance_m == pytest.approx(
        150, abs=2
    )
    assert found[0].likeness.percent > found[1].likeness.percent
    assert found[1].likeness.hours_apart == pytest.approx(144)
    assert {key for key, _ in found[0].likeness.reasons} == {
        "duplicates.near", "duplicates.hours", "duplicates.same_kind", "duplicates.same_words",
    }  # fmt: skip
    assert duplicates.likely_of(conn, PROFILE, near.id, NOW)[0].ticket.id == far.id  # not itself


def test_each_kind_of_matter_has_a_radius_of_its_own(conn: Db) -> None:
    cold = file(conn, "暖气不热", "03001", north=400)
    assert [one.ticket.id for one in likely(conn, **HERE | {"title": "暖气不热", "category": "03001"})] == [
        cold.id
    ]
    file(conn, "电梯停运", "02004", north=100)
    assert likely(conn, **HERE | {"title": "电梯停运", "category": "02004"}) == []


def test_what_ended_is_offered_for_a_month(conn: Db) -> None:
    ended = []
    for days in (1, 40):
        ticket = file(conn, north=10, days=days + 1)
        for command in ("dispatch", "sign", "handle", "close"):
            ticket = give(conn, PROFILE, ticket, command, viewer=DISPATCHER, now=NOW - timedelta(days=days))
        ended.append(ticket.id)
    rejected = give(conn, PROFILE, file(conn, north=10), "reject", viewer=DISPATCHER)
    assert rejected.status == "rejected"
    assert [one.ticket.id for one in likely(conn, **HERE)] == ended[:1]


def test_what_was_only_named_is_compared_by_its_area(conn: Db) -> None:
    named = file(conn, place={"area": "370883001001001"})
    community = file(conn, place={"area": "370883001001"})
    file(conn, place={"area": "370883001001002"})  # another grid
    pointed = file(conn, north=20)
    found = likely(conn, **HERE)
    assert [one.ticket.id for one in found] == [pointed.id, named.id, community.id]
    assert [one.distance_m is None for one in found] == [False, True, True]
    assert dict(found[1].likeness.reasons)["duplicates.same_area"] == {"area": "第1网格"}
    by_name = likely(conn, title=HERE["title"], category="01001", area="370883001001001")
    assert {one.ticket.id for one in by_name} == {named.id, community.id, pointed.id}
    assert all(one.distance_m is None for one in by_name)


def test_a_point_that_many_share_is_no_distance(conn: Db) -> None:
    shared = [file(conn, days=0.1) for _ in range(22)]
    assert shared[-1].location == "shared_point"
    found = likely(conn, **HERE)
    assert found and all(one.distance_m is None or one.ticket.location == "exact" for one in found)


def test_nothing_of_another_town_is_offered(conn: Db) -> None:
    lon, lat = centre(1, 2, 3)
    edge = {"lon": lon + 0.004999, "lat": lat}
    mine = file(conn, place=edge)
    file(conn, place={"lon": edge["lon"] + 0.0005, "lat": lat})
    assert len(likely(conn, **HERE | edge)) == 2
    town = of_town(1, "dispatcher")
    enter(conn, town.scope)
    assert [one.ticket.id for one in likely(conn, **HERE | edge)] == [mine.id]


@pytest.mark.parametrize(
    "wrong", [{"category": "?"}, {"lon": 10.0}, {"area": "nowhere", "lon": None, "lat": None}]
)
def test_a_draft_that_names_nothing_of_here_is_refused(conn: Db, wrong: dict[str, object]) -> None:
    with pytest.raises(BadReport):
        likely(conn, **HERE | wrong)


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("路口堆放垃圾", "路口堆放垃圾", 1.0, 1.0),
        ("路口堆放垃圾", "十字路口垃圾成堆没人清", 0.5, 0.8),
        ("幸福小区3号楼电梯停运", "幸福小区三号楼电梯故障停运两天", 0.7, 0.95),
        ("路灯不亮", "路灯不亮，出行不便", 0.7, 1.0),
        ("Street light out", "street light is broken near the school", 0.6, 0.95),
        ("暖气不热", "自来水停水", 0.0, 0.4),
        ("路口堆放垃圾", "小区电梯坏了", 0.0, 0.4),
        ("Ｗｉ－Ｆｉ", "wi-fi", 1.0, 1.0),
        ("！！！", "路灯不亮", 0.0, 0.0),
    ],
)
def test_words_are_compared_as_people_would(one: str, other: str, least: float, most: float) -> None:
    assert least <= alike(one, None, other, None) <= most
    assert alike(one, None, other, None) == pytest.approx(alike(other, None, one, None))


@given(st.text(max_size=80), st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert 0.0 <= alike(one, other, other, None) <= 1.0


def test_the_indexes_serve_it(conn: Db) -> None:
    """At any size: the open ones by their own index, the ended ones by place, in the newest months only."""
    conn.execute("SET LOCAL enable_seqscan = off")
    looked = queries.Looked(
        NOW,
        NOW - timedelta(days=400),
        NOW - timedelta(days=30),
        NOW - timedelta(days=180),
        [1],
        LON,
        LAT,
        200.0,
        None,
    )
    plan = "\n".join(
        row[0]
        for query, more in ((queries._NEAR, {}), (queries._SAME_AREA, {"any_place": False}))
        for row in conn.execute(f"EXPLAIN {query}", looked._asdict() | {"most": 100} | more)
    )
    assert re.search(r"Index.* (?:using|on) ticket_2\d{5}", plan)
    assert not re.search(r"Seq Scan on ticket_\d", plan), plan


# --- merging


def merged(conn: Db, one: Ticket, into: Ticket) -> Ticket:
    return give(conn, PROFILE, tickets.read(conn, one.id), "merge", viewer=DISPATCHER, into=into.id)


def unmerged(conn: Db, one: Ticket) -> Ticket:
    return give(conn, PROFILE, tickets.read(conn, one.id), "unmerge", viewer=DISPATCHER)


def heard(conn: Db, ticket: Ticket) -> list[str]:
    return [voice.title for voice in duplicates.voices(conn, ticket.id)]


def told(conn: Db, ticket: Ticket) -> list[str]:
    return [event.kind for event in events_of(conn, ticket.id)]


def brought(conn: Db, ticket: Ticket, *commands: str) -> Ticket:
    for command in commands:
        ticket = give(conn, PROFILE, tickets.read(conn, ticket.id), command, viewer=DISPATCHER)
    return ticket


def test_merging_keeps_every_voice_and_taking_out_restores(conn: Db) -> None:
    a, b, c = (file(conn, title, days=days) for title, days in (("甲", 3), ("乙", 2), ("丙", 1)))
    merged(conn, a, b)
    merged(conn, b, c)  # a goes along
    assert heard(conn, c) == ["甲", "乙", "丙"] and heard(conn, b) == ["甲", "乙"]
    first = duplicates.voices(conn, c.id)[0]
    assert (first.merged_into, first.merged_by, first.channel) == (
        b.id,
        "dispatcher",
        "grid",
    ) and first.merged_at
    assert duplicates.voices(conn, c.id)[2].merged_into is None
    unmerged(conn, b)
    assert heard(conn, c) == ["丙"] and heard(conn, b) == ["甲", "乙"]
    out = unmerged(conn, a)
    assert (out.status, out.merged_into, out.closed_at) == ("accepted", None, None)
    assert heard(conn, b) == ["乙"] and heard(conn, a) == ["甲"]


def test_who_names_a_merged_one_means_its_master(conn: Db) -> None:
    a, b, c = (file(conn, title) for title in "甲乙丙")
    merged(conn, a, b)
    assert merged(conn, c, a).merged_into == b.id


def test_no_circle_and_nothing_that_does_not_go_on(conn: Db) -> None:
    a, b, c = (file(conn, title) for title in "甲乙丙")
    merged(conn, a, b)
    for into in (a, b):
        with pytest.raises(BadReport, match="into"):
            merged(conn, b, into)
    brought(conn, c, "reject")
    with pytest.raises(BadReport, match="into"):
        merged(conn, b, c)
    with pytest.raises(BadReport, match="into"):
        give(conn, PROFILE, tickets.read(conn, b.id), "merge", viewer=DISPATCHER, into=10**12)
    with pytest.raises(NotAllowed):
        merged(conn, a, c)  # it is merged already


def test_who_was_merged_is_told_when_it_ends_and_when_it_opens_again(conn: Db) -> None:
    a, b, c, alone = (file(conn, title) for title in ("甲", "乙", "丙", "丁"))
    merged(conn, a, b)
    merged(conn, b, c)
    brought(conn, c, "dispatch", "sign", "handle", "close")
    for one in (a, b):
        event = events_of(conn, one.id)[-1]
        assert (event.kind, event.status, event.data) == (
            "closed_with",
            "merged",
            {"master": c.id, "status": "closed"},
        )
        assert event.actor == "dispatcher" and event.version == tickets.read(conn, one.id).version
    brought(conn, c, "archive")
    brought(conn, c, "reopen")
    assert told(conn, a) == ["report", "merge", "closed_with", "reopened_with"]
    assert told(conn, alone) == ["report"]
    brought(conn, c, "dispatch", "sign", "handle", "close", "undo")
    assert told(conn, b)[-2:] == ["closed_with", "reopened_with"]
    unmerged(conn, b)
    brought(conn, c, "close")
    assert told(conn, b)[-1] == "unmerge" and told(conn, a)[-1] == "reopened_with"
    for one in (a, b, c):
        events = events_of(conn, one.id)
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        assert fold(events) == state_of(tickets.read(conn, one.id))


def test_an_unsatisfied_call_back_opens_for_all(conn: Db) -> None:
    a, b = file(conn, "甲"), file(conn, "乙")
    merged(conn, a, b)
    brought(conn, b, "dispatch", "sign", "handle", "close")
    give(conn, PROFILE, tickets.read(conn, b.id), "call_back", viewer=DISPATCHER, satisfaction="unsatisfied")
    assert told(conn, a)[-2:] == ["closed_with", "reopened_with"]


def test_those_of_another_town_are_told_too_by_who_cannot_see_them(pool: Pool) -> None:
    lon, lat = centre(2, 1, 1)
    with scoped(pool, EVERYTHING) as conn:
        other = file(conn, "甲", place={"lon": lon, "lat": lat})
        master = file(conn, "乙")
        merged(conn, other, master)
    town = of_town(1, "dispatcher")
    with scoped(pool, town.scope) as conn:
        with pytest.raises(UnknownTicket):
            tickets.read(conn, other.id)
        for command in ("dispatch", "sign", "handle", "close"):
            master = give(conn, PROFILE, tickets.read(conn, master.id), command, viewer=town)
        assert heard(conn, master) == ["乙"]
        with pytest.raises(UnknownTicket):
            tickets.read(conn, other.id)  # the scope is as narrow as before
        role = conn.execute("SELECT current_user, current_setting('wangge.lo')").fetchone()
        assert role == ("wangge_scoped", str(grid_no(1, 0, 0)))
    with scoped(pool, EVERYTHING) as conn:
        assert told(conn, other)[-1] == "closed_with" and heard(conn, master) == ["甲", "乙"]


def test_two_that_are_merged_into_each_other_at_once_make_no_circle(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        a, b = file(conn, "甲"), file(conn, "乙")
    outcomes: list[str] = []
    both = threading.Barrier(2)

    def merge(one: Ticket, into: Ticket) -> None:
        both.wait()
        try:
            with scoped(pool, EVERYTHING) as conn:
                merged(conn, one, into)
            outcomes.append("merged")
        except (BadReport, NotAllowed) as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=merge, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["BadReport", "merged"]


@pytest.mark.parametrize("seed", range(5))
def test_no_voice_is_ever_lost(conn: Db, seed: int) -> None:
    """Random merging, taking out, closing and opening: each voice is heard from exactly one ticket that goes on."""
    chance = random.Random(seed)
    filed = [file(conn, f"第{n}声") for n in range(8)]
    everybody = {f"第{n}声" for n in range(8)}
    for _ in range(40):
        now = [tickets.read(conn, one.id) for one in filed]
        one = chance.choice(now)
        command = chance.choice(("merge", "merge", "unmerge", "close", "reopen"))
        try:
            if command == "merge":
                merged(conn, one, chance.choice(now))
            elif command == "close":
                brought(conn, one, "dispatch", "sign", "handle", "close")
            else:
                brought(conn, one, command)
        except (NotAllowed, BadReport):
            conn.execute("SELECT 1")  # nothing was written, the transaction goes on
        now = [tickets.read(conn, one.id) for one in filed]
        roots = [ticket for ticket in now if ticket.merged_into is None]
        voices = [title for root in roots for title in heard(conn, root)]
        assert sorted(voices) == sorted(everybody)
    for ticket in now:
        events = events_of(conn, ticket.id)
        assert fold(events) == state_of(ticket) and [e.version for e in events] == list(
            range(1, len(events) + 1)
        )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 199), st.floats(0, 20))
def test_nearer_and_sooner_is_never_less_alike(metres: float, days: float) -> None:
    said = duplicates.Said("路灯不亮", None, "05001", "05", NOW)
    other = said._replace(at=NOW - timedelta(days=days))
    how: Any = {"radius_m": 200.0, "same_grid": True, "area": ""}
    here = duplicates.likeness(said, other, distance_m=metres, **how).percent
    nearer = duplicates.likeness(said, other, distance_m=metres / 2, **how).percent
    sooner = duplicates.likeness(said, said, distance_m=metres, **how).percent
    assert nearer >= here and sooner >= here
