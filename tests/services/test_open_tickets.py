"""Open tickets kept beside all tickets: what all tickets and their histories tell of them, whatever became of them."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import sql

from geodata.importing.months import add_month
from geodata.importing.ticket_rows import TicketOptions
from geodata.importing.tickets import import_tickets
from geodata.queries.dispatch_queue import forget_open
from geodata.scope import EVERYTHING, Db, enter
from services import tickets
from services.tickets import ORDERS
from tests.data.broken.make import HEADING
from tests.services.situations import PROFILE
from tests.services.test_ticket_machine import COMMANDS, REFUSALS, ROLES, carried, report
from tests.small_place import grid_no, make_months
from tests.viewers import county

SAME = (
    "id, area_no, reported_at, dispatched_at, due_at, sign_due, respond_due, suspended_until, status, version,"
    " escalation, channel_id, category_id, severity, nature, geom"
)
PAST = """
    max(e.at) FILTER (WHERE e.kind IN ('refuse', 'send_back', 'recall', 'reopen')),
    max(e.at) FILTER (WHERE e.kind IN ('dispatch', 'whistle', 'transfer')),
    (count(*) FILTER (WHERE e.kind IN ('refuse', 'send_back')))::integer
"""


def differences(conn: Db) -> list[tuple[object, ...]]:
    """What is kept and not so in the tickets and their histories, and the other way round."""
    return conn.execute(
        f"""
        WITH told AS (
            SELECT {SAME}, p.* FROM ticket t
            CROSS JOIN LATERAL (SELECT {PAST} FROM ticket_event e WHERE e.ticket_id = t.id) p
            WHERE closed_at IS NULL
        ), kept AS (SELECT {SAME}, back_at, on_at, refused FROM open_ticket)
        (TABLE told EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE told)
        """
    ).fetchall()


def reported(conn: Db, at: datetime | None = None) -> int:
    """A ticket that was reported then and is in hand."""
    now = datetime.now(UTC)
    make_months(conn, 1 + (now - (at or now)).days)
    row = conn.execute(
        """
        INSERT INTO ticket (reported_at, channel_id, category_id, title, location, area_no, status)
        SELECT %s, 1, id, 't', 'none', %s, 'in_progress' FROM category WHERE code = '01001' RETURNING id
        """,
        (at or now, grid_no(1, 1, 1)),
    ).fetchone()
    assert row is not None
    return int(row[0])


def count(conn: Db) -> int:
    """How many open tickets are kept."""
    row = conn.execute("SELECT count(*) FROM open_ticket").fetchone()
    return int(row[0]) if row else 0


@pytest.mark.parametrize("seed", range(3))
def test_commands_in_any_order_keep_it_right(conn: Db, seed: int) -> None:
    chance = random.Random(seed)
    enter(conn, EVERYTHING)
    dispatcher, seen = county("dispatcher"), set[str]()
    ids = [tickets.file_ticket(conn, PROFILE, dispatcher, report()).ticket.id for _ in range(6)]
    came_back = ended = 0
    for _ in range(150):
        ticket = tickets.read(conn, chance.choice(ids))
        viewer = county(chance.choice(ROLES))
        allowed = [row.command for row in tickets.allowed(PROFILE, viewer, ticket) if row.command != "attach"]
        back = [name for name in allowed if name in ("dispatch", "refuse", "send_back", "recall", "reopen")]
        some = back if back and chance.random() < 0.6 else allowed
        command = chance.choice(some if some and chance.random() < 0.9 else COMMANDS)
        body = {"version": ticket.version} | carried(command, chance, ids)
        try:
            order = ORDERS[command].model_validate(body)
            with conn.transaction():
                tickets.perform(conn, PROFILE, viewer, ticket.id, command, order)
        except (*REFUSALS, ValueError):
            continue
        seen.add(command)
        came_back += bool(conn.execute("SELECT 1 FROM open_ticket WHERE refused > 0").fetchone())
        ended = max(ended, len(ids) - count(conn))
        assert not differences(conn), command
    assert came_back > 10 and ended and len(seen) > 10, "the walk should meet all of it"


def test_a_ticket_is_followed_to_its_end_and_back(conn: Db) -> None:
    make_months(conn, 41)
    ticket = reported(conn)
    for change in (
        "reported_at = reported_at - interval '40 days'",  # to another partition
        "area_no = area_no + 1",
        "due_at = now(), sign_due = now(), respond_due = now(), escalation = 2",
        "severity = 'urgent', nature = 'complaint', version = 7",
        "geom = ST_SetSRID(ST_MakePoint(117, 35), 4326), location = 'exact'",
        "status = 'suspended', suspended_until = now(), resume_status = 'in_progress'",
        "status = 'closed', suspended_until = NULL, resume_status = NULL, closed_at = now()",
        "satisfaction = 'satisfied'",
        "status = 'reopened', closed_at = NULL, reported_at = now()",
    ):
        conn.execute(f"UPDATE ticket SET {change} WHERE id = %s", (ticket,))  # type: ignore[arg-type]
        assert not differences(conn), change
    assert count(conn) == 1
    conn.execute("DELETE FROM ticket WHERE id = %s", (ticket,))
    assert count(conn) == 0


@pytest.mark.parametrize("event_first", [True, False])
def test_what_is_opened_again_brings_its_past(conn: Db, event_first: bool) -> None:
    """Written before its ticket, after it, or with it in one statement: an event counts once."""
    ticket = reported(conn)
    event = (
        "INSERT INTO ticket_event (ticket_id, kind, status, version, actor, area_no)"
        " SELECT {id}, kind, 'reopened', 2, 'test', {no} FROM unnest(ARRAY['refuse', 'reopen', 'dispatch']) kind"
    )
    opened = "UPDATE ticket SET status = 'reopened', closed_at = NULL WHERE id = {id}"
    steps = [event, opened] if event_first else [opened, event]
    for wanted, written in enumerate(([*steps], [f"WITH done AS ({opened}) {event}"]), start=1):
        conn.execute("UPDATE ticket SET status = 'closed', closed_at = now() WHERE id = %s", (ticket,))
        assert count(conn) == 0
        for statement in written:
            conn.execute(sql.SQL(statement).format(id=ticket, no=grid_no(1, 1, 1)))
        assert conn.execute("SELECT refused FROM open_ticket").fetchone() == (wanted,)
        assert not differences(conn)


def test_a_month_that_is_dropped_is_forgotten(conn: Db) -> None:
    reported(conn)
    ticket = reported(conn, datetime.now(UTC) - timedelta(days=60))
    (month,) = conn.execute("SELECT tableoid::regclass FROM ticket WHERE id = %s", (ticket,)).fetchone() or ()
    conn.execute(f"DROP TABLE {month}")
    assert count(conn) == 2
    enter(conn, EVERYTHING, "jobs")
    assert forget_open(conn) == 1
    conn.execute("RESET ROLE")
    assert count(conn) == 1 and not differences(conn)


def test_a_month_that_is_attached_brings_its_open_tickets(conn: Db) -> None:
    add_month(
        conn,
        "ticket_201801",
        datetime(2018, 1, 1, tzinfo=UTC),
        datetime(2018, 2, 1, tzinfo=UTC),
        sql.SQL(
            "INSERT INTO ticket_201801 (reported_at, channel_id, category_id, title, location, area_no, status,"
            " closed_at) SELECT '2018-01-09', 1, min(id), 't', 'none', {}, s::ticket_status, c::timestamptz"
            " FROM category, (VALUES ('signed', NULL), ('closed', '2018-01-10')) one (s, c)"
            " WHERE parent_id IS NOT NULL GROUP BY s, c"
        ).format(grid_no(1, 1, 1)),
    )
    assert count(conn) == 1
    assert not differences(conn)


def test_an_import_brings_open_tickets_with_old_months_and_with_new_ones(conn: Db, tmp_path: Path) -> None:
    columns = HEADING.strip().split(",")
    path = tmp_path / "tickets.csv"

    def row(number: int, reported: datetime, status: str) -> str:
        told = {
            "source_id": f"O{number}", "channel": "grid", "category": "01001", "title": "t", "lon": "117.0051",
            "lat": "35.4051", "reported_at": f"{reported:%Y-%m-%d %H:%M}", "status": status,
        }  # fmt: skip
        return ",".join(told.get(column, "") for column in columns) + "\n"

    rows = [
        row(1, datetime.now(UTC) - timedelta(hours=12), "accepted"),
        row(2, datetime(2018, 3, 5, tzinfo=UTC), "reported"),
    ]
    for more in ([], [row(3, datetime(2018, 3, 6, tzinfo=UTC), "accepted")]):
        path.write_text(HEADING.strip() + "\n" + "".join(rows + more))
        import_tickets(conn, path, TicketOptions(known="skip"))
        assert count(conn) == 2 + len(more)
        assert not differences(conn)


def test_no_tickets_no_open_ones(conn: Db) -> None:
    reported(conn)
    conn.execute("TRUNCATE ticket")
    assert count(conn) == 0


def test_nobody_waits_for_who_writes_another_ticket(two: tuple[Db, Db]) -> None:
    """Neither another dispatcher nor the daily forgetting: without waiting there is no deadlock."""
    one, other = two
    mine, theirs, moved = reported(one), reported(one), reported(one)
    one.commit()
    one.execute("UPDATE ticket SET status = 'returned' WHERE id = %s", (mine,))
    one.execute("UPDATE ticket SET reported_at = reported_at - interval '1 s' WHERE id = %s", (moved,))
    other.execute("UPDATE ticket SET status = 'closed', closed_at = now() WHERE id = %s", (theirs,))
    assert forget_open(other) == 0
    other.commit()
    one.commit()
    assert not differences(other) and count(other) == 2
