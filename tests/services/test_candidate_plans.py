"""How the search for candidates asks the database: plans are made once for each role, and only for the search."""

import random
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from geodata.queries import dispatch_matter
from geodata.scope import EVERYTHING, Db, Scope, enter
from geodata.servers import Stores
from services.dispatch import candidates, crew
from services.dispatch.score import Facts, scale_of, scored, shares, total
from services.tickets import NotAllowed, UnknownTicket
from tests.services.situations import COMMUNITY, NOW, PROFILE, Who, asked, place, ticket
from tests.small_place import grid_no

TOWN = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)


@pytest.fixture
def conn(stores: Stores) -> Iterator[Db]:
    """In a transaction that is rolled back."""
    with psycopg.connect(stores.database_url) as connection:
        yield connection
        connection.rollback()


def mode(conn: Db) -> str:
    """How the session chooses plans."""
    row = conn.execute("SHOW plan_cache_mode").fetchone()
    assert row is not None
    return str(row[0])


def test_what_follows_a_search_is_planned_as_usual(conn: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    place(conn, [])
    alone = ticket(conn)
    assert [row.key for row in asked(conn, alone, []).rows] == ["department:urban"]
    assert mode(conn) == "auto", "nobody was found"
    place(conn, [Who(f"A{n}", COMMUNITY, 100 + n) for n in range(9)])
    monkeypatch.setattr(candidates, "FIRST_LOOK", 1)
    assert len(asked(conn, ticket(conn), []).rows) == 5
    assert mode(conn) == "auto", "several looks were taken"
    conn.execute("UPDATE ticket SET status = 'cancelled', closed_at = reported_at WHERE id = %s", (alone.id,))
    with pytest.raises(NotAllowed):
        asked(conn, alone, [])
    assert mode(conn) == "auto", "the ticket had ended"


def test_a_ticket_of_long_ago_is_found_as_well(conn: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """The months of late are asked first, then all."""
    place(conn, [Who("A")])
    one = ticket(conn)
    told = candidates.find(conn, PROFILE, one.id, NOW).rows
    monkeypatch.setattr(dispatch_matter, "LATELY", timedelta(seconds=-1))
    assert candidates.find(conn, PROFILE, one.id, NOW).rows == told
    with pytest.raises(UnknownTicket):
        candidates.find(conn, PROFILE, 10**15, NOW)


def test_the_score_that_chooses_is_the_one_that_is_told() -> None:
    """But for the rounding of its parts."""
    chance = random.Random(9)
    for category in ("01001", "02001"):
        scale = scale_of(PROFILE, PROFILE.dispatch.weights, category)
        for _ in range(200):
            facts = Facts(
                chance.choice(["own", "wider", "community", "town", "none"]),
                chance.choice([None, "owner", "department"]),
                chance.choice([None, chance.uniform(0, 40)]),
                chance.choice([None, chance.randrange(2000)]),
                chance.choice([None, chance.randrange(9000)]),
                chance.choice([None, chance.randrange(7)]),
                5,
                chance.choice([0.3, 0.7, 1.0]),
                chance.choice([None, chance.randrange(12)]),
                chance.random() < 0.5,
            )
            told = scored(scale, facts)
            assert total(scale, facts) == pytest.approx(told.score, abs=0.05 * len(told.parts) + 0.05)
            weighed = zip(scale.weights.values(), shares(scale, facts), strict=True)
            given = [(weight, share) for weight, share in weighed if share is not None]
            points, whole = 0.0, sum(weight for weight, _ in given)
            for weight, share in given:
                points += weight * share
            assert total(scale, facts) == 100 * points / whole, "to the last figure"


def test_a_copy_of_a_profile_knows_its_own_categories() -> None:
    assert PROFILE.kind("01001") is not None
    assert PROFILE.model_copy(update={"categories": PROFILE.categories[1:]}).kind("01001") is None


def test_each_role_keeps_its_plan(conn: Db) -> None:
    """Two who see differently take turns on one connection: nobody's plan is thrown away for the other's."""
    place(conn, [Who("A"), Who("B", COMMUNITY)])
    one = ticket(conn)
    for scope in (EVERYTHING, TOWN) * 3:
        enter(conn, scope)
        candidates.find(conn, PROFILE, one.id, NOW)
    conn.execute("RESET ROLE")
    plans = conn.execute(
        "SELECT left(statement, 20), generic_plans, custom_plans FROM pg_prepared_statements"
        " WHERE statement LIKE '/* wangge%' ORDER BY 1"
    ).fetchall()
    assert plans == [("/* wangge_county */ ", 3, 0), ("/* wangge_scoped */ ", 3, 0)]


def test_tickets_in_hand_are_those_that_one_sees(conn: Db) -> None:
    place(conn, [Who("A", load=2, today=1)])
    one = ticket(conn)
    conn.execute(
        "UPDATE ticket SET area_no = %s WHERE title = 'other' AND status = 'signed'", (grid_no(2, 1, 1),)
    )
    for scope, load in ((EVERYTHING, 2), (TOWN, 0)):
        enter(conn, scope)
        row = candidates.find(conn, PROFILE, one.id, NOW).rows[0]
        assert (row.code, row.load) == ("A", load)
        assert [(member.load, member.assigned_today) for member in crew.crew(conn, PROFILE, NOW)] == [
            (load, 1)
        ]
