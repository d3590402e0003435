"""Commands in random order, by one actor and by several at once: no illegal state, no event lost or doubled.

WANGGE_TEST_COMMANDS sets how many commands the crowd gives (10,000 is the promise; a few hundred in every run).
"""

import os
import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import profiles
from geodata.queries.ticket_events import events_of
from geodata.scope import EVERYTHING, Pool, scoped
from services import tickets
from services.access import Viewer
from services.tickets import ORDERS, TRANSITIONS, BadReport, NotAllowed, NotYours, Report, StaleVersion
from services.tickets.check import faults, faults_of
from tests.small_place import centre, grid_no
from tests.ticket_steps import USUAL
from tests.viewers import county

PROFILE = profiles.load("zoucheng")
REFUSALS = (BadReport, NotAllowed, NotYours, StaleVersion)
# What needs more than a ticket and words: pictures have tests of their own.
COMMANDS = [name for name, row in TRANSITIONS.items() if row.right is not None and name != "attach"]
ROLES = ("dispatcher", "community_clerk", "grid_worker", "supervisor")
COMMANDS_OF_THE_CROWD = int(os.environ.get("WANGGE_TEST_COMMANDS", "400"))
ACTORS = 6


def report() -> Report:
    lon, lat = centre(1, 1, 1)
    return Report(channel="grid", category="01001", title="路口堆放垃圾", lon=lon, lat=lat)


def carried(command: str, chance: random.Random, others: list[int]) -> dict[str, Any]:
    """What a command carries, not always acceptable."""
    lon, lat = centre(1, chance.randint(1, 2), 1)
    more: dict[str, dict[str, Any]] = {
        "suspend": {"until": datetime.now(UTC) + timedelta(days=chance.choice([1, 5, 40]))},
        "merge": {"into": chance.choice(others)},
        "relocate": {"lon": lon, "lat": lat},
        "dispatch": {"worker": chance.choice([None, f"W{grid_no(1, 1, 1)}", "nobody"])},
        "call_back": {"satisfaction": chance.choice(["satisfied", "unsatisfied"])},
        "regrade": {"severity": chance.choice(["ordinary", "urgent", "complex"])},
    }
    return USUAL.get(command, {}) | more.get(command, {})


class Machine(RuleBasedStateMachine):
    """A few tickets of one actor; the database's answer is held against the table after every command."""

    pool: Pool

    @initialize()
    def file(self) -> None:
        with scoped(self.pool, EVERYTHING) as conn:
            viewer = county("dispatcher")
            self.ids = [tickets.file_ticket(conn, PROFILE, viewer, report()).ticket.id for _ in range(3)]

    @rule(
        which=st.integers(0, 2), command=st.sampled_from(COMMANDS), role=st.sampled_from(ROLES),
        behind=st.sampled_from([0, 0, 0, 1]), seed=st.integers(0, 999),
    )  # fmt: skip
    def give(self, which: int, command: str, role: str, behind: int, seed: int) -> None:
        viewer, chance = county(role), random.Random(seed)
        with scoped(self.pool, EVERYTHING) as conn:
            before = tickets.read(conn, self.ids[which])
            body = {"version": max(before.version - behind, 1)} | carried(command, chance, self.ids)
            try:
                done = tickets.perform(
                    conn, PROFILE, viewer, before.id, command, ORDERS[command].model_validate(body)
                )
            except REFUSALS:
                return
        assert before.status in TRANSITIONS[command].before and body["version"] == before.version
        right = TRANSITIONS[command].right
        assert right is not None and viewer.may(right)
        assert done.ticket.version > before.version

    @invariant()
    def history_holds(self) -> None:
        if not hasattr(self, "ids"):
            return
        with scoped(self.pool, EVERYTHING) as conn:
            for ticket_id in self.ids:
                ticket = tickets.read(conn, ticket_id)
                assert not list(faults_of(ticket, events_of(conn, ticket_id)))


def test_commands_in_any_order_leave_a_history_that_holds(pool: Pool) -> None:
    Machine.pool = pool
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.reuse, Phase.generate),
            print_blob=True,
        ),
    )


def test_a_crowd_at_once_loses_and_doubles_nothing(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        filer = county("dispatcher")
        ids = [tickets.file_ticket(conn, PROFILE, filer, report()).ticket.id for _ in range(12)]
    given = COMMANDS_OF_THE_CROWD // ACTORS
    acknowledged: list[Counter[str]] = [Counter() for _ in range(ACTORS)]
    failures: list[BaseException] = []

    def act(number: int) -> None:
        chance = random.Random(number)
        base = county(chance.choice(ROLES[:2]))
        viewer = Viewer("account", 100 + number, f"actor{number}", base.role, EVERYTHING)
        try:
            for turn in range(given):
                ticket_id = chance.choice(ids)
                with scoped(pool, EVERYTHING) as conn:
                    seen = tickets.read(conn, ticket_id)
                allowed = [
                    row.command for row in tickets.allowed(PROFILE, viewer, seen) if row.command != "attach"
                ]
                command = chance.choice(allowed if allowed and chance.random() < 0.9 else COMMANDS)
                order = ORDERS[command].model_validate(
                    {"version": seen.version} | carried(command, chance, ids)
                )
                for _ in range(
                    chance.choice([1, 1, 2])
                ):  # a client that did not hear the answer sends it again
                    try:
                        with scoped(pool, EVERYTHING) as conn:
                            done = tickets.perform(
                                conn, PROFILE, viewer, ticket_id, command, order, key=f"{number}-{turn}"
                            )
                    except REFUSALS:
                        break
                    acknowledged[number][f"{number}-{turn}"] += not done.replayed
        except BaseException as error:  # told by the test itself
            failures.append(error)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(ACTORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    counted = sum(acknowledged, Counter[str]())
    assert counted and set(counted.values()) == {1}  # each key acted once
    with scoped(pool, EVERYTHING) as conn:
        assert not list(faults(conn))
        kept = {
            key for (key,) in conn.execute("SELECT key FROM ticket_event WHERE key IS NOT NULL").fetchall()
        }
        assert kept == set(counted)
        events = conn.execute("SELECT count(*) FROM ticket_event").fetchone()
        told = conn.execute("SELECT count(*) FROM outbox WHERE kind = 'ticket'").fetchone()
        assert events == told  # each event reaches the screens
