"""Cards: what a click on the map tells of one area, ticket, worker, station or post."""

from datetime import UTC, datetime
from typing import Any

from geodata.queries import areas, cards, points, stations
from geodata.scope import Db
from profiles import Profile
from services import roster
from services.ticket_clock import clock_of

Card = dict[str, Any]
FEW = 3  # a count of people owed care below this is told as "fewer than 3"
FREQUENT_DAYS = 30


class UnknownThing(LookupError):
    """There is nothing of that kind and number, or it lies outside of what the asker may see: the same answer."""


def area_card(conn: Db, no: int, profile: Profile, *, people: bool = False) -> Card:
    """An area's place in the tree, its numbers now, and who is on duty in it and above it; by name with `people`."""
    facts = areas.facts(conn, no)
    if facts is None:
        raise UnknownThing(f"There is no area with the number {no}.")
    numbers = cards.area_numbers(conn, facts.no, facts.hi, profile.time_zone)
    owed = sum(row.people for row in points.care(conn, facts.no, facts.hi))
    bounds = None if facts.west is None else [facts.west, facts.south, facts.east, facts.north]
    path = _path(conn, no)
    return {
        "kind": "area",
        "id": facts.no,
        "path": path,
        "code": facts.code,
        "name": facts.name,
        "level": facts.level,
        "grid_kind": facts.kind,
        "households": facts.households,
        "population": facts.population,
        "generated": facts.generated,
        "grids": facts.grids,
        "bounds": bounds,
        **_times(numbers._asdict()),
        "per_1000": round(1000 * numbers.open / facts.population, 2) if facts.population else None,
        "care": masked(owed),
        "frequent_days": FREQUENT_DAYS,
        "frequent": [
            {"code": row.code, "name": row.name, "name_en": row.name_en, "tickets": row.tickets}
            for row in cards.frequent_categories(conn, facts.no, facts.hi, FREQUENT_DAYS, 3)
        ],
        "on_duty": roster.reachable(conn, [step["no"] for step in path], profile, people=people),
    }


def ticket_card(
    conn: Db, ticket_id: int, profile: Profile, *, people: bool, now: datetime | None = None
) -> Card:
    """A ticket's course and its clock; what was said and where only with `people`, as a wall never shows it."""
    row = cards.ticket(conn, ticket_id, people=people)
    if row is None:
        raise UnknownThing(f"There is no ticket with the number {ticket_id}.")
    told = row._asdict()
    for hidden in ("title", "description", "address", "source_id") if not people else ():
        del told[hidden]
    clock = clock_of(conn, profile, row, now or datetime.now(UTC))
    return {"kind": "ticket", **_times(told), "clock": clock, "path": _path(conn, row.area_no)}


def worker_card(conn: Db, worker_id: int, *, people: bool) -> Card:
    """A worker's duty and shift; name and phone only with `people`."""
    row = cards.worker(conn, worker_id, people=people)
    if row is None:
        raise UnknownThing(f"There is no worker with the number {worker_id}.")
    told = row._asdict()
    told.update(worker_kind=told.pop("kind"))
    told.update(shift_from=f"{row.shift_from:%H:%M}", shift_to=f"{row.shift_to:%H:%M}")
    if f"{row.shift_to:%H:%M}" == "00:00":
        told["shift_to"] = "24:00"
    return {"kind": "worker", **_reachable(told, people), "path": _path(conn, row.area_no)}


def post_card(conn: Db, post_id: int, profile: Profile, *, people: bool) -> Card:
    """A post and its duty; who holds it and how to reach them only with `people`."""
    row = cards.post(conn, post_id, people=people)
    if row is None:
        raise UnknownThing(f"There is no post with the number {post_id}.")
    told = row._asdict()
    post = next((post for post in profile.posts if row.role in (post.code, post.name)), None)
    told["role"] = (
        {"name": post.name, "name_en": post.name_en} if post else {"name": row.role, "name_en": row.role}
    )
    told["duty"] = {
        "name": row.duty or (post.duty if post else ""),
        "name_en": post.duty_en if post else row.duty or "",
    }
    return {"kind": "post", **_reachable(told, people), "path": _path(conn, row.area_no)}


def station_card(conn: Db, station_id: str, profile: Profile) -> Card:
    """A video station with the state of its stream, as probed; its address only while it is live."""
    row = stations.station(conn, station_id)
    if row is None:
        raise UnknownThing(f"There is no video station with the id {station_id}.")
    site = next((site for site in profile.sites if row.site_kind in (site.code, site.name)), None)
    told = _times(row._asdict())
    told["site_kind"] = {
        "name": site.name if site else row.site_kind,
        "name_en": site.name_en if site else row.site_kind,
    }
    if row.state != "live":
        told["stream_url"] = None
    return {"kind": "station", **told, "path": _path(conn, row.area_no)}


def masked(people: int) -> int | str:
    """A count of people that cannot single anyone out: below 3 it says only that."""
    return people if people == 0 or people >= FEW else f"<{FEW}"


def _reachable(told: dict[str, Any], people: bool) -> dict[str, Any]:
    if not people:
        del told["name"], told["phone"]
    return told


def _path(conn: Db, no: int) -> list[dict[str, Any]]:
    return [step._asdict() for step in areas.path(conn, no)]


def _times(told: dict[str, Any]) -> dict[str, Any]:
    """Times as milliseconds since 1970, as all feeds carry them."""
    return {
        key: round(value.timestamp() * 1000) if isinstance(value, datetime) else value
        for key, value in told.items()
    }
