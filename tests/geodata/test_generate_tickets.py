"""Generated tickets: volume, rhythm, handling and places of a year, and the same day made twice."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

import profiles
from geodata.clock.worktime import worktime_of
from geodata.generate import clocks, files
from geodata.generate.matters import behaviours, matters_of
from geodata.generate.patrols import patrols
from geodata.generate.recipe import recipe_of
from geodata.generate.tickets import TicketModel, as_of, day_of_tickets
from profiles.clock import Amount
from services.clock.due import due_of

ZONE = ZoneInfo("Asia/Shanghai")
UNTIL = datetime(2026, 11, 18, 14, 32, tzinfo=ZONE)  # a Wednesday


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> files.GroundFiles:
    profile = profiles.load("horinger")
    folder: Path = tmp_path_factory.mktemp("horinger")
    files.generate_ground(profile, folder, 150123)
    return files.read_ground(profile, folder)


@pytest.fixture(scope="module")
def model(ground: files.GroundFiles) -> TicketModel:
    return files.model_from(profiles.load("horinger"), ground, 150123)


@pytest.fixture(scope="module")
def year(model: TicketModel) -> pd.DataFrame:
    """All tickets of the year before UNTIL."""
    days = [UNTIL.date() - timedelta(days=n) for n in range(364, -1, -1)]
    table = pa.concat_tables(as_of(model, days, UNTIL))
    frame = table.to_pandas()
    frame["local"] = frame["reported_at"].dt.tz_convert("Asia/Shanghai")
    return frame


def test_a_day_is_the_same_whenever_it_is_made(model: TicketModel) -> None:
    once, again = (day_of_tickets(model, date(2026, 3, 3)) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)
    assert len(once) != len(day_of_tickets(model, date(2026, 3, 4))) or not once.equals(
        day_of_tickets(model, date(2026, 3, 4))
    )


def test_a_later_look_at_the_same_day_only_moves_tickets_on(model: TicketModel) -> None:
    early, late = (
        next(iter(as_of(model, [UNTIL.date()], at))).to_pandas().set_index(["channel", "source_id"])
        for at in (UNTIL, UNTIL + timedelta(hours=30))
    )
    shared = late.loc[early.index]
    assert len(late) > len(early) > 10
    assert (shared["reported_at"] == early["reported_at"]).all()
    closed = early["closed_at"].notna()
    assert (shared.loc[closed, "closed_at"] == early.loc[closed, "closed_at"]).all()
    assert shared["closed_at"].notna().sum() > closed.sum()


def test_volume_channels_and_rhythm(year: pd.DataFrame) -> None:
    recipe = recipe_of(profiles.load("horinger"))
    assert len(year) / 365 == pytest.approx(recipe.tickets_per_day, rel=0.08)
    share = year["channel"].value_counts(normalize=True)
    assert share["grid"] == pytest.approx(0.52, abs=0.05) and share["12345"] == pytest.approx(0.24, abs=0.05)
    hours = year["local"].dt.hour.value_counts()
    assert hours[9] > 8 * hours[3] and hours[12] < hours[10] and hours[12] < hours[15]
    days = year["local"].dt.weekday.value_counts()
    assert days[0] > days[6]


def test_the_seasons_show(year: pd.DataFrame) -> None:
    profile = profiles.load("horinger")
    matter = {k.code: k.matter for c in profile.categories for k in c.kinds}
    month = year["local"].dt.month
    by = year.groupby([year["category"].map(matter), month]).size().unstack(fill_value=0)
    assert by.loc["heat", [12, 1]].sum() > 20 * by.loc["heat", [6, 7]].sum()
    assert by.loc["irrigation", [4, 5, 6]].sum() > 3 * by.loc["irrigation", [11, 12, 1]].sum()


def test_a_topic_of_the_month_declines_afterwards() -> None:
    profile = profiles.load("zoucheng")
    table = matters_of(profile, recipe_of(profile))
    irrigation = [k.code for k in table.kinds].index("06001")
    before, after = table.topic_factor(date(2026, 5, 1)), table.topic_factor(date(2026, 9, 1))
    assert before[irrigation] == pytest.approx(1.0) and after[irrigation] < 0.35


def test_handling_times_rates_and_open_tickets(year: pd.DataFrame) -> None:
    closed = year[year["closed_at"].notna()]
    took = (closed["closed_at"] - closed["dispatched_at"]).dt.total_seconds() / 86400
    assert took[closed["channel"] == "12345"].mean() == pytest.approx(2.7, abs=0.4)
    assert took[closed["channel"] == "grid"].median() < 0.6
    on_time = closed["closed_at"] <= closed["due_at"]
    assert 0.89 < on_time.mean() < 0.96
    assert on_time[closed["category"].str.startswith("04001")].mean() < on_time.mean()
    open_ = year[year["closed_at"].isna()]
    per_day = len(year) / 365
    assert 1.0 < len(open_) / per_day < 2.6
    assert 0.005 < (open_["due_at"] < pd.Timestamp(UNTIL)).mean() < 0.08
    rated = closed[closed["satisfaction"].isin(["satisfied", "fairly", "unsatisfied"])]
    assert (rated["satisfaction"] != "unsatisfied").mean() == pytest.approx(0.945, abs=0.015)


def test_times_are_in_order_and_never_in_the_future(year: pd.DataFrame) -> None:
    names = ["reported_at", "dispatched_at", "signed_at", "handled_at", "closed_at"]
    for before, after in pairwise(names):
        both = year[year[after].notna()]
        assert (both[after] >= both[before]).all()
    assert all((year[name].dropna() <= pd.Timestamp(UNTIL)).all() for name in names)
    ended = year["status"].isin(["closed", "cancelled"])
    assert (ended == year["closed_at"].notna()).all()
    assert (year["due_at"].notna() == year["dispatched_at"].notna()).all()
    assert not year.duplicated(["channel", "source_id"]).any()


def test_due_times_agree_with_the_product_s_own_clock(year: pd.DataFrame) -> None:
    profile = profiles.load("horinger")
    worktime = worktime_of(profile)
    for row in year[year["due_at"].notna()].sample(150, random_state=1).itertuples():
        limit = profile.limit("handle", category=row.category, channel=row.channel)
        expected = due_of(limit, row.dispatched_at.to_pydatetime(), worktime)
        assert abs((row.due_at - expected).total_seconds()) < 2


def test_points_lie_in_the_grid_that_the_ticket_is_about(
    model: TicketModel, ground: files.GroundFiles
) -> None:
    shapes = ground.levels["grid"]["geometry"].to_numpy()
    inside = shapely.contains_xy(
        shapes[ground.houses["grid"].to_numpy()], ground.houses["lon"], ground.houses["lat"]
    )
    assert inside.mean() > 0.999
    day = day_of_tickets(model, date(2026, 6, 10))
    placed = day[day["lon"].notna() & (day["lon"] != model.recipe.city_hall[0])]
    inside = shapely.contains_xy(shapes[placed["grid"].to_numpy()], placed["lon"], placed["lat"])
    assert inside.mean() > 0.97  # a hot place may lie across a border
    whole = shapely.union_all(shapes)
    assert shapely.contains_xy(whole, placed["lon"], placed["lat"]).all()


def test_some_tickets_share_the_default_point_and_some_have_none(year: pd.DataFrame) -> None:
    hall = recipe_of(profiles.load("horinger")).city_hall
    at_hall = (year["lon"] == hall[0]) & (year["lat"] == hall[1])
    assert 0.01 < at_hall.mean() < 0.06
    assert 0.005 < year["lon"].isna().mean() < 0.03
    assert not at_hall[year["channel"] == "grid"].any()


def test_tickets_pile_up_in_some_places(year: pd.DataFrame, model: TicketModel) -> None:
    """The busiest tenth of 200 m cells holds far more than its share, and hot places come back month by month."""
    placed = year[year["lon"].notna() & (year["lon"] != model.recipe.city_hall[0])]
    cells = (placed["lon"] // 0.002).astype(int).astype(str) + (placed["lat"] // 0.002).astype(int).astype(
        str
    )
    counts = cells.value_counts().to_numpy()
    assert counts[: len(counts) // 10].sum() / counts.sum() > 0.3
    hottest = int(np.argmax(model.hot.per_day))
    near = np.hypot(
        (placed["lon"] - model.hot.lon[hottest]) * 85_000, (placed["lat"] - model.hot.lat[hottest]) * 110_574
    )
    assert (near < 150).sum() > 10


def test_every_kind_of_every_profile_has_a_behaviour() -> None:
    for name in profiles.built_in():
        profile = profiles.load(name)
        table = matters_of(profile, recipe_of(profile))
        assert {k.matter for k in table.kinds} <= set(behaviours())
        departments = {d.code for d in profile.departments}
        assert all(k.department in departments for k in table.kinds)
        assert len({k.code for k in table.kinds}) == len(table.kinds)


def test_liaoyang_has_225_kinds_of_matters() -> None:
    assert sum(len(c.kinds) for c in profiles.load("liaoyang").categories) == 225


def test_patrols_of_a_day_keep_to_shifts_and_to_the_clock(ground: files.GroundFiles) -> None:
    days = [UNTIL.date() - timedelta(days=n) for n in (2, 1, 0)]
    made = patrols(ground.workers, 150123, days, UNTIL, ZONE)
    assert not made.duplicated(["area", "day", "worker"]).any()
    assert (made["last_at"] >= made["first_at"]).all() and (made["last_at"] <= pd.Timestamp(UNTIL)).all()
    walked = made.groupby("day")["area"].nunique()
    assert 0.6 * 129 < walked.iloc[0] <= 129
    again = patrols(ground.workers, 150123, days[1:], UNTIL, ZONE)
    pd.testing.assert_frame_equal(made[made["day"] != days[0]].reset_index(drop=True), again)


def test_deadlines_of_whole_columns() -> None:
    profile = profiles.load("zoucheng")  # 08:30–12:00, 13:30–17:30
    friday_4pm = clocks.hour_of(date(2026, 11, 20)) + 16
    limits = [
        [Amount(amount=amount, unit=unit)]
        for amount, unit in (
            (2.0, "working_hours"),
            (1.0, "working_days"),
            (12.0, "natural_hours"),
            (2.0, "natural_days"),
        )
    ]
    due = clocks.due(np.full(4, friday_4pm), limits, np.arange(4), worktime_of(profile))
    assert (due - clocks.hour_of(date(2026, 11, 20))).tolist() == pytest.approx(
        [3 * 24 + 9, 3 * 24 + 17.5, 28, 64]
    )
    assert datetime(2026, 11, 20, tzinfo=UTC).weekday() == 4
