"""./wangge migrate: bring the database to the newest schema."""

import typer
from rich.console import Console

screen = Console(highlight=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate() -> None:
    """Apply the migrations that the database of the place lacks. demo and run do it by themselves."""
    from geodata.migrate import migrate as apply
    from geodata.servers import ensure
    from settings import Settings

    applied = apply(ensure(Settings()).database_url)
    for name in applied:
        screen.print(f"applied {name}")
    if not applied:
        screen.print("The schema is current.")
