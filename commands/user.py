"""./wangge user …: the first administrator, and whoever locked themselves out; the admin screen does the rest."""

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
    from geodata.servers import Stores
    from services.access import Viewer
    from settings import Settings

users = typer.Typer(no_args_is_help=True, help="Accounts: add the first administrator, disable, reset.")
screen = Console(highlight=False, width=None if sys.stdout.isatty() else 200)  # a pipe breaks no rows

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The login of the account.")]
Place = Annotated[
    str | None, typer.Option("--place", help="Which place; the setting WANGGE_PLACE by default.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(users, name="user")


@users.command()
def add(
    login: Login,
    role: Annotated[str, typer.Option(help="What it may do: docs/reference/access.md lists the roles.")],
    name: Annotated[str | None, typer.Option(help="How colleagues see it; the login by default.")] = None,
    area: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Its area, as often as needed; the whole place by default."),
    ] = None,
    place: Place = None,
) -> None:
    """Add an account and print its first password, once: it must be changed at the first sign-in."""
    from geodata.queries.accounts import root_code
    from services.access import accounts

    with _at(place) as (conn, _, actor):
        root = root_code(conn)
        if root is None:
            raise Refused("The place has no areas yet: ./wangge import areas FILE, or ./wangge demo.")
        first = accounts.add_account(conn, actor, login, name or login, role, area or [root])
    _tell_password(login, first)


@users.command("list")
def list_(place: Place = None) -> None:
    """List the accounts."""
    from services.access import accounts

    with _at(place) as (conn, _, _actor):
        found = accounts.list_accounts(conn)
    if not found:
        screen.print(
            "There are no accounts yet. Make the first: ./wangge user add LOGIN --role administrator"
        )
        return
    table = Table()
    for heading in ("login", "name", "role", "areas", "state", "second factor", "last sign-in"):
        table.add_column(heading, overflow="fold")
    for one in found:
        last = one.last_sign_in_at
        table.add_row(
            escape(one.login), escape(one.name), one.role, escape(", ".join(code for code, _ in one.areas)),
            _state(one), "yes" if one.has_totp else "no", last.strftime("%Y-%m-%d %H:%M") if last else "never",
        )  # fmt: skip
    screen.print(table)


@users.command()
def disable(login: Login, place: Place = None) -> None:
    """Close an account; its sessions end at once."""
    _set_disabled(login, place, True)


@users.command()
def enable(login: Login, place: Place = None) -> None:
    """Open an account again, also one that wrong passwords locked."""
    _set_disabled(login, place, False)


@users.command()
def reset(
    login: Login,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Forget the authenticator app instead: a phone was lost.")
    ] = False,
    place: Place = None,
) -> None:
    """Give an account a new first password and print it, once; its sessions end."""
    from services.access import accounts

    first = None
    with _at(place) as (conn, stores, actor):
        found = accounts.find_account(conn, login)
        if second_factor:
            accounts.reset_second_factor(conn, actor, found)
        else:
            first = accounts.reset_password(conn, actor, found)
    _end_sessions(stores, found)
    if first is None:
        screen.print(f"{login} sets up an authenticator app anew at the next sign-in.", markup=False)
    else:
        _tell_password(login, first)


def _set_disabled(login: str, place: str | None, disabled: bool) -> None:
    from services.access import accounts

    with _at(place) as (conn, stores, actor):
        found = accounts.find_account(conn, login)
        accounts.set_disabled(conn, actor, found, disabled)
    ended = _end_sessions(stores, found) if disabled else 0
    screen.print(
        f"{login} is disabled; {ended} sessions ended." if disabled else f"{login} may sign in.", markup=False
    )


@contextmanager
def _at(place: str | None) -> "Iterator[tuple[Db, Stores, Viewer]]":
    """One transaction with the rights over accounts and no others, and who acts: the person at the terminal."""
    import getpass
    from dataclasses import replace

    import psycopg

    from commands.run import known_place
    from geodata.migrate import migrate
    from geodata.scope import EVERYTHING, enter
    from geodata.servers import ensure
    from services.access import SYSTEM
    from services.access.accounts import BadAccount

    settings = _settings(place)
    known_place(settings.place)
    stores = ensure(settings)
    migrate(stores.database_url)
    try:
        with psycopg.connect(stores.database_url, application_name="wangge user") as conn:
            enter(conn, EVERYTHING, "access")
            yield conn, stores, replace(SYSTEM, name=f"system ({getpass.getuser()})")
    except BadAccount as error:
        raise Refused(str(error)) from None


def _settings(place: str | None) -> "Settings":
    from settings import Settings

    return Settings(place=place) if place else Settings()


def _end_sessions(stores: "Stores", account_id: int) -> int:
    from redis import Redis

    from geodata.redis_clients import loop_redis
    from services.access.sessions import Sessions

    with Redis.from_url(stores.redis_url, socket_connect_timeout=2, socket_timeout=5) as redis:
        sessions = Sessions(
            redis, loop_redis(stores.redis_url), stores.key_prefix, idle_s=86_400, absolute_s=7 * 86_400
        )
        return sessions.end_all(account_id)


def _tell_password(login: str, first: str) -> None:
    screen.print(
        f"The first password of {login}, shown this once and changed at the first sign-in:", markup=False
    )
    screen.print(first, style="bold", markup=False)


def _state(one: "object") -> str:
    states = ("disabled", "locked", "must_change", "oidc", "demo")
    words = {"must_change": "first password", "oidc": "OpenID Connect"}
    found = [words.get(state, state) for state in states if getattr(one, state)]
    return ", ".join(found) or "open"
