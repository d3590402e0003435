"""Video stations of a generated place, with ids as in GB/T 28181."""

from itertools import cycle

import numpy as np
import pandas as pd

from geodata.generate.people import _places
from geodata.generate.recipe import Recipe
from profiles import Profile

# kind of site → level of the areas it stands in, whether towns' middles only, and what it is called
_SITES: dict[str, tuple[str, tuple[str, ...]]] = {
    "hall": ("town", ("{}便民服务中心大厅", "{}党群服务中心")),
    "clinic": ("town", ("{}卫生院门口", "{}医院门诊")),
    "station": ("town", ("{}客运站",)),
    "factory": ("town", ("{}企业集中区入口", "{}产业园东门")),
    "crossing": ("urban", ("{}东路口", "{}南路口", "{}西路口", "{}北路口")),
    "school": ("urban", ("{}小学门口", "{}中学门口", "{}幼儿园门口")),
    "market": ("urban", ("{}集贸市场", "{}早市入口")),
    "square": ("urban", ("{}文化广场", "{}公园南门")),
    "estate": ("urban", ("{}小区大门",)),
    "reservoir": ("rural", ("{}塘坝", "{}河道断面")),
    "forest": ("rural", ("{}林区瞭望点",)),
}
_UNREACHABLE = 3


def station_id(area: str, part: int, serial: int) -> str:
    """20 digits: 6 + 2 area, 2 industry (00), 3 type (132 camera), 1 network, 6 serial; GB/T 28181 annex D."""
    return f"{area[:6]}{part % 100:02d}00132{0}{serial:06d}"


def stations(
    profile: Profile,
    recipe: Recipe,
    levels: dict[str, pd.DataFrame],
    spots: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """id, name, site_kind, lon, lat, stream_url; a few stream, some answer nothing, most are not connected."""
    if sum(recipe.video.sites.values()) != recipe.video.stations:
        raise ValueError("the sites do not add up to the stations")
    community, town = levels["community"], levels["town"]
    kinds = levels["grid"].drop_duplicates("parent").set_index("parent")["kind"]
    urban = community[(community["code"].map(kinds) != "rural").to_numpy()]
    rural = community[(community["code"].map(kinds) == "rural").to_numpy()]
    choices = {"town": town, "urban": urban, "rural": rural if len(rural) else urban}
    part = {code: n for n, code in enumerate(town["code"], 1)}
    rows = []
    for site, count in recipe.video.sites.items():
        where, patterns = _SITES[site]
        frame = choices[where]
        order = np.arange(len(frame)) if where == "town" else rng.permutation(len(frame))
        for n in range(count):
            area = frame.iloc[order[n % len(order)]]
            round_ = n // len(order)
            again = round_ // len(patterns)
            name = patterns[round_ % len(patterns)].format(area["name"]) + (f"{again + 1}号" if again else "")
            rows.append((area["code"], name, site))
    lon, lat = _places([r[0] for r in rows], levels, spots, rng)
    parents = dict(zip(community["code"], community["parent"], strict=True))
    ids = [
        station_id(profile.root_code if len(a) < 6 else a, part[a if a in part else parents[a]], n)
        for n, (a, _, _) in enumerate(rows, 1)
    ]
    frame = pd.DataFrame(
        {"id": ids, "name": [r[1] for r in rows], "site_kind": [r[2] for r in rows], "lon": lon, "lat": lat}
    )
    frame["stream_url"] = _streams(frame, recipe.video.streaming)
    return frame


def _streams(frame: pd.DataFrame, streaming: int) -> list[str | None]:
    """Streams for the first stations of each kind in turn; a few addresses that never answer."""
    by_kind = [list(group.index) for _, group in frame.groupby("site_kind", sort=False)]
    order: list[int] = []
    for group in cycle(by_kind):
        if group:
            order.append(group.pop(0))
        if not any(by_kind):
            break
    urls: list[str | None] = [None] * len(frame)
    for i in order[:streaming]:
        urls[i] = f"/demo-camera/{frame['id'][i]}/live.m3u8"
    for i in order[streaming : streaming + _UNREACHABLE]:
        urls[i] = f"https://video.example.invalid/live/{frame['id'][i]}.m3u8"
    return urls
