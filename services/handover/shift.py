"""A shift as it stands: when it began, what is open, promised and watched, and what was done in it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from geodata.clock.worktime import worktime_of
from geodata.queries import alarms, calendar, dispatch_queue
from geodata.queries import handover as queries
from geodata.queries.dispatch_queue import Asker, Narrowed, Shown
from geodata.queries.handover import Note
from geodata.queries.queue_columns import columns
from geodata.scope import Db
from profiles import Profile
from services.access import Viewer
from services.care.opening import require_person
from services.dispatch.order import Place, ordered
from services.dispatch.queue import ms
from services.tickets import number

Why = Literal["taken_over", "first_command", "usual"]
MOST = 200  # rows of a list
LONGEST_SHIFTS = 2  # so many usual shifts back is looked for its beginning


class Shift(NamedTuple):
    """Since when, and how that is known: a shift taken over, one's first command, or the usual length."""

    since: datetime
    why: Why


def shift_of(conn: Db, profile: Profile, viewer: Viewer, now: datetime) -> Shift:
    """The viewer's present shift."""
    usual = timedelta(hours=profile.queue.shift_hours)
    if taken := queries.taken_at(conn, viewer.name, now - LONGEST_SHIFTS * usual):
        return Shift(taken, "taken_over")
    if first := queries.first_command(conn, viewer.name, now - 1.5 * usual):
        return Shift(first, "first_command")
    return Shift(now - usual, "usual")


def state(conn: Db, profile: Profile, viewer: Viewer, since: datetime, now: datetime) -> dict[str, Any]:
    """What whoever comes next has to know, as JSON: times are milliseconds since 1970. Raises NotForThem.

    `open`: what waits for a decision or a signature, then what this account handed out and is not done. `promised`:
    notes that promise, calls to be made again, pauses that end. `watched`: supervised tickets. `notes`: all others.
    """
    require_person(viewer)
    asker = Asker(viewer.kind, viewer.name)
    worktime = worktime_of(profile, calendar.overrides(conn))
    named: dict[str, list[Place]] = {
        tab: ordered(profile, worktime, columns(conn, tab, asker, Narrowed(), now), now).places()
        for tab in ("decide", "unsigned", "mine")
    }
    rows: dict[int, tuple[str, Place]] = {}
    for why, tab in (("undecided", "decide"), ("unsigned", "unsigned"), ("mine", "mine")):
        for place in named[tab]:
            told = "unsigned" if why == "undecided" and place.stage != "decide" else why
            rows.setdefault(place.ticket.id, (told, place))
    paused = [place for place in named["mine"] if place.stage == "pause"]
    ring = queries.to_ring(conn, viewer.name, since, MOST)
    watched = queries.supervised(conn, MOST)
    shown = dispatch_queue.shown(
        conn, [*list(rows)[:MOST], *(one.id for one in (*ring, *watched))], words=True
    )
    told_of = _Telling(profile, shown, {place.ticket.id: place for _, place in rows.values()})
    notes = [note_told(profile, viewer, one) for one in queries.notes(conn, viewer.name, since, MOST)]
    counts = dispatch_queue.counts(conn, now)
    return {
        "figures": {
            **queries.done(conn, viewer.name, since)._asdict(),
            **{name: getattr(counts, name) for name in ("decide", "unsigned", "open", "soon", "overdue")},
            "alarms": alarms.counts(conn, 0)[0],
            "listed": len(rows),
        },
        "open": told_of.tickets((number, why, None) for number, (why, _) in list(rows.items())[:MOST]),
        "promised": [note for note in notes if note["kind"] == "promised"]
        + told_of.tickets((one.id, "call_back", one.until) for one in ring)
        + told_of.tickets((place.ticket.id, "suspended", place.due) for place in paused),
        "watched": told_of.tickets((one.id, "supervised", one.until) for one in watched),
        "incidents": [
            {"id": number, "title": title, "opened_at": ms(at)}
            for number, title, at in queries.incidents(conn, MOST)
        ],
        "notes": [note for note in notes if note["kind"] != "promised"],
    }


class _Telling(NamedTuple):
    """What tickets of the lists are told with."""

    profile: Profile
    shown: dict[int, Shown]
    places: dict[int, Place]

    def tickets(self, found: Iterable[tuple[int, str, datetime | None]]) -> list[dict[str, Any]]:
        """Rows of (id, why, until); those that went out of sight in between are left out."""
        return [
            self._ticket(self.shown[one], self.places.get(one), why, until)
            for one, why, until in found
            if one in self.shown
        ]

    def _ticket(self, shown: Shown, place: Place | None, why: str, until: datetime | None) -> dict[str, Any]:
        return {
            "id": shown.id,
            "number": number(shown.id, shown.reported_at, self.profile.time_zone),
            "title": shown.title,
            "status": shown.status,
            "area_no": shown.area_no,
            "area": shown.area,
            "town": shown.town,
            "worker": shown.worker,
            "worker_name": shown.worker_name,
            "department": shown.department,
            "why": why,
            "until": ms(until or (place.due if place else None)),
            "stage": place.stage if place else None,
        }


def note_told(profile: Profile, viewer: Viewer, note: Note) -> dict[str, Any]:
    """A note as JSON."""
    ticket = None
    if note.ticket_id is not None and note.reported_at is not None:
        ticket = {
            "id": note.ticket_id,
            "number": number(note.ticket_id, note.reported_at, profile.time_zone),
            "title": note.title,
        }
    return {
        "id": note.id,
        "kind": note.kind,
        "words": note.words,
        "ticket": ticket,
        "due_at": ms(note.due_at),
        "at": ms(note.at),
        "by": note.actor,
        "by_name": note.actor_name,
        "mine": note.actor == viewer.name,
        "done_at": ms(note.done_at),
        "done_name": note.done_name,
    }
