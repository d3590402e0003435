"""Candidates: a table of situations around a ticket, each with the order and the reasons that a dispatcher expects."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

import psycopg
import pytest

from geodata.scope import Db, Scope, enter
from geodata.servers import Stores
from services.dispatch import candidates, crew
from services.dispatch.found import Found
from services.dispatch.ground import above, neighbourhood, relation
from services.dispatch.travel import travel_s
from services.tickets import NotAllowed, UnknownTicket
from tests.services.situations import (
    COMMUNITY,
    EARLY,
    FAR,
    NIGHT,
    NOW,
    OWN,
    PROFILE,
    TOWN,
    TOWN_WIDE,
    WIDER,
    Post,
    Who,
    asked,
    place,
    refuse,
    ticket,
)  # fmt: skip
from tests.small_place import grid_no

WATER: dict[str, Any] = {"kind": "professional", "area": TOWN_WIDE, "skills": ["water"]}
RUBBISH, MANHOLE, BURST, WATER_CUT, QUARREL = "01001", "05002", "03003", "03002", "04001"


@dataclass
class Case:
    """Who is around, the order expected, some of the reasons of who stands in it, and who is left out and why."""

    name: str
    people: list[Who | Post]
    order: str
    reasons: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    category: str = RUBBISH
    ticket: dict[str, Any] = field(default_factory=dict)
    hours: float = 0  # later than 10 in the morning


CASES = [
    # whose ground
    Case("own grid before a nearer neighbour", [Who("A"), Who("B", COMMUNITY, 100)],
         "A B urban", {"A": "ground_own idle", "B": "ground_community nearest idle"}),
    Case("own grid before a neighbour, though 4 km off", [Who("A", m=4000), Who("B", COMMUNITY)],
         "A B urban", {"A": "ground_own", "B": "nearest"}),
    Case("own grid gives way when it takes half an hour", [Who("A", m=10_000), Who("B", COMMUNITY)],
         "B A urban", {"A": "ground_own far"}),
    Case("duty in a wider area before another grid of it", [Who("A", WIDER), Who("B", COMMUNITY)],
         "A B urban", {"A": "ground_wider"}),
    Case("same community before same town", [Who("A", TOWN), Who("B", COMMUNITY)],
         "B A urban", {"A": "ground_town"}),
    Case("same town, then the owner, then another town", [Who("A", FAR), Who("B", TOWN)],
         "B urban A", {"A": "ground_none"}),
    Case("another town at the spot before the same town 20 min off", [Who("A", FAR, 50), Who("B", TOWN, 6200)],
         "A urban B"),
    Case("both workers of one grid: the nearer", [Who("A", m=900), Who("B", m=200)],
         "B A urban", {"B": "ground_own nearest"}),
    # distance, load, fairness, position, shift
    Case("of two neighbours the nearer", [Who("A", COMMUNITY, 1500), Who("B", COMMUNITY, 400)], "B A urban"),
    Case("of two equally near the idle one", [Who("A", load=3), Who("B")], "B A urban", {"B": "idle"}),
    Case("one short of the limit is told", [Who("A", load=4)], "A urban", {"A": "ground_own nearly_full"}),
    Case("own grid with 4 of 5 in hand before an idle neighbour as near", [Who("A", load=4), Who("B", COMMUNITY)],
         "A B urban"),
    Case("own grid with 4 of 5 and 10 min off after an idle neighbour",
         [Who("A", m=3000, load=4), Who("B", COMMUNITY)],
         "B A urban"),
    Case("who was given less today", [Who("A", today=6), Who("B", today=1)], "B A urban"),
    Case("who was given ten today is told so", [Who("A", today=10, load=1)],
         "A urban", {"A": "ground_own much_today"}),
    Case("a busy day weighs less than the own grid", [Who("A", today=9), Who("B", COMMUNITY)], "A B urban"),
    Case("the fresher position", [Who("A", age_s=900), Who("B")], "B A urban", {"A": "position_aging"}),
    Case("a minute old is fresh", [Who("A", age_s=60), Who("B")], "A B urban"),
    Case("ten minutes old, but the own grid", [Who("A", age_s=600), Who("B", COMMUNITY)],
         "A B urban", {"A": "ground_own position_aging"}),
    Case("who leaves in ten minutes comes second", [Who("A", shift=EARLY), Who("B")],
         "B A urban", {"A": "shift_ends"}),
    Case("all alike: by code", [Who("B"), Who("A")], "A B urban"),
    # who is left out
    Case("own grid at the limit", [Who("A", load=5), Who("B", COMMUNITY)],
         "B urban", left_out={"A": "at_limit"}),
    Case("a part-timer is full at three, a full-timer not", [Who("A", kind="part_time", load=3), Who("B", load=3)],
         "B urban", left_out={"A": "at_limit"}),
    Case("own grid off shift", [Who("A", shift=NIGHT), Who("B", COMMUNITY)],
         "B urban", left_out={"A": "off_shift"}),
    Case("own grid has the day off", [Who("A", rests=True), Who("B", COMMUNITY)],
         "B urban", left_out={"A": "off_shift"}),
    Case("the night shift is on at eleven at night", [Who("A", shift=NIGHT), Who("B")],
         "A urban", left_out={"B": "off_shift"}, hours=13),
    Case("own grid on leave", [Who("A", away=True), Who("B", COMMUNITY)],
         "B urban", left_out={"A": "on_leave"}),
    Case("on leave counts before off shift", [Who("A", away=True, shift=NIGHT)],
         "urban", left_out={"A": "on_leave"}),
    Case("position forty minutes old", [Who("A", age_s=2400), Who("B", TOWN)],
         "B urban", left_out={"A": "position_old"}),
    Case("on shift and never seen", [Who("A", m=None), Who("B", TOWN)],
         "B urban", left_out={"A": "no_position"}),
    Case("refused it an hour ago", [Who("A", refused_h=1), Who("B", TOWN)],
         "B urban", left_out={"A": "refused"}),
    Case("refused it the day before yesterday: after an equal", [Who("A", refused_h=50), Who("B")],
         "B A urban", {"A": "refused_before"}),
    Case("holds it now", [Who("A"), Who("B", TOWN)],
         "B urban", left_out={"A": "holds_it"}, ticket={"status": "signed", "worker": "A"}),
    Case("a full neighbour farther off than all listed is nobody's question",
         [Who("A"), Who("B", FAR, 5000, load=5)],
         "A urban"),
    Case("nobody is there: the department", [], "urban", {"urban": "ground_department"}),
    Case("everybody is left out: the department, and why", [Who("A", load=5), Who("B", WIDER, away=True)],
         "urban", left_out={"A": "at_limit", "B": "on_leave"}),
    # events: first the ground, then the owner
    Case("event: the owner before somebody far off", [Who("A", m=2000), Who("B", TOWN, 8000)], "A urban B"),
    Case("event of a trade: own grid before the professional", [Who("A"), Who("W", **WATER)],
         "A W water", {"W": "ground_wider trade"}, category=WATER_CUT),
    Case("event of a trade: the professional when the own grid is 10 min off",
         [Who("A", m=3000), Who("W", **WATER)],
         "W A water", category=WATER_CUT),
    Case("event of a trade: own grid that knows the trade", [Who("A"), Who("B", skills=["water"])],
         "B A water", {"B": "ground_own trade idle"}, category=WATER_CUT),
    Case("a professional of another trade", [Who("A"), Who("G", **(WATER | {"skills": ["gas"]}))],
         "A water", category=WATER_CUT),
    Case("a professional does not pick up rubbish", [Who("W", **WATER)], "urban"),
    Case("who is known for the matter before who is not", [Who("A"), Who("B", skills=[RUBBISH])],
         "B A urban", {"B": "trade"}),
    # components: first the owner, then the ground
    Case("component: the owning department before the own grid", [Who("A", m=50)],
         "urban A", {"urban": "ground_department"}, category=MANHOLE),
    Case("component: then the own grid before the neighbour", [Who("A"), Who("B", COMMUNITY)],
         "urban A B", category=MANHOLE),
    Case("component of a trade: its professional first", [Who("A"), Who("W", **WATER, m=1500)],
         "W water A", {"W": "ground_owner idle"}, category=BURST),
    Case("component of a trade: the department when its professional is far off",
         [Who("A"), Who("W", **WATER, m=12_000)],
         "water A W", category=BURST),
    Case("component of a trade: its professional is off shift", [Who("A"), Who("W", **WATER, shift=NIGHT)],
         "water A", left_out={"W": "off_shift"}, category=BURST),
    Case("component of a trade: of two professionals the less busy",
         [Who("V", **WATER, load=6), Who("W", **WATER)],
         "W V water", category=BURST),
    # posts
    Case("a quarrel: own grid, then the village's mediator", [Who("A"), Post("M")],
         "A M justice", {"M": "ground_wider post"}, category=QUARREL),
    Case("a quarrel: the mediator when the own grid has its hands full", [Who("A", m=2000, load=4), Post("M")],
         "M A justice", category=QUARREL),
    Case("a quarrel: the mediator on duty", [Post("M", duty=True)],
         "M justice", {"M": "ground_wider post on_duty"}, category=QUARREL),
    Case("a quarrel: the mediator is not on duty today", [Post("M", duty=False)],
         "justice", category=QUARREL),
    Case("a quarrel: not the mediator of another village", [Post("M", (1, 2, 0))],
         "justice", category=QUARREL),
    Case("rubbish is no matter of a mediator", [Post("M")], "urban"),
    # tickets whose place is not known well
    Case("without a point the ground decides", [Who("A", m=5000), Who("B", COMMUNITY, 100)],
         "A B urban", {"A": "ground_own idle"}, ticket={"location": "none"}),
    Case("a point that many share is nobody's: the ground decides",
         [Who("A", m=5000), Who("B", COMMUNITY, 100)],
         "A B urban", {"A": "ground_own idle"}, ticket={"location": "shared_point"}),
    Case("known to the whole place alone: the department", [Who("A"), Who("B", FAR)],
         "urban", ticket={"area": (0, 0, 0), "location": "shared_point"}),
    Case("known to the community alone: nobody's own grid", [Who("A", m=900), Who("B", WIDER)],
         "B A urban", {"A": "ground_community"}, ticket={"area": WIDER}),
]  # fmt: skip


@pytest.fixture
def conn(stores: Stores) -> Iterator[Db]:
    """As a dispatcher of the whole place has it, in a transaction that is rolled back."""
    with psycopg.connect(stores.database_url) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_situation(conn: Db, case: Case) -> None:
    now = NOW + timedelta(hours=case.hours)
    place(conn, case.people, now)
    found = asked(conn, ticket(conn, case.category, **case.ticket), case.people, now)
    assert [row.code for row in found.rows] == case.order.split()
    for code, keys in case.reasons.items():
        row = next(row for row in found.rows if row.code == code)
        told = [reason.key for reason in row.reasons]
        assert [key for key in told if key in keys.split()] == keys.split(), told
    assert {one.key.partition(":")[2]: one.why.key for one in found.left_out} == case.left_out
    adds_up(found)


def adds_up(found: Found) -> None:
    """The parts of each score add up to it, none gives more than it can, and all could give 100 together."""
    for row in found.rows:
        assert row.score.score == pytest.approx(sum(part.points for part in row.score.parts), abs=0.05)
        assert all(0 <= part.points <= part.of for part in row.score.parts)
        assert sum(part.of for part in row.score.parts) == pytest.approx(100, abs=0.4)
    scores = [row.score.score for row in found.rows]
    assert scores == sorted(scores, reverse=True)


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


def test_figures_are_those_of_the_straight_line_and_the_stated_way(conn: Db) -> None:
    people: list[Who | Post] = [Who("A", m=1900, load=2, today=3, age_s=14)]
    place(conn, people)
    found = asked(conn, ticket(conn), people)
    row = found.rows[0]
    assert row.distance_m == pytest.approx(1900, abs=5)
    assert row.minutes == pytest.approx(1900 * 1.3 / 400, abs=0.05)  # 24 km/h are 400 m a minute
    assert (row.load, row.capacity, row.position_age_s, row.own_grid) == (2, 5, 14, True)
    assert found.radius_m == row.distance_m
    assert found.method == "straight"
    parts = {part.name: part.value for part in row.score.parts}
    assert parts == {"ground": "own", "way": 6.2, "load": 2, "skill": 0.7, "position": 14, "shift": 32400,
                     "fairness": 3, "refused": False}  # fmt: skip


def test_of_somebody_off_shift_no_place_is_told(conn: Db) -> None:
    people: list[Who | Post] = [Who("A", shift=NIGHT), Who("B", COMMUNITY)]
    place(conn, people)
    out = asked(conn, ticket(conn), people).left_out[0]
    assert (out.key, out.lon, out.lat, out.why.args) == ("worker:A", None, None, {"shift_from": "22:00"})


def test_counts_tell_of_all_left_out_around(conn: Db) -> None:
    people: list[Who | Post] = [
        Who("A", load=5), Who("B", COMMUNITY, shift=NIGHT), Who("C", COMMUNITY, rests=True), Who("D", COMMUNITY, 800),
        Who("E", FAR, 200, load=5), Who("G", **(WATER | {"skills": ["gas"]})),
    ]  # fmt: skip
    place(conn, people)
    found = asked(conn, ticket(conn), people)
    assert found.left_out_counts == {"at_limit": 2, "off_shift": 2, "other_trade": 1}
    assert {one.key for one in found.left_out} == {"worker:A", "worker:B", "worker:C", "worker:E"}


def test_a_department_that_refused_is_not_proposed_again(conn: Db) -> None:
    place(conn, [Who("A")])
    one = ticket(conn)
    refuse(conn, one, "urban", 1, field="department")
    found = asked(conn, one, [])
    assert [row.code for row in found.rows] == ["A"]
    assert found.refused == {"urban"}


def test_what_a_desk_took_back_was_not_refused(conn: Db) -> None:
    place(conn, [Who("A")])
    one = ticket(conn)
    refuse(conn, one, "A", 1)
    conn.execute("ALTER TABLE ticket_event DISABLE TRIGGER append_only")
    conn.execute("UPDATE ticket_event SET actor_role = 'dispatcher' WHERE ticket_id = %s", (one.id,))
    assert asked(conn, one, []).rows[0].code == "A"


def test_one_sees_the_workers_of_ones_own_areas(conn: Db) -> None:
    people: list[Who | Post] = [Who("A"), Who("B", FAR, 50)]
    place(conn, people)
    one = ticket(conn)
    town = grid_no(1, 0, 0)
    enter(conn, Scope(town, town + 999_999))
    assert [row.code for row in asked(conn, one, []).rows] == ["A", "urban"]


def test_tickets_that_are_on_their_way_count(conn: Db) -> None:
    place(conn, [Who("A"), Who("B", COMMUNITY)])
    one = ticket(conn)
    at = NOW.astimezone()
    first = candidates.best(conn, PROFILE, one.id, at)
    assert first is not None
    assert first.key == "worker:A"
    then = candidates.best(conn, PROFILE, one.id, at, more={"A": 5})
    assert then is not None
    assert then.key == "worker:B"


def test_ended_and_unknown_tickets(conn: Db) -> None:
    one = ticket(conn)
    conn.execute("UPDATE ticket SET status = 'cancelled', closed_at = reported_at WHERE id = %s", (one.id,))
    with pytest.raises(NotAllowed, match="ended"):
        asked(conn, one, [])
    with pytest.raises(UnknownTicket):
        candidates.find(conn, PROFILE, 10**15, NOW)


@pytest.mark.parametrize("seed", range(6))
def test_looking_at_the_nearest_first_finds_the_same_as_looking_at_all(
    conn: Db, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)
    people: list[Who | Post] = [
        Who(
            f"N{n:02}", chance.choice([COMMUNITY, TOWN, FAR, (2, 2, 3), (1, 2, 9)]), chance.uniform(50, 9000),
            load=chance.randrange(7), today=chance.randrange(9), age_s=chance.randrange(2000),
            skills=["water"] if chance.random() < 0.2 else [],
        ) if n % 3 else Who(f"N{n:02}", FAR, chance.uniform(50, 3000), load=4, today=9)
        for n in range(40)
    ]  # fmt: skip
    place(
        conn,
        [
            replace(one, area=TOWN_WIDE, kind="professional") if isinstance(one, Who) and one.skills else one
            for one in people
        ],
    )
    one = ticket(conn, chance.choice([RUBBISH, WATER_CUT, BURST]))
    whole = asked(conn, one, [], limit=5)
    monkeypatch.setattr(candidates, "FIRST_LOOK", 2)
    assert [row.key for row in asked(conn, one, [], limit=5).rows] == [row.key for row in whole.rows]
    # the crew, each judged by itself, tells the same
    wish = crew.wish(PROFILE, one.category)
    judged = [
        member
        for member in crew.crew(conn, PROFILE, NOW)
        if crew.fit(PROFILE, member)[0] and crew.foreign_or_ok(wish, member.kind, member.skills)[0]
    ]
    assert {row.code for row in whole.rows if row.kind == "worker"} <= {member.code for member in judged}


def test_the_numbers_of_areas_tell_whose_ground() -> None:
    here = grid_no(*OWN)
    assert [relation(grid_no(*area), here) for area in (OWN, WIDER, COMMUNITY, TOWN, FAR, TOWN_WIDE, (0, 0, 0))] == [
        "own", "wider", "community", "town", "none", "wider", "wider"]  # fmt: skip
    assert above(here) == [here, grid_no(*WIDER), grid_no(*TOWN_WIDE), grid_no(0, 0, 0)]
    assert neighbourhood(here) == (grid_no(*WIDER), grid_no(*WIDER) + 999)
    assert neighbourhood(grid_no(0, 0, 0)) == (grid_no(0, 0, 0), grid_no(0, 0, 0))
    assert neighbourhood(grid_no(*TOWN_WIDE)) == (grid_no(*TOWN_WIDE), grid_no(*TOWN_WIDE) + 999_999)


def test_a_way_takes_the_stated_time() -> None:
    assert travel_s(1000, PROFILE) == pytest.approx(195)  # 1.3 km at 24 km/h
