"""Makes a place ready to be shown: loads it if it is not there, else brings its generated history up to the present."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from geodata.queries import places as q
from profiles import LEVELS, Level, Profile
from settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress

    from geodata.generate.files import Files
    from geodata.servers import Stores

FRESH = timedelta(minutes=10)  # a history that ends so lately is not topped up


class NotGenerated(ValueError):
    """This profile has no recipe for generated data: import its own."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a place has: areas by level and tickets, from its database (None: not loaded)."""

    profile: Profile
    areas: dict[Level, int] | None
    tickets: int | None
    generated: bool | None


@dataclass(frozen=True, slots=True)
class Planned:
    """What is generated for a place: areas above the grids, grids by kind, workers, tickets."""

    areas: dict[Level, int]
    grids: dict[str, int]
    workers: int
    tickets_per_day: float


def prepare(settings: Settings, stores: Stores, profile: Profile, progress: Progress | None = None) -> None:
    """Load the place into its migrated database if it is empty; else make what happened since the last time.

    Imported (not generated) data are left alone. The first load is one transaction: interrupted, it leaves nothing.
    """
    with psycopg.connect(stores.database_url) as conn:
        conn.execute(
            "SELECT pg_advisory_xact_lock(hashtext('wangge prepare'))"
        )  # two starters: the second finds it done
        held = q.held(conn)
        moment = datetime.now(UTC).replace(microsecond=0)
        if held is None:
            load(conn, settings, profile, moment, Shown(progress))
        elif held.generated and held.until and moment - held.until > FRESH:
            _catch_up(conn, settings, profile, held, moment, Shown(progress))
        else:
            return
    with psycopg.connect(stores.database_url, autocommit=True) as conn:
        q.refresh_statistics(conn)


def load(
    conn: psycopg.Connection[Any], settings: Settings, profile: Profile, until: datetime, shown: Shown
) -> None:
    """Generate a place up to a moment and load it, in the caller's transaction. Raises NotGenerated."""
    from geodata.generate.files import folder_of, generate_place
    from geodata.generate.load import load_place
    from services.care.sealing import Seals

    seed = _seed(profile)
    made = generate_place(profile, folder_of(profile, settings.data, seed), seed, until, shown.generate)
    load_place(conn, profile, made, seed, until, shown.load, Seals.of(settings))


def generate_files(
    settings: Settings,
    profile: Profile,
    until: datetime,
    *,
    progress: Progress | None = None,
    folder: Path | None = None,
    seed: int | None = None,
) -> Files:
    """Write a place's generated files below the data folder, or into `folder`. Raises NotGenerated."""
    from geodata.generate.files import folder_of, generate_place

    seed = _seed(profile) if seed is None else seed
    folder = folder or folder_of(profile, settings.data, seed)
    return generate_place(profile, folder, seed, until, Shown(progress).generate)


def planned(profile: Profile) -> Planned | None:
    """What a profile plans to generate; None for a place of one's own."""
    from geodata.generate.plan import plan_of

    if not profile.generate:
        return None
    plan = plan_of(profile, _seed(profile))
    committees = [c for t in plan.towns for c in t.committees]
    areas: dict[Level, int] = {
        "city": 1,
        "county": len(plan.recipe.outlines),
        "town": len(plan.towns),
        "community": len(committees),
    }
    kinds = {
        kind: sum(c.grids for c in committees if c.kind == kind) for kind in ("urban", "rural", "special")
    }
    people = plan.recipe.people
    return Planned(
        areas={level: n for level, n in areas.items() if level in profile.levels},
        grids=kinds,
        workers=people.workers + people.professional,
        tickets_per_day=plan.recipe.tickets_per_day,
    )


def _catch_up(
    conn: psycopg.Connection[Any],
    settings: Settings,
    profile: Profile,
    held: q.Held,
    until: datetime,
    shown: Shown,
) -> None:
    from geodata.generate.files import folder_of, generate_ground
    from geodata.generate.load import top_up
    from services.care.sealing import Seals

    folder = folder_of(profile, settings.data, _seed(profile))
    generate_ground(profile, folder, _seed(profile), shown.generate)
    since = max(moment for moment in (held.until, held.last_report) if moment)
    top_up(
        conn, profile, folder, _seed(profile), min(since, until), until, shown.load,
        Seals.of(settings),
    )  # fmt: skip


def _seed(profile: Profile) -> int:
    seed = profile.generate.get("seed")
    if not isinstance(seed, int):
        raise NotGenerated(
            f"{profile.name} has no generated data: import areas and tickets with ./wangge import"
        )
    return seed


def holding(profile: Profile, database_url: str | None) -> Holding:
    """What the place's database holds; without one (or without the place in it) only the profile."""
    nothing = Holding(profile, None, None, None)
    if database_url is None:
        return nothing
    try:
        with psycopg.connect(database_url, connect_timeout=3) as conn:
            held = q.held(conn)
            if held is None:
                return nothing
            counts: dict[Level, int] = {
                level: number for level, number in q.areas_by_level(conn) if level in LEVELS
            }
            return Holding(profile, counts, q.tickets(conn), held.generated)
    except psycopg.errors.Error:
        return nothing


class Shown:
    """Progress of generating and loading on a rich progress display, if there is one."""

    _STEPS = {  # noqa: RUF012
        "areas": "Drawing areas",
        "people": "Placing people",
        "tickets": "Writing tickets",
        "patrols": "Writing patrols",
    }
    _LOADS = {  # noqa: RUF012
        "areas": "Loading areas",
        "people": "Loading people",
        "tickets": "Loading tickets",
        "patrols": "Loading patrols",
    }

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def generate(self, step: str, share: float) -> None:
        """A step of making files has come so far."""
        self._show(self._STEPS.get(step, step), share)

    def load(self, step: str, share: float) -> None:
        """A step of loading has come so far; a ticket import tells its stage after a colon."""
        name, _, stage = step.partition(":")
        self._show(self._LOADS.get(name, name) + (f" ({stage})" if stage else ""), share)

    def _show(self, name: str, share: float) -> None:
        if self._progress is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=1.0)
        self._progress.update(self._tasks[name], completed=share)
        if share >= 1.0:
            self._progress.remove_task(self._tasks.pop(name))
