"""What workers have in hand, kept beside the tickets: what a count of the tickets tells, whatever became of them."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import sql

from geodata.importing.months import add_month
from geodata.importing.ticket_rows import TicketOptions
from geodata.importing.tickets import import_tickets
from geodata.queries.candidates import forget_hands
from geodata.scope import EVERYTHING, Db, enter
from services import tickets
from services.tickets import ORDERS
from services.tickets.states import HELD
from tests.data.broken.make import HEADING
from tests.services.situations import PROFILE
from tests.services.test_ticket_machine import COMMANDS, REFUSALS, ROLES, carried, report
from tests.small_place import grid_no, make_months
from tests.viewers import county

WORKER = f"W{grid_no(1, 1, 1)}"
LATELY = "dispatched_at > now() - interval '2 days'"


def differences(conn: Db) -> list[tuple[object, ...]]:
    """What is kept and not counted, and the other way round; what is out of hand may stay until it is forgotten."""
    return conn.execute(
        f"""
        WITH counted AS (
            SELECT id, worker_id, area_no, status = ANY (%(held)s::ticket_status[]), dispatched_at FROM ticket
            WHERE worker_id IS NOT NULL AND (status = ANY (%(held)s::ticket_status[]) OR {LATELY})
        ), kept AS (SELECT * FROM worker_hand WHERE held OR {LATELY})
        (TABLE counted EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE counted)
        """,
        {"held": sorted(HELD)},
    ).fetchall()


def given(conn: Db, status: str = "dispatched", *, at: datetime | None = None) -> int:
    """A ticket of the worker's, dispatched then."""
    now = datetime.now(UTC)
    at = at or now
    make_months(conn, 1 + (now - at).days)
    row = conn.execute(
        """
        INSERT INTO ticket (reported_at, channel_id, category_id, title, location, area_no, status, dispatched_at,
                            handled_at, worker_id)
        SELECT %(at)s, 1, k.id, 't', 'none', w.area_no, %(status)s, %(at)s, %(at)s, w.id
        FROM category k, worker w WHERE k.code = '01001' AND w.code = %(worker)s RETURNING id
        """,
        {"at": at, "status": status, "worker": WORKER},
    ).fetchone()
    assert row is not None
    return int(row[0])


def kept(conn: Db, ticket: int) -> bool | None:
    """Whether it is told to be in hand; None when nothing is told of it."""
    row = conn.execute("SELECT held FROM worker_hand WHERE ticket_id = %s", (ticket,)).fetchone()
    return row and row[0]


@pytest.mark.parametrize("seed", range(3))
def test_commands_in_any_order_keep_it_right(conn: Db, seed: int) -> None:
    chance = random.Random(seed)
    enter(conn, EVERYTHING)
    dispatcher, seen, turned = county("dispatcher"), set[str](), 0
    ids = [tickets.file_ticket(conn, PROFILE, dispatcher, report()).ticket.id for _ in range(6)]
    for _ in range(120):
        ticket = tickets.read(conn, chance.choice(ids))
        viewer = county(chance.choice(ROLES))
        allowed = [row.command for row in tickets.allowed(PROFILE, viewer, ticket) if row.command != "attach"]
        handing = [name for name in allowed if name in ("dispatch", "reassign")]
        some = handing if handing and chance.random() < 0.5 else allowed
        command = chance.choice(some if some and chance.random() < 0.9 else COMMANDS)
        body = {"version": ticket.version} | carried(command, chance, ids)
        if command in ("dispatch", "reassign", "transfer") and chance.random() < 0.8:
            body["worker"] = chance.choice([WORKER, f"W{grid_no(1, 1, 2)}"])
        try:
            order = ORDERS[command].model_validate(body)
            with conn.transaction():
                tickets.perform(conn, PROFILE, viewer, ticket.id, command, order)
        except (*REFUSALS, ValueError):
            continue
        seen.add(command)
        turned += bool(conn.execute("SELECT 1 FROM worker_hand").fetchone())
        assert not differences(conn), command
    assert turned > 10 and len(seen) > 10, "the walk should meet hands"


def test_a_ticket_takes_its_hand_along(conn: Db) -> None:
    make_months(conn, 41)
    ticket = given(conn)
    assert kept(conn, ticket) is True
    for change in (
        "reported_at = reported_at - interval '40 days'",  # to another partition
        "area_no = area_no + 1",
        "worker_id = (SELECT min(id) FROM worker)",
        "worker_id = NULL",
        "worker_id = (SELECT max(id) FROM worker)",
        "status = 'handled'",
        "status = 'signed', reported_at = reported_at + interval '40 days'",
        "status = 'handled', dispatched_at = now() - interval '30 days', reported_at = now() - interval '40 days'",
        "status = 'in_progress'",
        "title = 'u'",
    ):
        conn.execute(f"UPDATE ticket SET {change} WHERE id = %s", (ticket,))  # type: ignore[arg-type]
        assert not differences(conn), change
    assert kept(conn, ticket) is True
    conn.execute("DELETE FROM ticket WHERE id = %s", (ticket,))
    assert kept(conn, ticket) is None


def test_tickets_that_are_in_nobodys_hands_leave_no_row(conn: Db) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    assert kept(conn, given(conn, "handled", at=long_ago)) is None
    assert kept(conn, given(conn, "handled")) is False  # still one of today's
    assert kept(conn, given(conn, "signed", at=long_ago)) is True


def test_what_is_out_of_hand_is_forgotten_after_two_days(conn: Db) -> None:
    ticket, other = given(conn, "handled"), given(conn)
    past = "UPDATE worker_hand SET dispatched_at = now() - interval '49 hours'"
    conn.execute(past)  # as time does
    assert forget_hands(conn) == 1
    assert (kept(conn, ticket), kept(conn, other)) == (None, True)


def test_a_month_that_is_dropped_is_forgotten(conn: Db) -> None:
    ticket = given(conn, at=datetime.now(UTC) - timedelta(days=60))
    (month,) = conn.execute("SELECT tableoid::regclass FROM ticket WHERE id = %s", (ticket,)).fetchone() or ()
    conn.execute(f"DROP TABLE {month}")
    assert kept(conn, ticket) is True
    assert forget_hands(conn) == 1
    assert not differences(conn)


def test_a_month_that_is_attached_brings_its_hands(conn: Db) -> None:
    worker = conn.execute("SELECT id, area_no FROM worker WHERE code = %s", (WORKER,)).fetchone()
    assert worker is not None
    add_month(
        conn,
        "ticket_201801",
        datetime(2018, 1, 1, tzinfo=UTC),
        datetime(2018, 2, 1, tzinfo=UTC),
        sql.SQL(
            "INSERT INTO ticket_201801 (reported_at, channel_id, category_id, title, location, area_no, status,"
            " dispatched_at, worker_id) SELECT '2018-01-09', 1, min(id), 't', 'none', {}, 'signed', '2018-01-09', {}"
            " FROM category WHERE parent_id IS NOT NULL"
        ).format(sql.Literal(worker[1]), sql.Literal(worker[0])),
    )
    assert conn.execute("SELECT count(*) FROM worker_hand WHERE held").fetchone() == (1,)
    assert not differences(conn)


def test_an_import_brings_hands_with_old_months_and_with_new_ones(conn: Db, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    heading = HEADING.strip() + ",worker,dispatched_at\n"
    columns = heading.strip().split(",")
    path = tmp_path / "tickets.csv"

    def row(number: int, reported: datetime, status: str) -> str:
        told = {
            "source_id": f"H{number}", "channel": "grid", "category": "01001", "title": "t", "lon": "117.0051",
            "lat": "35.4051", "reported_at": f"{reported:%Y-%m-%d %H:%M}", "status": status, "worker": WORKER,
            "dispatched_at": f"{reported:%Y-%m-%d %H:%M}",
        }  # fmt: skip
        return ",".join(told.get(column, "") for column in columns) + "\n"

    rows = [
        row(1, now - timedelta(hours=12), "dispatched"),
        row(2, datetime(2018, 3, 5, tzinfo=UTC), "signed"),
    ]
    for more in ([], [row(3, datetime(2018, 3, 6, tzinfo=UTC), "in_progress")]):
        path.write_text(heading + "".join(rows + more))
        import_tickets(conn, path, TicketOptions(known="skip"))
        assert conn.execute("SELECT count(*) FROM worker_hand WHERE held").fetchone() == (2 + len(more),)
        assert not differences(conn)


def test_no_tickets_no_hands(conn: Db) -> None:
    given(conn)
    conn.execute("TRUNCATE ticket")
    assert conn.execute("SELECT count(*) FROM worker_hand").fetchone() == (0,)


def test_nobody_waits_for_who_gives_another_ticket_to_the_same_worker(two: tuple[Db, Db]) -> None:
    """Neither another dispatcher nor the daily forgetting: without waiting there is no deadlock."""
    one, other = two
    mine, theirs, done = given(one), given(one), given(one, "handled")
    one.execute(
        "UPDATE worker_hand SET dispatched_at = now() - interval '3 days' WHERE ticket_id = %s", (done,)
    )
    one.commit()
    one.execute(
        "UPDATE ticket SET status = 'returned', worker_id = NULL WHERE id = ANY (%s)", ([mine, done],)
    )
    other.execute("UPDATE ticket SET status = 'signed' WHERE id = %s", (theirs,))
    assert forget_hands(other) == 0, "somebody writes it: it is left for the next time"
    other.commit()
    one.commit()
    assert not differences(other)
    assert (kept(other, mine), kept(other, theirs), kept(other, done)) == (None, True, None)
