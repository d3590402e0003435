"""What the desks of a generated place did: marked, the same again when made again, and in step with its tickets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import profiles
from geodata.generate import desks, mediation
from geodata.queries import mediation as cases
from geodata.queries.ticket_events import events_of
from geodata.queries.tickets import read_ticket
from geodata.scope import Db
from services.care.sealing import Seals
from services.mediation import fold as fold_case
from services.mediation.cases import FIELDS, plain
from services.tickets import fold, state_of
from tests.small_place import grid_no

PROFILE = profiles.load("zoucheng")
SEALS = Seals(b"k" * 32)
NOW = datetime.now(UTC).replace(microsecond=0)


def tickets(conn: Db) -> None:
    """400 generated tickets: most closed within the last month, some open and late."""
    conn.execute(
        """
        INSERT INTO ticket (reported_at, channel_id, category_id, title, location, area_no, status, dispatched_at,
                            signed_at, handled_at, closed_at, due_at, satisfaction, generated)
        SELECT at, c.id, k.id, 't', 'none', %(no)s,
               (CASE WHEN n %% 4 > 0 THEN 'closed' ELSE 'in_progress' END)::ticket_status, at, at,
               CASE WHEN n %% 4 > 0 THEN at + interval '30 hours' END,
               CASE WHEN n %% 4 > 0 THEN at + interval '31 hours' END, at + interval '40 hours',
               (CASE WHEN n %% 4 > 0 THEN (ARRAY['satisfied', 'unsatisfied'])[1 + n %% 2] END)::satisfaction, true
        FROM generate_series(1, 400) n, LATERAL (SELECT %(now)s - make_interval(hours => 3 + n) AS at) AS moments,
             channel c, category k
        WHERE c.code = '12345' AND k.code = '03001'
        """,
        {"no": grid_no(1, 1, 1), "now": NOW},
    )
    conn.execute(
        "INSERT INTO ticket_event (ticket_id, at, kind, status, version, actor, source, area_no)"
        " SELECT id, reported_at, 'imported', status, 1, 'import', 'import', area_no FROM ticket"
    )
    conn.execute(
        "INSERT INTO key_person (kind, code, name, role, area_no, generated)"
        " VALUES ('post', 'M1', '赵调解', 'mediator', %s, true)",
        (grid_no(1, 1, 0),),
    )


def counts(conn: Db) -> dict[str, Any]:
    found = {}
    for table in ("call_back", "consultation", "mediation_case", "mediation_event"):
        row = conn.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        found[table] = row[0]
    return found


def test_the_desks_are_alive_marked_and_in_step_with_the_tickets(conn: Db) -> None:
    tickets(conn)
    desks.fill(conn, PROFILE, 1, NOW)
    first = counts(conn)
    assert first["call_back"] > 80 and first["consultation"] > 6
    desks.fill(conn, PROFILE, 1, NOW)
    assert counts(conn) == first
    for table in ("call_back", "consultation"):
        row = conn.execute(f"SELECT bool_and(generated) FROM {table}").fetchone()
        assert row == (True,), table
    changed = conn.execute(
        "SELECT DISTINCT ticket_id, kind FROM ticket_event WHERE kind <> 'imported' ORDER BY 1"
    ).fetchall()
    assert {kind for _, kind in changed} == {"reopen", "supervise", "urge", "consult"}
    for ticket_id in {row[0] for row in changed}:
        ticket = read_ticket(conn, ticket_id)
        assert ticket is not None
        events = events_of(conn, ticket_id)
        assert [event.version for event in events] == list(range(1, ticket.version + 1))
        state = state_of(ticket)
        told = fold(events)
        assert {name: state[name] for name in told} == told


def test_disputes_are_whole_lives_sealed_and_the_same_again(conn: Db) -> None:
    tickets(conn)
    made = mediation.fill(conn, PROFILE, 1, None, NOW, SEALS)
    assert made > 200
    assert mediation.fill(conn, PROFILE, 1, NOW, NOW + timedelta(days=3), SEALS) < 20
    states = dict(conn.execute("SELECT state::text, count(*) FROM mediation_case GROUP BY 1").fetchall())
    assert states["settled"] > 150 and {"declined", "failed"} <= set(states)
    row = conn.execute("SELECT bool_and(generated), bool_and(name_masked LIKE '_**') FROM mediation_case"
                       " JOIN mediation_party p ON p.case_id = mediation_case.id").fetchone()  # fmt: skip
    assert row == (True, True)
    for (case_id,) in conn.execute("SELECT id FROM mediation_case").fetchall():
        case = cases.one(conn, case_id)
        assert case is not None
        events = cases.events(conn, case_id)
        assert [event.version for event in events] == list(range(1, case.version + 1))
        kept = case._asdict()
        assert fold_case(events) == {name: plain(kept[name]) for name in (*FIELDS, "version")}
    later = conn.execute(
        "SELECT count(*) FROM mediation_session WHERE held_at > %s", (NOW + timedelta(days=3),)
    )
    assert later.fetchone() == (0,)
