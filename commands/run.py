"""./wangge run: the web server, for a service manager or a container."""

import socket
from enum import StrEnum
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from app import create_app
from geodata.migrate import migrate
from geodata.servers import ensure
from services.logs import configure_logs
from settings import Settings

screen = Console(stderr=True)


class Role(StrEnum):
    """What this process serves."""

    ALL = "all"
    SCREENS = "screens"
    API = "api"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(
    role: Annotated[
        Role, typer.Option(help="all; or screens and api apart, behind one reverse proxy.")
    ] = Role.ALL,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; the setting WANGGE_PORT (8050) by default.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all networks.")] = None,
) -> None:
    """Serve the screens and the interfaces of a place that is loaded already; no demo data, no simulator."""
    given = {name: value for name, value in (("port", port), ("host", host)) if value is not None}
    settings = Settings(**given)
    configure_logs(settings)
    stores = ensure(settings)
    migrate(stores.database_url)
    with listen(settings.host, settings.port) as listener:
        application = create_app(settings, stores, role.value)
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,  # api/trace.py writes those lines
            ws_per_message_deflate=False,  # 45 % of a core against 7 % at 500 screens
            timeout_graceful_shutdown=3,
            proxy_headers=True,
            server_header=False,
        )
        uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to that address, or a sentence that says who to ask and what to try, and exit code 1."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        screen.print(f"Cannot listen on {host}:{port}: {error.strerror}.", highlight=False)
        free = free_port(host, port)
        if free:
            screen.print(f"Another program uses that port. Try: --port {free}", highlight=False)
        raise typer.Exit(1) from None
    return listener


def free_port(host: str, port: int) -> int | None:
    """The next port above that nobody uses; None when the address itself is at fault."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port + 1, min(port + 50, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, candidate))
            except OSError:
                continue
            return candidate
    return None
