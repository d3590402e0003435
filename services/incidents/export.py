"""An incident as an XLSX file: what lies inside, its tickets, posts and stations, watermarked and audited."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from geodata.scope import Db
from profiles import Profile
from services import audit
from services.access import Right, Viewer
from services.care.errors import NotForThem
from services.incidents import view
from services.workbook import workbook

COLUMNS: Mapping[str, int] = {  # name → width in characters
    "row": 16, "part": 12, "name": 40, "value": 22, "area": 20, "who": 20, "reported": 17, "due": 17, "place": 24,
}  # fmt: skip
Say = Callable[[str, str | None], str]  # (vocabulary, code) → its name


def export(
    conn: Db, profile: Profile, viewer: Viewer, incident_id: int, *, say: Say, english: bool, now: datetime
) -> bytes:
    """All that is known of an incident, a row each; no phone numbers. The audit keeps who took it.

    Raises UnknownIncident, NotForThem for who may not dispatch, or not read words of people.
    """
    told = view.one(conn, profile, viewer, incident_id, now)
    if not (viewer.may(Right.TICKETS_DISPATCH) and viewer.may(Right.PEOPLE)):
        raise NotForThem("Your role does not include this file.")
    zone = ZoneInfo(profile.time_zone)
    sheet = _Sheet(say, zone, english)
    lines = [*sheet.figures(told), *sheet.tickets(told), *sheet.posts(told), *sheet.stations(told)]
    mark = secrets.token_hex(4)
    watermark = say("watermark", None).format(
        account=viewer.name, time=f"{now.astimezone(zone):%Y-%m-%d %H:%M:%S}", title=told["title"], number=mark,
        rows=len(lines),
    )  # fmt: skip
    numbered = [[f"{mark}-{count:04d}", *line] for count, line in enumerate(lines, 1)]
    book = workbook(watermark, [say("column", name) for name in COLUMNS], list(COLUMNS.values()), numbered)
    audit.record(
        conn, viewer, audit.Action.export, object_kind="incident", object_id=incident_id,
        area_no=told["area_no"] or None, detail={"rows": len(lines), "number": mark},
    )  # fmt: skip
    return book


class _Sheet:
    """The lines of each part, all with the same columns."""

    def __init__(self, say: Say, zone: ZoneInfo, english: bool) -> None:
        self.say, self.zone, self.name = say, zone, "name_en" if english else "name"

    def line(self, part: str, **cells: Any) -> list[str]:
        """The cells of a row in the order of the columns."""
        told = {"part": self.say("part", part), **cells}
        return ["" if (value := told.get(name)) is None else str(value) for name in list(COLUMNS)[1:]]

    def figures(self, told: dict[str, Any]) -> list[list[str]]:
        """The incident itself, and the figures inside of its outline."""
        since, until = self.moment(told["opened_at"]), self.moment(told["closed_at"])
        area = told["area"]
        own = self.line(
            "incident", name=told["title"], area=area, who=told["opened_by"], reported=since, value=until
        )
        if told["figures"] is None:
            return [own]
        figures = told["figures"]
        rows = [("whole", figures["grids"]["whole"]), ("touched", figures["grids"]["touched"])]
        rows += [
            (f"{what}_{how}", figures[what][how])
            for what in ("households", "people")
            for how in ("about", "least", "most")
        ]
        rows += [("unknown", figures["unknown"]), ("workers", told["workers"])]
        return [
            own,
            *(self.line("figure", name=self.say("figure", name), value=value) for name, value in rows),
        ]

    def tickets(self, told: dict[str, Any]) -> list[list[str]]:
        """Its tickets: number and words, state, holder."""
        return [
            self.line(
                "ticket", name=f"{one['number']} {one['title']}", value=self.say("status", one["status"]),
                area=one["area"], who=one["holder"] and one["holder"][self.name],
                reported=self.moment(one["reported_at"]), due=self.moment(one["due_at"]), place=_place(one),
            )
            for one in told["tickets"]
        ]  # fmt: skip

    def posts(self, told: dict[str, Any]) -> list[list[str]]:
        """Posts inside, and whether they are held now."""
        return [
            self.line(
                "post", name=self.say("post", one["role"]), who=one["name"], area=one["area"], place=_place(one),
                value=self.say("figure", "on_duty") if one["on_duty"] else None,
            )
            for one in told["posts"]
        ]  # fmt: skip

    def stations(self, told: dict[str, Any]) -> list[list[str]]:
        """Video stations inside."""
        return [
            self.line("station", name=one["name"], value=self.say("station", one["state"]), place=_place(one))
            for one in told["stations"]
        ]

    def moment(self, ms: int | None) -> str | None:
        """A moment in the place's time."""
        if ms is None:
            return None
        return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone(self.zone):%Y-%m-%d %H:%M}"


def _place(one: dict[str, Any]) -> str | None:
    return None if one["lon"] is None else f"{one['lon']:.6f}, {one['lat']:.6f}"
