"""An incident as screens get it: its tickets, and what lies inside of its outline."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from geodata.queries import incident_figures as figures
from geodata.queries import incidents as queries
from geodata.queries.incident_figures import Inside
from geodata.queries.incidents import Listed, Member
from geodata.scope import Db
from profiles import Profile
from services import tickets
from services.access import Right, Viewer
from services.dispatch.telling import ms
from services.incidents.errors import UnknownIncident

MOST_NEAR, MOST_EVENTS, MOST_THINGS = 50, 60, 200


def one(conn: Db, profile: Profile, viewer: Viewer, incident_id: int, now: datetime) -> dict[str, Any]:
    """All that is known of an incident; names, phones and words for who may read them. Times in ms since 1970.

    Without a perimeter of its own, what lies within 100 m around its tickets is counted. Raises UnknownIncident.
    """
    found = queries.read(conn, incident_id)
    if found is None:
        raise UnknownIncident(f"There is no incident with the id {incident_id}.")
    people = viewer.may(Right.PEOPLE)
    outline = figures.outline_of(conn, incident_id)
    told = found._asdict()
    told |= {"opened_at": ms(found.opened_at), "closed_at": ms(found.closed_at), "as_of": ms(now)}
    told["title"] = found.title if people else None
    told["perimeter"] = found.perimeter and orjson.loads(found.perimeter)
    told["drawn"] = found.perimeter is not None
    told["outline"] = outline and orjson.loads(outline)
    told["tickets"] = [_member(profile, row, people) for row in queries.members(conn, incident_id)]
    told["history"] = [
        {"at": ms(row.at), "kind": row.kind, "by": row.actor, "data": _said(row.data, people)}
        for row in queries.history(conn, incident_id, MOST_EVENTS)
    ]
    return told | _inside(conn, profile, people, outline, now)


def row_of(row: Listed, people: bool) -> dict[str, Any]:
    """An incident in a list."""
    told = row._asdict() | {"opened_at": ms(row.opened_at), "closed_at": ms(row.closed_at)}
    return told if people else told | {"title": None}


def counted(found: Inside) -> dict[str, Any]:
    """The figures of what lies inside: `about` is an estimate between `least` and `most`."""
    return {
        "grids": {"whole": found.whole, "touched": found.touched},
        "households": {
            "about": round(found.households_about),
            "least": found.households_least,
            "most": found.households_most,
        },
        "people": {
            "about": round(found.people_about),
            "least": found.people_least,
            "most": found.people_most,
        },
        "unknown": found.unknown,
    }


def _inside(conn: Db, profile: Profile, people: bool, outline: str | None, now: datetime) -> dict[str, Any]:
    if outline is None:
        return {"figures": None, "near": [], "posts": [], "stations": [], "workers": 0}
    oldest = now - timedelta(seconds=profile.dispatch.oldest_position_s)
    posts = figures.posts(conn, outline, now, profile.time_zone)[:MOST_THINGS]
    near = figures.near(conn, outline, MOST_NEAR)
    return {
        "figures": counted(figures.inside(conn, outline)),
        "near": [
            row._asdict()
            | {
                "number": tickets.number(row.id, row.reported_at, profile.time_zone),
                "reported_at": ms(row.reported_at),
            }
            | ({} if people else {"title": None})
            for row in near
        ],
        "posts": [row._asdict() | ({} if people else {"name": None, "phone": None}) for row in posts],
        "stations": [row._asdict() for row in figures.stations(conn, outline)[:MOST_THINGS]],
        "workers": figures.workers(conn, outline, oldest, now.astimezone(ZoneInfo(profile.time_zone))),
    }


def _member(profile: Profile, row: Member, people: bool) -> dict[str, Any]:
    told = row._asdict()
    for name in ("worker", "worker_name", "department"):
        del told[name]
    for name in ("reported_at", "due_at", "closed_at", "added_at"):
        told[name] = ms(told[name])
    told["number"] = tickets.number(row.id, row.reported_at, profile.time_zone)
    told["title"] = row.title if people else None
    told["holder"] = _holder(profile, row, people)
    return told


def _holder(profile: Profile, row: Member, people: bool) -> dict[str, Any] | None:
    if row.worker is not None:
        name = row.worker_name if people else None
        return {"kind": "worker", "code": row.worker, "name": name, "name_en": name}
    if row.department is None:
        return None
    named = next((one for one in profile.departments if one.code == row.department), None)
    return {
        "kind": "department",
        "code": row.department,
        "name": named.name if named else row.department,
        "name_en": named.name_en if named else row.department,
    }


def _said(data: dict[str, Any], people: bool) -> dict[str, Any]:
    return data if people else {name: value for name, value in data.items() if name != "title"}
