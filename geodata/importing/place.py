"""The place that an import goes into: its profile, its root area, its calendar day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import profiles
from geodata.importing.report import refusal
from geodata.outbox import add_event
from geodata.scope import Db
from profiles import LEVELS, Level, Profile

EARLIEST_DAY = date(1900, 1, 1)  # boundaries of a first import hold for all of the past
STRIDE: dict[Level, int] = {
    "city": 10**12,
    "county": 10**9,
    "town": 10**6,
    "community": 10**3,
    "grid": 1,
}


@dataclass(frozen=True, slots=True)
class Place:
    """What the database says about itself."""

    profile: Profile
    zone: ZoneInfo
    today: date
    root_no: int | None

    def levels(self) -> list[Level]:
        """Levels in use, from the root down."""
        top = self.profile.root_level
        below = LEVELS[LEVELS.index(top) + 1 :]
        return [top, *(level for level in below if level in self.profile.codes.digits)]

    def above(self, level: Level) -> list[Level]:
        """Levels above one, the nearest first."""
        return [upper for upper in reversed(self.levels()) if STRIDE[upper] > STRIDE[level]]

    def code_length(self, level: Level) -> int | None:
        """Digits of a code on this level; None when the pattern does not say."""
        if level == self.profile.root_level:
            return len(self.profile.root_code)
        return self.profile.codes.length(level) if level in self.profile.codes.digits else None

    def upper_code(self, upper: Level, code: str) -> str | None:
        """The code that the area of a level above must have, by the digits of this code; None when it tells nothing."""
        if upper == self.profile.root_level and upper not in self.profile.codes.digits:
            return self.profile.root_code if code.startswith(self.profile.root_code) else None
        if upper not in self.profile.codes.digits:
            return None
        digits, zeros = self.profile.codes.significant(upper), self.profile.codes.zeros.get(upper, 0)
        found = code[:digits] + "0" * zeros
        return found if len(code) > digits and found != code else None

    def parent_code(self, level: Level, code: str, level_of: Mapping[str, Level]) -> str | None:
        """The nearest area above, among those known, whose digits begin this code."""
        for upper in self.above(level):
            found = self.upper_code(upper, code)
            if found is not None and level_of.get(found) == upper:
                return found
        return None

    def begins(self, level: Level, parent: str, code: str) -> bool:
        """Whether a code begins as its parent's asks for."""
        return any(self.upper_code(upper, code) == parent for upper in self.above(level))


def read_place(conn: Db, subject: str, file: str = "", profile: Profile | None = None) -> Place:
    """The place of this database; refused when none was set up yet. `profile` replaces a look-up by name."""
    row = conn.execute("SELECT profile, time_zone FROM place").fetchone()
    if row is None:
        raise refusal(
            subject, file, "a database that holds a place", "Make one: ./wangge new-place NAME --name …"
        )
    zone = ZoneInfo(row[1])
    root = conn.execute(
        "SELECT no FROM area WHERE parent_no IS NULL AND valid_to IS NULL ORDER BY no LIMIT 1"
    ).fetchone()
    return Place(
        profile or profiles.load(row[0]), zone, datetime.now(zone).date(), int(root[0]) if root else None
    )


def required_root(place: Place, subject: str, file: str) -> int:
    """The number of the root area; refused when no areas were imported yet."""
    if place.root_no is None:
        raise refusal(
            subject,
            file,
            "a place with areas",
            "Import its areas first: ./wangge import areas FILE --level …",
        )
    return place.root_no


def ask_reload(conn: Db, kind: str, root_no: int, body: dict[str, object]) -> None:
    """Let open screens take a fresh snapshot once this transaction commits."""
    add_event(conn, kind, root_no, body)
