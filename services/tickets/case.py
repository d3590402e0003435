"""What a command works on: the ticket as it is, the place, the moment, and who gives the command."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from geodata.clock.worktime import Worktime, worktime_of
from geodata.queries import calendar, ticket_events
from geodata.queries import tickets as queries
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from profiles.clock import Step
from services.access.viewer import Viewer
from services.clock.due import due_of, reckon
from services.clock.timeline import Pause, Timeline, effective
from services.tickets.errors import BadReport
from services.tickets.orders import Party

FAR_FUTURE = timedelta(days=3660)


@dataclass(slots=True)
class Case:
    """A locked ticket and all that an effect may ask for; `now` is aware and never before its last event."""

    conn: Db
    profile: Profile
    viewer: Viewer
    ticket: Ticket
    now: datetime
    _worktime: Worktime | None = field(default=None, init=False, repr=False)

    def worktime(self) -> Worktime:
        """The place's working time with its own calendar."""
        if self._worktime is None:
            self._worktime = worktime_of(self.profile, calendar.overrides(self.conn))
        return self._worktime

    def limit_end(self, step: Step, start: datetime, ticket: Ticket | None = None) -> datetime | None:
        """When that step's limit is over if it begins at `start`; None where the place sets none."""
        limit = self.profile.limit(step, **_what(ticket or self.ticket))
        return due_of(limit, start, self.worktime()).astimezone(start.tzinfo) if limit else None

    def handle_due(self, ticket: Ticket, more: tuple[Pause, ...] = ()) -> datetime | None:
        """When handling is due: from the first dispatch (before it from the report), around its pauses and `more`."""
        limit = self.profile.limit("handle", **_what(ticket))
        if not limit:
            return ticket.due_at
        start = ticket.dispatched_at or ticket.reported_at
        line = Timeline(start, (*self.pauses(), *more))
        return reckon(limit, line, self.worktime(), self.now + FAR_FUTURE).due

    def pauses(self) -> tuple[Pause, ...]:
        """Its pauses so far that have ended."""
        found: list[Pause] = []
        begun: datetime | None = None
        for kind, at in ticket_events.clock_events(self.conn, self.ticket.id):
            if kind == "suspend":
                begun = at
            elif kind == "resume" and begun is not None:
                found.append(Pause(begun, at))
                begun = None
        return tuple(found)

    def paused_since(self) -> datetime:
        """When the pause that lasts began."""
        events = ticket_events.clock_events(self.conn, self.ticket.id)
        return max(at for kind, at in events if kind == "suspend")

    def paused(self) -> timedelta:
        """How long it has been paused in all, in pauses that have ended."""
        most = timedelta(days=self.profile.clock.pause_most_days)
        spans = effective(self.pauses(), most, self.now)
        return sum(((pause.end or pause.start) - pause.start for pause in spans), timedelta())

    def known_worker(self, code: str | None) -> str | None:
        """The code of an active worker of the scope; BadReport for another."""
        if code is not None and not queries.is_active_worker(self.conn, code):
            raise BadReport("worker", code, "the code of an active worker")
        return code

    def known_department(self, code: str | None, field: str = "department") -> str | None:
        """The code of a department of the place; BadReport for another."""
        codes = [row.code for row in self.profile.departments]
        if code is not None and code not in codes:
            raise BadReport(field, code, codes)
        return code

    def known_post(self, code: str | None) -> str | None:
        """The code of a post of the scope that somebody holds; BadReport for another."""
        if code is not None and not queries.is_post(self.conn, code):
            raise BadReport("post", code, "the code of a post")
        return code

    def known_party(self, party: Party) -> Party:
        """The party, if there is one of that kind and code; BadReport otherwise."""
        if party.kind == "worker":
            self.known_worker(party.code)
        elif party.kind == "post":
            self.known_post(party.code)
        else:
            self.known_department(party.code, "party")
        return party

    def of_loop(self, field: str, code: str | None) -> str | None:
        """A code of one of the loop's lists (severities, natures, risks, supervisions); BadReport for another."""
        codes = self.profile.loop.codes(field)
        if code is not None and code not in codes:
            raise BadReport(field, code, codes)
        return code


def _what(ticket: Ticket) -> dict[str, Any]:
    return {
        "category": ticket.category, "channel": ticket.channel, "severity": ticket.severity, "nature": ticket.nature
    }  # fmt: skip
