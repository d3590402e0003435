"""./wangge audit: whether the record still stands as it was written, and the record as lines of JSON."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from commands.outcome import Refused

if TYPE_CHECKING:
    from geodata.scope import Db
    from settings import Settings

audits = typer.Typer(no_args_is_help=True, help="Check the audit and take it out as lines of JSON.")
screen, told = Console(highlight=False), Console(stderr=True, highlight=False)
DAY_OR_TIME = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(audits, name="audit")


@audits.command()
def verify(
    known: Annotated[
        str | None,
        typer.Option(
            metavar="ROW:HASH", help="What an earlier verify printed, kept outside of this database."
        ),
    ] = None,
) -> None:
    """Recompute the chain over all rows. Exit code 1, and which rows, when one was altered or taken out."""
    from services import audit
    from settings import Settings

    kept = _known(known)
    with _opened(Settings()) as conn:
        found = audit.verify(conn, kept)
    for fault in found.faults[:100]:
        told.print(f"✗ {fault.sentence}")
    if len(found.faults) > 100:
        told.print(f"… and {len(found.faults) - 100:,} more.")
    if found.faults:
        told.print(
            f"The audit is not as it was written: {len(found.faults):,} faults in {found.rows:,} rows."
        )
        raise typer.Exit(1)
    if not found.rows:
        screen.print("The audit is empty.")
        return
    screen.print(
        f"The audit stands as it was written: {found.rows:,} rows, {found.from_id:,} to {found.to_id:,}."
    )
    screen.print("Keep this elsewhere, for a later verify --known:")
    screen.print(f"{found.to_id}:{found.last_hash}", soft_wrap=True)


@audits.command()
def export(
    since: Annotated[
        datetime | None,
        typer.Option(formats=DAY_OR_TIME, help="From this day or local time of the place on."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=DAY_OR_TIME, help="Up to, not including, this day or time.")
    ] = None,
) -> None:
    """Write the rows as lines of JSON to standard output, oldest first; this export is itself recorded."""
    import getpass
    from zoneinfo import ZoneInfo

    import profiles
    from services import audit
    from services.access import SYSTEM
    from settings import Settings

    settings = Settings()
    zone = ZoneInfo(profiles.load(settings.place).time_zone)
    first, last = (moment and moment.replace(tzinfo=zone) for moment in (since, until))
    rows = 0
    with _opened(settings) as conn:
        for batch in audit.lines(conn, first, last):
            sys.stdout.buffer.write(batch)
            rows += batch.count(b"\n")
        detail = {"rows": rows, "since": first, "until": last, "os_user": getpass.getuser()}
        audit.record(conn, SYSTEM, audit.Action.export, object_kind="audit", detail=detail)
    sys.stdout.buffer.flush()


@contextmanager
def _opened(settings: "Settings") -> "Iterator[Db]":
    """The place's database as its owner, if it has an audit already."""
    import psycopg

    from geodata.migrate import waiting
    from geodata.servers import ensure

    with psycopg.connect(ensure(settings).database_url) as conn:
        if waiting(conn):
            raise Refused("The schema of this database is older than this program: ./wangge migrate")
        yield conn


def _known(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    row, colon, digest = text.strip().partition(":")
    if not colon or not row.isdigit() or len(digest) != 64 or set(digest.lower()) - set("0123456789abcdef"):
        raise typer.BadParameter("Give ROW:HASH as verify printed it.", param_hint="--known")
    return int(row), digest
