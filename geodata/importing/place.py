"""The place that an import goes into: its profile, its root area, its calendar day."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import profiles
from geodata.importing.report import refusal
from geodata.outbox import add_event
from geodata.scope import Db
from profiles import Level, Profile

EARLIEST_DAY = date(1900, 1, 1)  # boundaries of a first import hold for all of the past
STRIDE: dict[Level, int] = {
    "city": 10**12,
    "county": 10**9,
    "town": 10**6,
    "community": 10**3,
    "grid": 1,
}
LEVELS: tuple[Level, ...] = ("city", "county", "town", "community", "grid")


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
        try:
            return self.profile.codes.length(level)
        except ValueError:
            return None


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
    return Place(profile or profiles.load(row[0]), zone, datetime.now(zone).date(), root and int(root[0]))


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
