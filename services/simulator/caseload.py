"""The tickets of a run: when new ones come, what they say, and when each open one takes its next step.

The clock of the open ones counts new tickets, not seconds: a ticket that comes in is worked off while about as many
others come as were open at the start. So their number stays level at any speed and hour.
"""

import heapq
import math
import random
from typing import Any, NamedTuple

from geodata.queries.simulation import OpenTicket, Past
from services.simulator.walker import METRES_PER_DEGREE

SCATTER_M = 25.0  # a new ticket stands about so far from its model
LEAST_OPEN = 200
PASSED_ON = {
    "reported": "accept", "accepted": "dispatch", "dispatched": "sign", "signed": "start", "in_progress": "handle",
    "handled": "close", "verified": "close",
}  # fmt: skip
# Part of a ticket's life spent in each status.
PART = {
    "reported": 0.01, "accepted": 0.05, "dispatched": 0.05, "signed": 0.1, "in_progress": 0.68, "handled": 0.09,
    "verified": 0.02,
}  # fmt: skip
STEPS = list(PART)
SIGMA = 0.9  # spread of the lives
CANCELLED, REDONE = 0.015, 0.04  # shares
NEGLECTED = 12.0  # how much longer a ticket lives that was overdue at the start
SATISFACTION = {"satisfied": 72, "fairly": 14, "unsatisfied": 6, "unrated": 8}  # shares


class Due(NamedTuple):
    """A step to take when so many new tickets have come."""

    at: float
    id: int
    version: int
    status: str
    life: float  # how many new tickets come in this one's whole life


class Caseload:
    """Which ticket does what next; `count` is advanced by whoever files."""

    def __init__(self, past: list[Past], open_tickets: list[OpenTicket], chance: random.Random) -> None:
        self._past = past
        self._chance = chance
        self._usual = max(len(open_tickets), LEAST_OPEN)
        self.count = 0.0
        self._due: list[Due] = []
        for ticket in open_tickets:
            if ticket.status in PASSED_ON:
                left = self._left() * (NEGLECTED if ticket.is_overdue else 1)
                life = left / sum(PART[status] for status in STEPS[STEPS.index(ticket.status) :])
                self.put(ticket.id, ticket.version, ticket.status, life)

    def __len__(self) -> int:
        return len(self._due)

    def new_report(self) -> dict[str, Any]:
        """The body of a report much like a past one, near its place."""
        model = self._chance.choice(self._past)
        report: dict[str, Any] = {"channel": model.channel, "category": model.category, "title": model.title}
        if model.address:
            report["address"] = model.address
        if model.lon is not None and model.lat is not None:
            report |= {"lon": model.lon, "lat": model.lat}
            if not model.is_default_point:
                report["lon"] += (
                    self._chance.gauss(0, SCATTER_M) / METRES_PER_DEGREE / math.cos(math.radians(model.lat))
                )
                report["lat"] += self._chance.gauss(0, SCATTER_M) / METRES_PER_DEGREE
                report |= {"lon": round(report["lon"], 6), "lat": round(report["lat"], 6)}
        return report

    def put(self, ticket_id: int, version: int, status: str, life: float | None = None) -> None:
        """Plan the next step of a ticket that is now in that status; a closed one has none."""
        if status in PASSED_ON:
            life = life or self._life()
            wait = life * PART[status] * self._chance.uniform(0.5, 1.5)
            heapq.heappush(self._due, Due(self.count + wait, ticket_id, version, status, life))

    def next_due(self) -> Due | None:
        """The next step that is due now, taken off the plan."""
        if self._due and self._due[0].at <= self.count:
            return heapq.heappop(self._due)
        return None

    def step(self, due: Due) -> tuple[str, dict[str, Any]]:
        """The command of the step and its body."""
        command = PASSED_ON[due.status]
        if due.status == "accepted" and self._chance.random() < CANCELLED:
            command = "cancel"
        if due.status in ("handled", "verified") and self._chance.random() < REDONE:
            command = "redo"
        body: dict[str, Any] = {"version": due.version}
        if command in ("cancel", "redo"):
            body["reason"] = "simulated"
        if command == "handle":
            body["result"] = "simulated"
        if command == "close":
            body["satisfaction"] = self._chance.choices(list(SATISFACTION), list(SATISFACTION.values()))[0]
        return command, body

    def _life(self) -> float:
        """Log-normal with mean `usual`: most are quick, some take long."""
        return self._usual * math.exp(self._chance.gauss(-SIGMA * SIGMA / 2, SIGMA))

    def _left(self) -> float:
        """What is left of the life of one met at a random moment (lives weighted by their length): so the first ones
        leave at the rate at which new ones come."""
        return self._usual * math.exp(self._chance.gauss(SIGMA * SIGMA / 2, SIGMA)) * self._chance.random()
