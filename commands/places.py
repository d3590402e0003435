"""./wangge places and ./wangge generate: which places there are, and making the files of one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from commands.outcome import Refused

if TYPE_CHECKING:
    from profiles import Profile
    from services.places import Holding

screen = Console(highlight=False)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(places)
    app.command()(generate)


def places() -> None:
    """List the places with what they hold: demo --place NAME shows one. Starts nothing."""
    import profiles
    from geodata.servers import addresses
    from services.places import holding
    from settings import Settings

    settings = Settings()
    table = Table(title="Places", title_justify="left")
    for heading in ("Name", "Place", "Areas", "Grids", "Workers", "Tickets a day", "In the database"):
        table.add_column(
            heading, justify="right" if heading in ("Grids", "Workers", "Tickets a day") else "left"
        )
    for name in profiles.names():
        profile = profiles.load(name)
        # one database that DATABASE_URL names holds one place; private ones are one a place
        url = addresses(settings.model_copy(update={"place": name})).database_url
        held = holding(profile, url if settings.database_url is None or settings.place == name else None)
        table.add_row(name, f"{profile.name} {profile.name_en}", *_planned(profile), _held(held))
    screen.print(table)
    screen.print("Show one: ./wangge demo --place NAME", style="dim")


def _planned(profile: "Profile") -> tuple[str, str, str, str]:
    """Areas above the grids, grids, workers and daily tickets, as the profile plans them."""
    from services.places import planned

    plan = planned(profile)
    if plan is None:
        return "your own", "", "", ""
    areas = ", ".join(f"{profile.levels[level].name_en} {n:,}" for level, n in plan.areas.items())
    kinds = " + ".join(f"{n:,} {kind}" for kind, n in plan.grids.items() if n)
    return (
        areas,
        f"{sum(plan.grids.values()):,} = {kinds}",
        f"{plan.workers:,}",
        f"{plan.tickets_per_day:,.0f}",
    )


def _held(held: "Holding") -> str:
    if held.areas is None:
        return "not loaded"
    counts = " · ".join(f"{n:,}" for n in held.areas.values())
    source = "generated" if held.generated else "imported"
    return f"{counts} areas, {held.tickets:,} tickets, {source}"


def generate(
    place: Annotated[str, typer.Argument(help="Which place: ./wangge places lists them.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into; one below the data folder if not given.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Another seed draws another place; the profile's if not given.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Where the year of tickets ends, in UTC; now if not given.")
    ] = None,
) -> None:
    """Write a place's generated files (areas, people, stations, a year of tickets), ready for ./wangge import."""
    import profiles
    from services.places import NotGenerated, generate_files
    from settings import Settings

    if place not in profiles.names():
        raise Refused(f"There is no place {place}. There are: {', '.join(profiles.names())}")
    end = until.replace(tzinfo=UTC) if until else datetime.now(UTC).replace(microsecond=0)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as progress:
        try:
            made = generate_files(
                Settings(), profiles.load(place), end, progress=progress, folder=out, seed=seed
            )
        except NotGenerated as error:
            raise Refused(str(error)) from None
    table = Table.grid(padding=(0, 2))
    for level, path in made.areas.items():
        table.add_row(f"import areas --level {level}", str(path))
    for name in ("workers", "org", "posts", "care", "stations", "patrols"):
        table.add_row(name, str(getattr(made, name)))
    table.add_row("import tickets", f"{made.folder}/tickets-*.parquet ({len(made.tickets)} months)")
    screen.print(table)
