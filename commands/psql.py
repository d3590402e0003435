"""./wangge psql: a session on the database in use."""

import os
import shutil
import signal
import subprocess
from typing import Annotated

import typer

from commands.outcome import Refused


def register(app: typer.Typer) -> None:
    """Add the command; all arguments are psql's."""
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    )(psql)


def psql(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None, typer.Argument(help="For psql: -c 'SELECT …', -f file, --csv …")
    ] = None,
) -> None:
    """Open a psql session on the database of the place (WANGGE_PLACE names another); arguments go on to psql."""
    from geodata.servers import ensure
    from settings import Settings

    binary = shutil.which("psql")
    if binary is None:
        raise Refused(
            "There is no psql on this machine. On Debian and Ubuntu: apt-get install postgresql-client"
        )
    stores = ensure(Settings())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is psql's: it cancels a query
    command = [binary, "--dbname", stores.database_url, *(arguments or []), *context.args]
    raise typer.Exit(
        subprocess.call(command, env={"PAGER": "less -S", **os.environ}, preexec_fn=_hear_ctrl_c)
    )


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
