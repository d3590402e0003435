"""Claims: one at a time, renewed, given up, over by themselves, taken over with a word; seen by who may see them."""

import threading
from datetime import timedelta

import pytest

import profiles
from geodata.queries import claims as queries
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Db, Pool, enter, scoped
from services import tickets
from services.access import Viewer
from services.dispatch import claims
from services.dispatch.errors import Claimed
from services.dispatch.telling import claim_told, word_told
from services.tickets import BadReport, NotAllowed, Report, UnknownTicket
from tests.small_place import centre
from tests.ticket_steps import give
from tests.viewers import DISPATCHER, county, of_town

PROFILE = profiles.load("zoucheng")
LEASE = timedelta(seconds=120)
OTHER = county("community_clerk")
CLIENT = Viewer("client", 3, "city desk", "client", EVERYTHING)


@pytest.fixture
def ticket(conn: Db) -> Ticket:
    enter(conn, EVERYTHING)
    return filed(conn)


def filed(conn: Db) -> Ticket:
    lon, lat = centre(1, 1, 1)
    report = Report(channel="grid", category="01001", title="路口堆放垃圾", lon=lon, lat=lat)
    return tickets.file_ticket(conn, PROFILE, DISPATCHER, report).ticket


def news(conn: Db) -> list[int]:
    """Ids of the tickets whose claims screens were told of."""
    rows = conn.execute("SELECT body->>'id' FROM outbox WHERE body->>'desk' = 'claim' ORDER BY id").fetchall()
    return [int(row[0]) for row in rows]


def lapse(conn: Db, ticket: Ticket) -> None:
    """Let its lease be over."""
    conn.execute(
        "UPDATE ticket_claim SET since = since - interval '10 min', until = clock_timestamp() - interval '1 s'"
        " WHERE ticket_id = %s",
        (ticket.id,),
    )


def test_the_second_is_told_who_since_when_and_until_when(conn: Db, ticket: Ticket) -> None:
    mine = claims.take(conn, DISPATCHER, ticket.id, LEASE).claim
    assert mine.until - mine.since == pytest.approx(LEASE, abs=timedelta(seconds=1))
    with pytest.raises(Claimed) as refused:
        claims.take(conn, OTHER, ticket.id, LEASE)
    (told,) = refused.value.details
    assert (told["by"], told["mine"]) == ("dispatcher", False)
    assert told["since"] == round(mine.since.timestamp() * 1000) < told["until"]
    assert [claim.holder for claim in claims.listed(conn)] == ["dispatcher"]


def test_renewing_keeps_its_beginning_and_is_no_news(conn: Db, ticket: Ticket) -> None:
    first = claims.take(conn, DISPATCHER, ticket.id, LEASE).claim
    again = claims.take(conn, DISPATCHER, ticket.id, LEASE).claim
    assert again.since == first.since and again.until > first.until
    assert news(conn) == [ticket.id]


def test_given_up_it_is_free_and_everybody_hears_of_it(conn: Db, ticket: Ticket) -> None:
    claims.take(conn, DISPATCHER, ticket.id, LEASE)
    assert not claims.give_up(conn, OTHER, ticket.id)  # somebody else's is not theirs to give
    assert claims.give_up(conn, DISPATCHER, ticket.id) and not claims.give_up(conn, DISPATCHER, ticket.id)
    assert news(conn) == [ticket.id, ticket.id]
    assert claims.take(conn, OTHER, ticket.id, LEASE).claim.holder == "community_clerk"


def test_a_lease_ends_by_itself(conn: Db, ticket: Ticket) -> None:
    claims.take(conn, DISPATCHER, ticket.id, LEASE)
    lapse(conn, ticket)
    assert claims.listed(conn) == []
    claims.require_free(conn, OTHER, ticket.id)
    taken = claims.take(conn, OTHER, ticket.id, LEASE)
    assert taken.lost is None and taken.claim.since > taken.claim.until - LEASE * 1.1
    assert not claims.give_up(conn, DISPATCHER, ticket.id)


def test_it_is_taken_over_with_a_word_that_its_holder_gets(conn: Db, ticket: Ticket) -> None:
    claims.take(conn, DISPATCHER, ticket.id, LEASE)
    with pytest.raises(BadReport, match="word"):
        claims.take(conn, OTHER, ticket.id, LEASE, over=True, word="  ")
    taken = claims.take(conn, OTHER, ticket.id, LEASE, over=True, word="他在休息，13912345678")
    assert taken.lost is not None and taken.lost.holder == "dispatcher"
    (word,) = claims.words(conn, DISPATCHER)
    assert (word.ticket_id, word.said_by) == (ticket.id, "community_clerk")
    assert "13912345678" not in word.word and word.word.startswith("他在休息")
    assert claims.words(conn, OTHER) == []
    with pytest.raises(Claimed):
        claims.take(conn, DISPATCHER, ticket.id, LEASE)


def test_names_are_those_of_accounts_and_for_who_may_see_people(conn: Db, ticket: Ticket) -> None:
    conn.execute("RESET ROLE")
    conn.execute(
        "INSERT INTO account (login, name, role, created_by) VALUES ('dispatcher', '周调度', 'dispatcher', 'tests')"
    )
    enter(conn, EVERYTHING)
    claim = claims.take(conn, DISPATCHER, ticket.id, LEASE).claim
    assert claim_told(claim, OTHER)["by_name"] == "周调度"
    told = claim_told(claim, CLIENT)
    assert (told["by"], told["by_name"]) == ("dispatcher", None)
    claims.take(conn, CLIENT, ticket.id, LEASE, over=True, word="市里派单")
    (word,) = claims.words(conn, DISPATCHER)
    assert word_told(word, DISPATCHER)["by_name"] == "city desk"


def test_what_has_ended_or_is_not_theirs_is_not_claimed(conn: Db, ticket: Ticket) -> None:
    ended = give(conn, PROFILE, filed(conn), "reject")
    with pytest.raises(NotAllowed, match="nothing to decide"):
        claims.take(conn, DISPATCHER, ended.id, LEASE)
    elsewhere = of_town(2, "dispatcher")
    enter(conn, elsewhere.scope)
    with pytest.raises(UnknownTicket):
        claims.take(conn, elsewhere, ticket.id, LEASE)


def test_a_claim_moves_with_its_ticket(conn: Db, ticket: Ticket) -> None:
    claims.take(conn, DISPATCHER, ticket.id, LEASE)
    lon, lat = centre(2, 1, 1)
    moved = give(conn, PROFILE, ticket, "relocate", lon=lon, lat=lat)
    assert [claim.area_no for claim in claims.listed(conn)] == [moved.area.no]
    there = of_town(2, "dispatcher")
    enter(conn, there.scope)
    with pytest.raises(Claimed):
        claims.take(conn, there, ticket.id, LEASE)


def test_of_twenty_at_once_one_gets_it(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        ticket = filed(conn)
    got: list[str] = []
    refused: list[str] = []
    start = threading.Barrier(20)

    def try_it(name: str) -> None:
        viewer = Viewer("account", 1, name, "dispatcher", EVERYTHING)
        start.wait()
        try:
            with scoped(pool, EVERYTHING) as conn:
                got.append(claims.take(conn, viewer, ticket.id, LEASE).claim.holder)
        except Claimed as error:
            refused.append(error.details[0]["by"])

    threads = [threading.Thread(target=try_it, args=(f"d{number}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1 and refused == got * 19
    with scoped(pool, EVERYTHING) as conn:
        assert [claim.holder for claim in queries.live(conn)] == got


@pytest.mark.parametrize("command", sorted(claims.DECIDES))
def test_what_somebody_decides_is_not_decided_by_another_way(conn: Db, ticket: Ticket, command: str) -> None:
    claims.take(conn, OTHER, ticket.id, LEASE)
    with pytest.raises(Claimed):
        claims.require_decidable(conn, DISPATCHER, ticket.id, command, None)
    claims.require_decidable(conn, OTHER, ticket.id, command, None)
    claims.require_decidable(conn, DISPATCHER, ticket.id, "sign", None)


def test_what_was_done_before_is_told_again_whoever_decides_now(conn: Db, ticket: Ticket) -> None:
    give(conn, PROFILE, ticket, "dispatch", key="k")
    claims.take(conn, OTHER, ticket.id, LEASE)
    claims.require_decidable(conn, DISPATCHER, ticket.id, "dispatch", "k")
    with pytest.raises(Claimed):
        claims.require_decidable(conn, DISPATCHER, ticket.id, "transfer", "another")
