"""The rounds that areas of a generated place made: nearly all, a few late, with figures counted from its rows."""

from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from geodata.queries import rounds as queries
from geodata.queries.rounds import Made
from geodata.scope import Db
from profiles import Profile
from profiles.loop import Round
from profiles.periods import Period, due_of, period_of

BY = "generator"
PERIODS = {"day": 14, "week": 6, "month": 3}  # so many are made up, the present one among them
MADE, LATE = 0.95, 0.04  # shares
QUIET = ("无异常", "正常，无新增问题", "已排查，未发现隐患")
FOUND = ("发现问题已上报处置", "新增事项已派单", "已协调处理，跟踪回访")


def fill(conn: Db, profile: Profile, seed: int, until: datetime) -> None:
    """Make the rounds up to a moment, in the caller's transaction; what is there already stays."""
    today = until.astimezone(ZoneInfo(profile.time_zone)).date()
    for kind in profile.loop.rounds:
        for period in _periods(kind, today):
            queries.enter_generated(conn, _made(conn, profile, kind, period, seed, until))


def _periods(kind: Round, today: date) -> list[Period]:
    """The last periods of a kind, the present one first."""
    found = [period_of(kind.every, today)]
    while len(found) < PERIODS[kind.every]:
        found.append(period_of(kind.every, found[-1].first - timedelta(days=1)))
    return found


def _made(conn: Db, profile: Profile, kind: Round, period: Period, seed: int, until: datetime) -> list[Made]:
    chance = Random(f"{seed} {kind.code} {period.first}")
    due = due_of(kind, period, profile.time_zone)
    rows = queries.rounds(
        conn, kind=kind.code, level=kind.level, days=period, span=period.moments(profile.time_zone),
        channels=kind.channels, now=until,
    )  # fmt: skip
    made = []
    for row in rows:
        luck, minutes, word = chance.random(), chance.triangular(5, 420, 90), chance.randrange(3)
        if luck > MADE:
            continue
        at = due + timedelta(minutes=minutes) if luck < LATE else due - timedelta(minutes=minutes)
        if at > until or row.done_at is not None:
            continue
        figures = {"found": row.found, "closed": row.closed, "patrols": row.patrols}
        words = (FOUND if row.found else QUIET)[word]
        made.append(Made(row.area_no, kind.code, *period, due, at, BY, words, figures))
    return made
