"""./wangge channel …: systems that send reports to /api/webhooks, each with a key of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands.outcome import Refused

if TYPE_CHECKING:
    from geodata.scope import Db
    from services.access import Viewer
    from settings import Settings

channels = typer.Typer(no_args_is_help=True, help="Systems that send reports in: add, list, revoke.")
screen = Console(highlight=False, width=None if sys.stdout.isatty() else 200)  # a pipe breaks no rows

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="How it is called in its address: small letters, digits, -.")
]
Place = Annotated[
    str | None, typer.Option("--place", help="Which place; the setting WANGGE_PLACE by default.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(channels, name="channel")


@channels.command()
def add(
    name: Name,
    form: Annotated[str, typer.Option(help="What it sends: hotline, petition, opinion or group.")],
    channel: Annotated[str, typer.Option(help="Code of the place's channel that its tickets come by.")],
    place: Place = None,
) -> None:
    """Add a sender and print the key that it signs with, once; docs/reference/intake.md describes its messages."""
    import profiles
    from services.care.sealing import Seals
    from services.intake import senders

    settings = _settings(place)
    with _at(settings) as (conn, actor):
        try:
            key = senders.add(
                conn, actor, profiles.load(settings.place), Seals.of(settings), name, form, channel
            )
        except senders.BadSender as error:
            raise Refused(str(error)) from None
    screen.print(f"{name} sends to /api/webhooks/{name}. Its key, shown this once:", markup=False)
    screen.print(key, style="bold", markup=False)


@channels.command("list")
def list_(place: Place = None) -> None:
    """List the senders."""
    from geodata.queries.intake import senders

    with _at(_settings(place)) as (conn, _):
        found = senders(conn)
    if not found:
        screen.print(
            "Nobody sends yet. Add one: ./wangge channel add NAME --form hotline --channel 12345",
            markup=False,
        )
        return
    table = Table()
    for heading in ("name", "form", "channel", "since", "by", "state"):
        table.add_column(heading, overflow="fold")
    for one in found:
        state = f"revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else "in use"
        since = f"{one.created_at:%Y-%m-%d}"
        table.add_row(one.name, one.form, one.channel, since, escape(one.created_by), state)
    screen.print(table)


@channels.command()
def revoke(name: Name, place: Place = None) -> None:
    """End a sender's key at once; its tickets stay, and its name is not given again."""
    from services.intake import senders

    with _at(_settings(place)) as (conn, actor):
        try:
            senders.revoke(conn, actor, name)
        except senders.UnknownSender as error:
            raise Refused(str(error)) from None
    screen.print(f"{name} may send no more.", markup=False)


@contextmanager
def _at(settings: "Settings") -> "Iterator[tuple[Db, Viewer]]":
    """One transaction with the rights over who may come in, and who acts: the person at the terminal."""
    import getpass
    from dataclasses import replace

    import psycopg

    from commands.run import known_place
    from geodata.migrate import migrate
    from geodata.scope import EVERYTHING, enter
    from geodata.servers import ensure
    from services.access import SYSTEM

    known_place(settings.place)
    stores = ensure(settings)
    migrate(stores.database_url)
    with psycopg.connect(stores.database_url, application_name="wangge channel") as conn:
        enter(conn, EVERYTHING, "access")
        yield conn, replace(SYSTEM, name=f"system ({getpass.getuser()})")


def _settings(place: str | None) -> "Settings":
    from settings import Settings

    return Settings(place=place) if place else Settings()
