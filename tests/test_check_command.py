"""./wangge check tickets: the history of tickets is looked through, and what does not fit is told."""

import psycopg
import pytest
from typer.testing import CliRunner

import profiles
from cli import app
from geodata.scope import EVERYTHING, enter
from geodata.servers import Stores
from services import tickets
from services.tickets import Report
from tests.small_place import centre
from tests.ticket_steps import give
from tests.viewers import DISPATCHER


def test_a_row_that_is_not_what_its_events_say_is_found(
    clone: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, (lon, lat) = profiles.load("zoucheng"), centre(1, 1, 1)
    report = Report(channel="grid", category="01001", title="路口堆放垃圾", lon=lon, lat=lat)
    monkeypatch.setenv("DATABASE_URL", clone.database_url)
    monkeypatch.setenv("REDIS_URL", clone.redis_url)
    with psycopg.connect(clone.database_url) as conn:
        enter(conn, EVERYTHING)
        ticket = tickets.file_ticket(conn, profile, DISPATCHER, report).ticket
        give(conn, profile, ticket, "dispatch")
    whole = CliRunner().invoke(app, ["check", "tickets", "--place", "zoucheng"])
    assert whole.exit_code == 0 and "No fault" in whole.output
    with psycopg.connect(clone.database_url) as conn:
        conn.execute("UPDATE ticket SET severity = 'urgent' WHERE id = %s", (ticket.id,))
    broken = CliRunner().invoke(app, ["check", "tickets", "--place", "zoucheng"])
    assert broken.exit_code == 1 and f"ticket {ticket.id}" in broken.output and "severity" in broken.output
