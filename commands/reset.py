"""./wangge reset: start over."""

import shutil
from typing import Annotated

import typer
from rich.console import Console

screen = Console(highlight=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reset)


def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete all data of the private servers (every place, tickets, positions) and start over, after asking."""
    from geodata.servers import folders, stop
    from settings import Settings

    settings = Settings()
    if settings.database_url:
        screen.print(
            "The database is the one that DATABASE_URL names: drop it there. Private data alone is deleted here."
        )
    doomed = [folder for folder in folders(settings) if folder.exists()]
    if not doomed:
        screen.print(f"There is nothing in {settings.data}.")
        return
    screen.print("This deletes for good:")
    for folder in doomed:
        screen.print(f"  {folder}")
    if not yes and not typer.confirm("Everything in these folders will be lost. Go on?"):
        raise typer.Exit(1)
    stop(settings)
    for folder in doomed:
        shutil.rmtree(folder)
    screen.print("Done. ./wangge demo begins afresh.")
