"""./wangge run: the web server, for a service manager or a container."""

import gc
import socket
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from commands.memory import share_arenas
from commands.outcome import Refused

if TYPE_CHECKING:
    from profiles import Profile
    from settings import Settings


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
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8050 if nothing else is set.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all networks.")] = None,
    place: Annotated[
        str | None, typer.Option(help="Which place to serve; zoucheng if nothing else is set.")
    ] = None,
    fd: Annotated[int | None, typer.Option(hidden=True, help="A socket that listens already.")] = None,
) -> None:
    """Serve the screens and the interfaces of a place that is loaded already: no demo data, no simulator."""
    from geodata.migrate import migrate
    from geodata.servers import ensure
    from services.logs import configure_logs

    settings = settings_with(port=port, host=host, place=place)
    known_place(settings.place)
    require_secret(settings)
    configure_logs(settings)
    listener = socket.socket(fileno=fd) if fd is not None else listen(settings.host, settings.port)
    with listener:
        stores = ensure(settings)
        migrate(stores.database_url)
        note_settings(stores.database_url, settings)
        serve(settings.model_copy(update={"port": listener.getsockname()[1]}), listener, role)


def note_settings(database_url: str, settings: "Settings") -> None:
    """What is set otherwise than at the start before stands in the audit."""
    import psycopg

    from services.setting_changes import record_settings

    with psycopg.connect(database_url) as conn:
        record_settings(conn, settings)


def serve(settings: "Settings", listener: socket.socket, role: Role) -> None:
    """Serve until SIGINT or SIGTERM."""
    import uvicorn

    from api.wire import WireProtocol
    from app import create_app

    share_arenas()
    app = create_app(settings, role=role.value)
    # What is there now stays: looking through it for garbage would stop all screens for 160 ms each time.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # api/trace.py writes those lines
        ws=WireProtocol,
        ws_per_message_deflate=False,  # 45 % of a core against 7 % at 500 screens
        timeout_graceful_shutdown=3,
        proxy_headers=settings.trusted_proxies > 0,  # without a proxy of ours, anybody may write them
        forwarded_allow_ips="*",
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


def settings_with(**given: object) -> "Settings":
    """The settings, with those options of the command line that were given."""
    from settings import Settings

    return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


def require_secret(settings: "Settings") -> None:
    """Refuse to serve with the secret of the examples or a short one; a demo holds nothing worth sealing."""
    from services.access.secrets import WeakSecret, secret_of

    if settings.demo:
        return
    try:
        secret_of(settings)
    except WeakSecret as weak:
        raise Refused(str(weak)) from None


def known_place(name: str) -> "Profile":
    """The profile of that name; a sentence with the known ones if there is none."""
    from profiles import load, names

    if name not in names():
        raise Refused(f"There is no place {name}. There are: {', '.join(names())}")
    return load(name)


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to that address, or a sentence that says what to try."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        free = free_port(host, port)
        hint = f" Another program uses that port. Try: --port {free}" if free else ""
        raise Refused(f"Cannot listen on {host}:{port}: {error.strerror}.{hint}") from None
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
