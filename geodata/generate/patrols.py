"""Patrols of a generated place, a day at a time: any day can be made again."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd


def patrols(
    people: pd.DataFrame, seed: int, days: list[date], until: datetime, zone: ZoneInfo
) -> pd.DataFrame:
    """area, day, worker, first_at, last_at (aware) of all days, up to `until`; a few workers hardly patrol."""
    staff = people[people["kind"] != "professional"].reset_index(drop=True)
    habit = np.random.default_rng([seed, 20])
    zeal = np.clip(habit.beta(14, 1.2, len(staff)), 0.05, 0.99)
    zeal[habit.random(len(staff)) < 0.012] = 0.12
    opens = pd.to_timedelta(staff["shift_from"] + ":00").dt.total_seconds().to_numpy() / 3600
    closes = pd.to_timedelta(staff["shift_to"] + ":00").dt.total_seconds().to_numpy() / 3600
    length = (closes - opens) % 24
    mask = staff["shift_days"].to_numpy()
    parts = []
    for day in days:
        rng = np.random.default_rng([seed, 21, day.toordinal()])
        on = (mask >> day.weekday()) & 1 == 1
        on &= rng.random(len(staff)) < zeal * (0.93 if day.weekday() > 4 else 1)
        first = opens + 0.2 + rng.gamma(1.6, 0.55, len(staff)) * np.minimum(length / 8, 1)
        first = np.minimum(first, opens + 0.8 * length)
        last = np.minimum(
            first + rng.uniform(0.4, 2.5, len(staff)) + np.where(rng.random(len(staff)) < 0.5, 5, 0),
            opens + length,
        )
        last = np.maximum(last, first)
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        now_h = (until - midnight) / timedelta(hours=1)
        on &= first <= now_h
        frame = pd.DataFrame({"area": staff["area"][on], "day": day, "worker": staff["code"][on]})
        for name, hours in (("first_at", first), ("last_at", np.minimum(last, now_h))):
            frame[name] = (
                pd.Timestamp(midnight) + pd.to_timedelta(np.round(hours[on] * 60), unit="min").to_numpy()
            )
        frame["first_at"] = np.minimum(frame["first_at"], frame["last_at"])
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)
