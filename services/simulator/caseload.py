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
AGAIN, REMEMBERED = 0.02, 40  # share of reports that say what one of the last so many said
LEAST_OPEN = 200
# Part of a ticket's life that it spends in a status before its next step; what is not here is at its end.
PART = {
    "reported": 0.01, "accepted": 0.04, "dispatched": 0.04, "signed": 0.08, "in_progress": 0.52, "handled": 0.04,
    "verified": 0.02, "returned": 0.03, "transferred": 0.03, "reopened": 0.03, "suspended": 0.25, "consulted": 0.1,
    "closed": 0.2,
}  # fmt: skip
WAY = ("reported", "accepted", "dispatched", "signed", "in_progress", "handled", "verified")
LIKE = {
    "returned": "accepted", "reopened": "accepted", "transferred": "dispatched", "suspended": "in_progress",
    "consulted": "in_progress",
}  # fmt: skip
STAYED = 0.2  # part of the usual wait after a step that leaves the status as it is
SIGMA = 0.9  # spread of the lives
NEGLECTED = 12.0  # how much longer a ticket lives that was overdue at the start


class Due(NamedTuple):
    """A step to take when so many new tickets have come."""

    at: float
    id: int
    status: str  # as it was last seen
    life: float  # how many new tickets come in this one's whole life


class Caseload:
    """Which ticket does what next; `count` is advanced by whoever files."""

    def __init__(self, past: list[Past], open_tickets: list[OpenTicket], chance: random.Random) -> None:
        self._past = past
        self._chance = chance
        self._usual = max(len(open_tickets), LEAST_OPEN)
        self._last: list[dict[str, Any]] = []
        self.count = 0.0
        self._due: list[Due] = []
        for ticket in open_tickets:
            way = WAY[WAY.index(LIKE.get(ticket.status, ticket.status)) :]
            left = self._left() * (NEGLECTED if ticket.is_overdue else 1)
            self.put(ticket.id, ticket.status, left / sum(PART[status] for status in way))

    def __len__(self) -> int:
        return sum(due.status != "closed" for due in self._due)

    def new_report(self) -> dict[str, Any]:
        """The body of a report much like a past one, near its place; now and then what another said already."""
        if self._last and self._chance.random() < AGAIN:
            return self._near(self._chance.choice(self._last))
        model = self._chance.choice(self._past)
        report: dict[str, Any] = {"channel": model.channel, "category": model.category, "title": model.title}
        if model.address:
            report["address"] = model.address
        if model.lon is not None and model.lat is not None:
            report |= {"lon": model.lon, "lat": model.lat}
            if not model.is_default_point:
                report = self._near(report)
                self._last = [*self._last, report][-REMEMBERED:]
        return report

    def _near(self, report: dict[str, Any]) -> dict[str, Any]:
        """The same some metres away."""
        east, north = (self._chance.gauss(0, SCATTER_M) / METRES_PER_DEGREE for _ in range(2))
        lon = report["lon"] + east / math.cos(math.radians(report["lat"]))
        return report | {"lon": round(lon, 6), "lat": round(report["lat"] + north, 6)}

    def put(self, ticket_id: int, status: str, life: float | None = None, *, stayed: bool = False) -> None:
        """Plan the next step of a ticket that is now in that status; one that has ended has none."""
        if status in PART:
            life = life or self._life()
            wait = life * PART[status] * self._chance.uniform(0.5, 1.5) * (STAYED if stayed else 1)
            heapq.heappush(self._due, Due(self.count + wait, ticket_id, status, life))

    def next_due(self) -> Due | None:
        """The next step that is due now, taken off the plan."""
        if self._due and self._due[0].at <= self.count:
            return heapq.heappop(self._due)
        return None

    def _life(self) -> float:
        """Log-normal with mean `usual`: most are quick, some take long."""
        return self._usual * math.exp(self._chance.gauss(-SIGMA * SIGMA / 2, SIGMA))

    def _left(self) -> float:
        """What is left of the life of one met at a random moment (lives weighted by their length): so the first ones
        leave at the rate at which new ones come."""
        return self._usual * math.exp(self._chance.gauss(SIGMA * SIGMA / 2, SIGMA)) * self._chance.random()
