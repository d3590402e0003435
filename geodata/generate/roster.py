"""Rosters of a generated place: a leader and police officers a town, a duty officer a community, day by day."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from geodata.generate.names import names, phones
from profiles import Profile

ROSTER_DAYS = 14  # before and after today
LEADERS, CLERKS = 6, 3  # who take turns
STANDS_IN = 0.05  # share of a leader's evenings that somebody else takes over
_COLUMNS = ["area", "role", "on_date", "from_time", "to_time", "name", "phone", "substitute_for"]


def roster(
    profile: Profile, levels: dict[str, pd.DataFrame], posts: pd.DataFrame, seed: int, days: Sequence[date]
) -> pd.DataFrame:
    """Turns of duty for the days. A day's turns depend on the seed and the day alone, so more days may follow later.

    `posts` are the place's post holders: the first duty leader and the police officers of a town take turns too.
    """
    known = {post.code for post in profile.posts}
    rng = np.random.default_rng([seed, 7])
    teams: list[tuple[str, str, str, str, list[tuple[str, str]]]] = []  # area, role, from, to, who take turns
    for code in dict.fromkeys([profile.root_code, *levels["town"]["code"]]):
        held = posts[(posts["area"] == code) & posts["role"].isin(["duty_leader", "police"])]
        by_role = {
            role: list(zip(part["name"], part["phone"], strict=True)) for role, part in held.groupby("role")
        }
        if "duty_leader" in known:
            leaders = [*by_role.get("duty_leader", [])[:1], *_people(rng, LEADERS)][:LEADERS]
            teams.append((code, "duty_leader", "08:00", "08:00", leaders))
        if "police" in known and by_role.get("police"):
            teams.append((code, "police", "08:00", "08:00", by_role["police"]))
    if "duty_clerk" in known:
        teams += [
            (code, "duty_clerk", "08:00", "18:00", _people(rng, CLERKS))
            for code in levels["community"]["code"]
        ]
    rows: list[tuple[str, ...]] = []
    for day in days:
        absent = np.random.default_rng([seed, 8, day.toordinal()]).random(len(teams)) < STANDS_IN
        for number, (area, role, start, end, team) in enumerate(teams):
            turn = (day.toordinal() + number) % len(team)
            name, phone = team[turn]
            rows.append((area, role, day.isoformat(), start, end, name, phone, ""))
            other, number_of_other = team[(turn + 1) % len(team)]
            if role == "duty_leader" and absent[number] and other != name:
                rows.append((area, role, day.isoformat(), "18:00", "22:00", other, number_of_other, name))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _people(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    """People whose names differ."""
    found: dict[str, str] = {}
    while len(found) < count:
        found |= dict(zip(names(rng, count), phones(rng, count), strict=True))
    return list(found.items())[:count]
