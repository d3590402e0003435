"""The round of a worker who has several tickets: the order that walks least, leg by leg."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geodata.queries import worker_round as queries
from geodata.queries.worker_round import Stop
from geodata.scope import Db
from profiles import Profile
from services import tickets
from services.access import Right, Viewer
from services.cards import UnknownThing
from services.dispatch.patrol_order import best_order, length_m
from services.dispatch.telling import ms
from services.dispatch.travel import travel_s
from services.tickets.states import HELD

MOST_STOPS = 60


class UnknownWorker(UnknownThing):
    """There is no active worker of that code, or they serve outside of the scope: the same answer for both."""


def round_of(conn: Db, profile: Profile, viewer: Viewer, code: str, now: datetime) -> dict[str, Any]:
    """In which order a worker best walks to the tickets in hand, from the last position of the shift.

    Without a position that is young enough it begins in the middle of their area. Metres are straight lines, minutes
    count the profile's detour and speed and no time at the stops; `late`: the ticket is due before they get there.
    Times in ms since 1970; names and words for who may read them. Raises UnknownWorker.
    """
    oldest = now - timedelta(seconds=profile.dispatch.oldest_position_s)
    worker = queries.stand_of(conn, code, oldest, now.astimezone(ZoneInfo(profile.time_zone)))
    if worker is None:
        raise UnknownWorker(f"There is no active worker with the code {code}.")
    people = viewer.may(Right.PEOPLE)
    held = queries.in_hand(conn, worker.id, sorted(HELD), MOST_STOPS)
    placed = [stop for stop in held if stop.lon is not None and stop.lat is not None]
    start = (worker.lon, worker.lat)
    where = [(float(stop.lon or 0), float(stop.lat or 0)) for stop in placed]
    found = best_order(start, where)
    walked_s, stops = 0.0, []
    for at, leg_m in zip(found.places, found.legs_m, strict=True):
        leg_s = float(travel_s(leg_m, profile))
        walked_s += leg_s
        stop = placed[at]
        stops.append(
            {
                "ticket": _ticket(profile, stop, people),
                "leg": {"distance_m": round(leg_m), "minutes": round(leg_s / 60, 1)},
                "arrive_s": round(walked_s),
                "late": stop.due_at is not None and now + timedelta(seconds=walked_s) > stop.due_at,
            }
        )
    return {
        "as_of": ms(now),
        "worker": {
            "code": worker.code,
            "name": worker.name if people else None,
            "lon": worker.lon,
            "lat": worker.lat,
            "start": "area" if worker.at is None else "position",
            "position_age_s": None if worker.at is None else max(0, round((now - worker.at).total_seconds())),
        },
        "method": found.method,
        "factor": profile.dispatch.detour,
        "distance_m": round(found.distance_m),
        "minutes": round(float(travel_s(found.distance_m, profile)) / 60, 1),
        "as_given_m": round(length_m(start, where)),
        "stops": stops,
        "without_place": [
            _ticket(profile, stop, people) for stop in held if stop.lon is None or stop.lat is None
        ],
    }


def _ticket(profile: Profile, stop: Stop, people: bool) -> dict[str, Any]:
    return {
        "id": stop.id,
        "version": stop.version,
        "number": tickets.number(stop.id, stop.reported_at, profile.time_zone),
        "title": stop.title if people else None,
        "status": stop.status,
        "category": stop.category,
        "severity": stop.severity,
        "due_at": ms(stop.due_at),
        "lon": stop.lon,
        "lat": stop.lat,
        "rough": stop.rough,
    }
