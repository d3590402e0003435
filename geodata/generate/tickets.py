"""Tickets of a generated place, a day at a time: the whole life of each, from the seed and the date alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geodata.clock.worktime import Worktime, worktime_of
from geodata.generate import clocks
from geodata.generate.ground import Floats, Ints
from geodata.generate.haunts import HOUSES, Haunts, haunts
from geodata.generate.matters import Matters, days_between, matters_of
from geodata.generate.recipe import Recipe
from profiles import Profile
from profiles.clock import Amount

_DESK = {"grid": 0.0, "utility": 0.0, "video": 0.0}  # channels that are dispatched at once
_RATED = {"12345": 0.92, "petition": 0.85, "mediation": 0.7, "opinion": 0.5, "app": 0.75, "wechat": 0.6}
_NO_PLACE = {"12345": 0.035, "opinion": 0.09, "petition": 0.06, "wechat": 0.05}
_DEFAULT_POINT = {"12345": 0.075, "opinion": 0.16, "petition": 0.10, "wechat": 0.08}
SCHEMA = pa.schema(
    [
        ("source_id", pa.string()), ("reported_at", pa.timestamp("us", "UTC")), ("channel", pa.string()),
        ("category", pa.string()), ("department", pa.string()), ("title", pa.string()), ("description", pa.string()),
        ("address", pa.string()), ("lon", pa.float64()), ("lat", pa.float64()), ("status", pa.string()),
        ("dispatched_at", pa.timestamp("us", "UTC")), ("signed_at", pa.timestamp("us", "UTC")),
        ("handled_at", pa.timestamp("us", "UTC")), ("closed_at", pa.timestamp("us", "UTC")),
        ("due_at", pa.timestamp("us", "UTC")), ("satisfaction", pa.string()), ("worker", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class TicketModel:
    """All that does not change from day to day."""

    profile: Profile
    recipe: Recipe
    seed: int
    zone: ZoneInfo
    matters: Matters
    hot: Haunts
    lon: Floats  # (grids × HOUSES)
    lat: Floats
    pick_grid: Floats  # (k, g) cumulative; row k runs from k to k + 1
    pick_house: Floats  # (HOUSES,) cumulative: some houses report often
    late: Floats  # (g,) odds of being late in each grid
    grid_worker: NDArray[np.object_]  # (g, n) codes, None where a grid has fewer
    trade_worker: dict[str, list[str]]
    address: pa.Array  # (grids × HOUSES)
    community: pa.Array  # (g,) name of the community
    words: pa.Array  # all words of all kinds
    first_word: Ints  # (k + 1,)
    department_late: Floats  # (k,)
    channel_codes: pa.Array
    kind_codes: pa.Array
    departments: pa.Array  # (k,)
    worktime: Worktime
    limits: list[tuple[Amount, ...]]  # (k × channels)


def model_of(
    profile: Profile,
    recipe: Recipe,
    levels: dict[str, pd.DataFrame],
    houses: pd.DataFrame,
    workers: pd.DataFrame,
    seed: int,
) -> TicketModel:
    """The model of a drawn place; `houses` as geodata.generate.haunts.houses makes them."""
    rng = np.random.default_rng([seed, 12])
    grid, community, town = levels["grid"], levels["community"], levels["town"]
    matters = matters_of(profile, recipe)
    rural = (grid["kind"] == "rural").to_numpy()
    people = grid["population"].to_numpy(dtype=float) * rng.lognormal(-0.08, 0.4, len(grid))
    community_row = (
        grid["parent"].map({c: i for i, c in enumerate(community["code"])}).to_numpy(dtype=np.int64)
    )
    people *= rng.lognormal(-0.03, 0.25, len(community))[community_row]
    own = rng.lognormal(-0.12, 0.5, (len(matters.kinds), len(grid)))
    weight = own * people * np.where(rural, matters.rural[:, None], matters.urban[:, None])
    run = np.cumsum(weight, axis=1)
    pick_grid = run / run[:, -1:] + np.arange(len(run))[:, None]
    house_weight = 1 / np.arange(2, HOUSES + 2) ** 0.9
    town_code = community["parent"].to_numpy()[community_row]
    worse = pd.Series(town_code).map(recipe.worse_towns).fillna(1.0).to_numpy(dtype=float)
    department_late = np.array([recipe.worse_departments.get(k.department or "", 1.0) for k in matters.kinds])
    counts = [len(w) for w in matters.words]
    department = {d.code for d in profile.departments}
    return TicketModel(
        profile=profile,
        recipe=recipe,
        seed=seed,
        zone=ZoneInfo(profile.time_zone),
        matters=matters,
        hot=haunts(grid, community, houses, matters, recipe.tickets_per_day, seed),
        lon=houses["lon"].to_numpy(),
        lat=houses["lat"].to_numpy(),
        pick_grid=pick_grid,
        pick_house=np.cumsum(house_weight) / house_weight.sum(),
        late=worse * rng.lognormal(0, 0.25, len(grid)),
        grid_worker=_by_grid(grid, workers),
        trade_worker={
            str(t): f["code"].tolist() for t, f in workers[workers["skills"] != ""].groupby("skills")
        },
        address=_addresses(grid, community, town, community_row),
        community=pa.array(community["name"].to_numpy()[community_row].tolist()),
        words=pa.array([w for words in matters.words for w in words]),
        first_word=np.r_[0, np.cumsum(counts)].astype(np.int64),
        department_late=department_late,
        channel_codes=pa.array([c.code for c in profile.channels]),
        kind_codes=pa.array([k.code for k in matters.kinds]),
        departments=pa.array(
            [k.department if k.department in department else None for k in matters.kinds], pa.string()
        ),
        worktime=worktime_of(profile),
        limits=[
            profile.limit("handle", category=k.code, channel=c.code)
            for k in matters.kinds
            for c in profile.channels
        ],
    )


def _by_grid(grid: pd.DataFrame, workers: pd.DataFrame) -> NDArray[np.object_]:
    own = workers[workers["kind"] != "professional"].groupby("area")["code"].apply(list)
    lists = [own.get(code, []) for code in grid["code"]]
    table = np.full((len(grid), max(map(len, lists))), None, dtype=object)
    for row, codes in enumerate(lists):
        table[row, : len(codes)] = codes
    return table


def _addresses(
    grid: pd.DataFrame, community: pd.DataFrame, town: pd.DataFrame, community_row: Ints
) -> pa.Array:
    towns = dict(zip(town["code"], town["name"], strict=True))
    place = np.array(
        [f"{towns[p]}{n}" for n, p in zip(community["name"], community["parent"], strict=True)], dtype=object
    )
    rural = (grid["kind"] == "rural").to_numpy()
    serial = np.array([int(c[-3:]) for c in grid["code"]])
    return pa.array(
        [
            f"{place[c]}{s * 40 + h + 1}号" if r else f"{place[c]}{s * 12 + h // 4 + 1}号楼{h % 4 + 1}单元"
            for c, r, s in zip(community_row.tolist(), rural.tolist(), serial.tolist(), strict=True)
            for h in range(HOUSES)
        ]
    )


def day_of_tickets(model: TicketModel, day: date) -> pd.DataFrame:
    """All tickets reported on a local day, with their whole life; times in hours (geodata.generate.clocks).

    Columns: kind, grid, house, channel, lon, lat (NaN: no place), reported, dispatched, signed, handled, closed, due,
    rated (0 satisfied … 3 unrated), cancelled, word, n (serial of the day).
    """
    rng = np.random.default_rng([model.seed, 40, day.toordinal()])
    matters = model.matters
    kind, hot = _what(model, day, rng)
    count = len(kind)
    hour = (rng.random(count)[:, None] > matters.hours[kind]).sum(axis=1)
    reported = clocks.hour_of(day) + hour + rng.random(count)
    order = np.argsort(reported, kind="stable")
    kind, hot, reported = kind[order], hot[order], reported[order]
    channel = (rng.random(count)[:, None] > matters.channels[kind]).sum(axis=1)
    grid, house, lon, lat = _where(model, kind, hot, channel, rng)
    frame = pd.DataFrame(
        {"kind": kind, "grid": grid, "house": house, "channel": channel, "lon": lon, "lat": lat}
    )
    frame["reported"] = reported
    for name, values in _life(model, frame, rng).items():
        frame[name] = values
    words = np.diff(model.first_word)
    frame["word"] = model.first_word[kind] + np.floor(rng.random(count) ** 1.4 * words[kind]).astype(np.int64)
    frame["n"] = np.arange(1, count + 1)
    return frame


def _what(model: TicketModel, day: date, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Kind of each ticket and the hot place that it comes from (-1: none)."""
    rate = model.matters.rate(day, model.seed)
    counts = rng.poisson(rate * 0.975)
    kind = np.repeat(np.arange(len(counts)), counts)
    hot = np.full(len(kind), -1)
    active = np.flatnonzero(model.hot.active(day))
    usual = model.matters.per_day
    kinds, sources = [kind], [hot]
    for place in active:
        own = model.hot.kinds[place]
        lively = rate[own].sum() / usual[own].sum()
        extra = rng.poisson(model.hot.per_day[place] * min(lively, 2.5))
        if extra:
            share = rate[own] / rate[own].sum()
            kinds.append(rng.choice(own, extra, p=share))
            sources.append(np.full(extra, place))
    return np.concatenate(kinds).astype(np.int64), np.concatenate(sources).astype(np.int64)


def _where(
    model: TicketModel, kind: Ints, hot: Ints, channel: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, Floats, Floats]:
    count, grids = len(kind), model.pick_grid.shape[1]
    grid = np.searchsorted(model.pick_grid.ravel(), kind + rng.random(count)) - kind * grids
    grid = np.clip(grid, 0, grids - 1)
    house = np.minimum(np.searchsorted(model.pick_house, rng.random(count)), HOUSES - 1)
    lon, lat = model.lon[grid * HOUSES + house], model.lat[grid * HOUSES + house]
    reach = np.full(count, 3.5)  # metres
    at_hot = hot >= 0
    grid = np.where(at_hot, model.hot.grid[hot], grid)
    lon, lat = np.where(at_hot, model.hot.lon[hot], lon), np.where(at_hot, model.hot.lat[hot], lat)
    reach = np.where(at_hot, model.hot.reach_m[hot] / 2, reach)
    lat_m = 110_574.0
    lon_m = 111_320 * np.cos(np.radians(model.lat.mean()))
    dx, dy = np.clip(rng.standard_normal((2, count)), -2, 2)
    lon, lat = lon + dx * reach / lon_m, lat + dy * reach / lat_m
    codes = [c.code for c in model.profile.channels]
    luck = rng.random(count)
    none = luck < np.array([_NO_PLACE.get(c, 0.0) for c in codes])[channel]
    default = ~none & (luck > 1 - np.array([_DEFAULT_POINT.get(c, 0.0) for c in codes])[channel])
    hall = model.recipe.city_hall
    lon, lat = np.where(default, hall[0], lon.round(6)), np.where(default, hall[1], lat.round(6))
    return grid, house, np.where(none, np.nan, lon), np.where(none, np.nan, lat)


def _life(
    model: TicketModel, t: pd.DataFrame, rng: np.random.Generator
) -> dict[str, Floats | Ints | NDArray[np.bool_]]:
    """Dispatch, sign-for, answer and close of each ticket, and its deadline."""
    matters, count = model.matters, len(t)
    kind, grid = t["kind"].to_numpy(), t["grid"].to_numpy()
    codes = [c.code for c in model.profile.channels]
    desk = np.array([_DESK.get(c, 1.0) for c in codes])[t["channel"].to_numpy()]
    reported = t["reported"].to_numpy()
    wait = np.where(
        desk > 0, rng.lognormal(np.log(0.35), 0.7, count), rng.lognormal(np.log(0.06), 0.8, count)
    )
    dispatched = clocks.ACTIVITY.when(clocks.ACTIVITY.read(reported) + wait)
    due = clocks.due(dispatched, model.limits, kind * len(codes) + t["channel"].to_numpy(), model.worktime)
    start, end = clocks.ACTIVITY.read(dispatched), clocks.ACTIVITY.read(due)
    span = np.maximum(end - start, 0.5)
    odds = model.recipe.late_rate * matters.late[kind] * model.department_late[kind] * model.late[grid]
    odds *= np.where(desk > 0, 1.15, 0.9)
    late = rng.random(count) < np.minimum(odds, 0.6)
    # a report by the grid's own worker is mostly settled on the spot
    quick = (desk == 0) & (rng.random(count) < 0.45)
    pace = np.where(desk > 0, 0.98, 0.72) * matters.pace[kind]
    part = np.where(quick, rng.beta(1.2, 12, count), rng.beta(4 * pace, 4 * (1 - np.minimum(pace, 0.9))))
    over = rng.exponential(1.1 + 0.12 * np.minimum(span, 60), count) + 0.1
    in_time = clocks.ACTIVITY.when(start + np.clip(part, 0.004, 0.985) * span)
    too_late = clocks.WEEKDAYS.when(clocks.WEEKDAYS.read(due) + over)  # what is late waits over the weekend
    closed = np.where(
        late, np.maximum(too_late, due + 0.05), np.minimum(np.maximum(in_time, dispatched + 0.05), due)
    )
    life = closed - dispatched
    signed = dispatched + np.minimum(rng.lognormal(np.log(0.4), 0.9, count), 0.35 * life)
    handled = signed + (closed - signed) * rng.uniform(0.72, 0.97, count)
    cancelled = rng.random(count) < 0.008
    rated = np.array([_RATED.get(c, 0.3) for c in codes])[t["channel"].to_numpy()] > rng.random(count)
    unhappy = 0.042 * np.where(late, 3.2, 1) * np.sqrt(model.late[grid] * matters.late[kind])
    mood = rng.random(count)
    satisfaction = np.where(mood < unhappy, 2, np.where(mood < unhappy + 0.2, 1, 0))
    return {
        "dispatched": dispatched,
        "signed": signed,
        "handled": handled,
        "closed": closed,
        "due": due,
        "rated": np.where(rated, satisfaction, 3),
        "cancelled": cancelled,
    }


def as_of(
    model: TicketModel, days: Sequence[date], until: datetime, since: datetime | None = None
) -> Iterator[pa.Table]:
    """The tickets of each day as they stand at `until`, in the shape of the import; later reports are left out.

    With `since`, reports before it are left out too.
    """
    stop = _hours(until, model.zone)
    start = _hours(since, model.zone) if since else -np.inf
    for day in days:
        frame = day_of_tickets(model, day)
        frame = frame[(frame["reported"] <= stop) & (frame["reported"] > start)]
        yield _table(model, frame.reset_index(drop=True), day, stop)


def _hours(at: datetime, zone: ZoneInfo) -> float:
    local = at.astimezone(zone).replace(tzinfo=None)
    return (local - datetime.combine(clocks.MONDAY, datetime.min.time())) / timedelta(hours=1)


def _table(model: TicketModel, t: pd.DataFrame, day: date, stop: float) -> pa.Table:
    count = len(t)
    seen = {name: t[name].to_numpy() <= stop for name in ("dispatched", "signed", "handled", "closed")}
    in_progress = t["signed"].to_numpy() + 0.2 * (t["handled"].to_numpy() - t["signed"].to_numpy()) <= stop
    status = np.select(
        [
            seen["closed"] & t["cancelled"].to_numpy(),
            seen["closed"],
            seen["handled"],
            in_progress,
            seen["signed"],
            seen["dispatched"],
        ],
        ["cancelled", "closed", "handled", "in_progress", "signed", "dispatched"],
        "accepted",
    )
    offset = model.zone.utcoffset(datetime(day.year, day.month, day.day, 12)) or timedelta()
    base = np.datetime64(clocks.MONDAY, "us") - np.timedelta64(offset)

    def moments(name: str) -> pa.Array:
        micro = np.round(t[name].to_numpy() * 3600).astype("int64") * 1_000_000
        at = base + micro.astype("timedelta64[us]")
        hidden = ~seen[name] if name in seen else ~seen["dispatched"] if name == "due" else None
        return pa.array(at, pa.timestamp("us"), mask=hidden).cast(pa.timestamp("us", "UTC"))

    kind, grid = pa.array(t["kind"].to_numpy()), pa.array(t["grid"].to_numpy())
    address = model.address.take(pa.array(t["grid"].to_numpy() * HOUSES + t["house"].to_numpy()))
    words = model.words.take(pa.array(t["word"].to_numpy()))
    title = pc.binary_join_element_wise(model.community.take(grid), words, "")
    by_desk = np.array([c.code not in _DESK for c in model.profile.channels])[t["channel"].to_numpy()]
    text = pc.binary_join_element_wise(address, "：", words, "，请核实处理。", "")
    rated = np.where(seen["closed"] & ~t["cancelled"].to_numpy(), t["rated"].to_numpy(), -1)
    codes = pa.array(["satisfied", "fairly", "unsatisfied", "unrated"])
    serial = pc.binary_join_element_wise(
        pa.scalar(day.strftime("%Y%m%d")),
        pc.utf8_lpad(pa.array(t["n"].to_numpy()).cast(pa.string()), 5, "0"),
        "-",
    )
    return pa.table(
        {
            "source_id": serial,
            "reported_at": moments("reported"),
            "channel": model.channel_codes.take(pa.array(t["channel"].to_numpy())),
            "category": model.kind_codes.take(kind),
            "department": model.departments.take(kind),
            "title": title,
            "description": pc.if_else(pa.array(by_desk), text, pa.scalar(None, pa.string())),
            "address": address,
            "lon": pa.array(t["lon"].to_numpy(), from_pandas=True),
            "lat": pa.array(t["lat"].to_numpy(), from_pandas=True),
            "status": pa.array(status.tolist() if count else [], pa.string()),
            "dispatched_at": moments("dispatched"),
            "signed_at": moments("signed"),
            "handled_at": moments("handled"),
            "closed_at": moments("closed"),
            "due_at": moments("due"),
            "satisfaction": codes.take(pa.array(rated, mask=rated < 0)),
            "worker": _workers(model, t, seen["dispatched"]),
        },
        schema=SCHEMA,
    )


def _workers(model: TicketModel, t: pd.DataFrame, dispatched: NDArray[np.bool_]) -> pa.Array:
    """The grid's worker; for a matter that needs a trade, mostly one of that trade."""
    grid, n = t["grid"].to_numpy(), t["n"].to_numpy()
    table = model.grid_worker
    worker = table[grid, n % table.shape[1]]
    worker = np.where(worker == None, table[grid, 0], worker)  # noqa: E711
    for k, trade in enumerate(model.matters.trade):
        pool = model.trade_worker.get(trade)
        if not trade or not pool:
            continue
        here = (t["kind"].to_numpy() == k) & (n % 3 > 0)
        worker[here] = np.array(pool, dtype=object)[(grid[here] + n[here]) % len(pool)]
    worker[~dispatched] = None
    return pa.array(worker.tolist(), pa.string())


def write(
    model: TicketModel,
    folder: Path,
    first: date,
    until: datetime,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Path]:
    """tickets-YYYYMM.parquet for all days from `first` to `until`, by local month of the report."""
    days = days_between(first, until.astimezone(model.zone).date())
    months: dict[str, list[date]] = {}
    for day in days:
        months.setdefault(day.strftime("%Y%m"), []).append(day)
    files, done = [], 0
    for month, members in months.items():
        path = folder / f"tickets-{month}.parquet"
        tables = list(as_of(model, members, until))
        pq.write_table(pa.concat_tables(tables), path, compression="zstd", compression_level=1)
        files.append(path)
        done += len(members)
        progress(done / len(days))
    return files
