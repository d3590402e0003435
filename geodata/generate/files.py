"""Writes a generated place as the files that the import takes; the same seed and moment give the same bytes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import profiles
from geodata.generate import people, tickets, video
from geodata.generate.areas import draw
from geodata.generate.haunts import houses
from geodata.generate.matters import days_between
from geodata.generate.patrols import patrols
from geodata.generate.plan import plan_of
from geodata.generate.recipe import recipe_of
from geodata.generate.roster import ROSTER_DAYS, roster
from profiles import LEVELS, Level, Profile

Progress = Callable[[str, float], None]
HISTORY_DAYS = 365
PATROL_DAYS = 30
_DONE = "complete.json"


def _silent(step: str, share: float) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Files:
    """What was written, in the order in which it is imported."""

    folder: Path
    areas: dict[Level, Path]
    org: Path
    workers: Path
    posts: Path
    roster: Path
    care: Path
    stations: Path
    patrols: Path
    tickets: list[Path]


def folder_of(profile: Profile, data: Path, seed: int) -> Path:
    """Where a place's generated files belong: a folder that changes with the profile, the generator and the seed."""
    digest = hashlib.sha256(profile.model_dump_json().encode())
    for path in [*sorted(Path(__file__).parent.glob("*.py")), *sorted((profiles.FOLDER / "data").iterdir())]:
        digest.update(path.read_bytes())
    return data / "generated" / f"{profile.key}-{seed}-{digest.hexdigest()[:10]}"


def generate_place(
    profile: Profile, folder: Path, seed: int, until: datetime, progress: Progress = _silent
) -> Files:
    """Write all files of a place into `folder`: areas, people, stations, and a year of tickets up to `until` (aware).

    The unchanging part is kept when the folder holds it already. `progress` hears a step's name and shares of 1.
    """
    generate_ground(profile, folder, seed, progress)
    ground = read_ground(profile, folder)
    zone = ZoneInfo(profile.time_zone)
    today = until.astimezone(zone).date()
    write_care(profile, ground, folder, seed, today)
    span = days_between(today - timedelta(days=ROSTER_DAYS), today + timedelta(days=ROSTER_DAYS))
    turns(profile, ground, folder, seed, span).to_csv(folder / "roster.csv", index=False)
    for old in folder.glob("tickets-*.parquet"):
        old.unlink()
    model = model_from(profile, ground, seed)
    months = tickets.write(
        model, folder, today - timedelta(days=HISTORY_DAYS), until, lambda share: progress("tickets", share)
    )
    days = days_between(today - timedelta(days=PATROL_DAYS - 1), today)
    write_patrols(patrols(ground.workers, seed, days, until, zone), folder / "patrols.parquet")
    progress("patrols", 1.0)
    return Files(
        folder=folder,
        areas={level: folder / f"areas-{level}.fgb" for level in LEVELS if level in profile.levels},
        tickets=months,
        **{
            name: folder / f"{name}.csv" for name in ("org", "workers", "posts", "roster", "care", "stations")
        },
        patrols=folder / "patrols.parquet",
    )


def generate_ground(profile: Profile, folder: Path, seed: int, progress: Progress = _silent) -> None:
    """Write the unchanging part (areas, houses, people, stations) unless the folder holds it already."""
    if (folder / _DONE).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    _write_ground(profile, folder, seed, progress)


def write_care(profile: Profile, ground: "GroundFiles", folder: Path, seed: int, today: date) -> None:
    """People owed care, with visits around that day, in the shape of the import."""
    rng = np.random.default_rng([seed, 6])
    people.care(profile, recipe_of(profile), ground.levels, ground.houses, today, rng).to_csv(
        folder / "care.csv", index=False
    )


def write_patrols(frame: pd.DataFrame, path: Path) -> None:
    """Patrols in the shape of the import."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def turns(profile: Profile, ground: "GroundFiles", folder: Path, seed: int, days: list[date]) -> pd.DataFrame:
    """Turns of duty of those days in the shape of the import; the folder holds the post holders."""
    posts = pd.read_csv(folder / "posts.csv", dtype=str, keep_default_na=False)
    return roster(profile, ground.levels, posts, seed, days)


@dataclass(frozen=True)
class GroundFiles:
    """The unchanging part, read back."""

    levels: dict[str, pd.DataFrame]
    houses: pd.DataFrame
    workers: pd.DataFrame


def read_ground(profile: Profile, folder: Path) -> GroundFiles:
    """Areas, houses and workers of a generated folder."""
    levels = {}
    for level in ("grid", "community", "town"):
        path = folder / f"areas-{level}.fgb"
        frame = gpd.read_file(path)
        levels[level] = pd.DataFrame(frame).sort_values("code", ignore_index=True)
    workers = pd.read_csv(folder / "workers.csv", dtype=str, keep_default_na=False)
    workers["shift_days"] = workers["shift_days"].astype(int)
    return GroundFiles(levels, pd.read_parquet(folder / "houses.parquet"), workers)


def model_from(profile: Profile, ground: GroundFiles, seed: int) -> tickets.TicketModel:
    """The ticket model of a generated folder."""
    return tickets.model_of(profile, recipe_of(profile), ground.levels, ground.houses, ground.workers, seed)


def _write_ground(profile: Profile, folder: Path, seed: int, progress: Progress) -> None:
    plan = plan_of(profile, seed)
    drawn = draw(plan, seed, lambda share: progress("areas", share))
    for level, frame in drawn.levels.items():
        gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4326").to_file(
            folder / f"areas-{level}.fgb", driver="FlatGeobuf", SPATIAL_INDEX="NO", engine="pyogrio"
        )
    recipe, levels = plan.recipe, drawn.levels
    places = houses(levels["grid"], drawn.spots, seed)
    places.to_parquet(folder / "houses.parquet", index=False)
    rng = np.random.default_rng([seed, 5])
    staff = people.workers(profile, recipe, levels["grid"], levels["town"], rng)
    staff.to_csv(folder / "workers.csv", index=False)
    people.party(recipe, levels).to_csv(folder / "org.csv", index=False)
    people.posts(profile, recipe, levels, places, rng).to_csv(folder / "posts.csv", index=False)
    video.stations(profile, recipe, levels, places, rng).to_csv(folder / "stations.csv", index=False)
    progress("people", 1.0)
    counts = {level: len(frame) for level, frame in levels.items()}
    note = folder / f"{_DONE}.part"
    note.write_text(json.dumps({"place": profile.key, "seed": seed, "areas": counts}), encoding="utf-8")
    note.rename(folder / _DONE)
