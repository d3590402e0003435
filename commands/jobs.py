"""./wangge jobs: a worker as a process of its own, beside or instead of the one in the web server."""

import signal
import threading
from typing import Annotated

import typer

from commands.run import known_place, settings_with


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(jobs)


def jobs(
    place: Annotated[
        str | None, typer.Option(help="Which place's jobs; zoucheng if nothing else is set.")
    ] = None,
) -> None:
    """Do what is due (deadlines, messages to other systems) until Ctrl-C. Every web server does so too."""
    from geodata.migrate import migrate
    from geodata.pool import make_pool
    from geodata.servers import ensure
    from services.jobs import Work
    from services.jobs.worker import Worker
    from services.logs import configure_logs

    settings = settings_with(place=place)
    profile = known_place(settings.place)
    configure_logs(settings)
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    stores = ensure(settings)
    migrate(stores.database_url)
    with make_pool(stores.app_url, size=4) as pool:
        worker = Worker(Work(settings, profile, stores, pool))
        worker.start()
        asked.wait()
        worker.stop()
