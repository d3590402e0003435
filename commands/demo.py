"""./wangge demo: a place with everything running, until Ctrl-C."""

import json
import signal
import time
import urllib.error
import urllib.request
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from commands.children import Child
from commands.outcome import Refused
from commands.run import known_place, listen, note_settings, settings_with

if TYPE_CHECKING:
    from geodata.servers import Stores
    from profiles import Profile
    from services.access.demo import DemoAccount
    from settings import Settings

screen = Console(highlight=False)
READY_S = 90.0
LOOK_S = 0.5
STORES_EVERY_S = 2.0
AS_DEMO = {
    "WANGGE_DEMO": "1",
    "WANGGE_OPEN_INTAKE": "1",
    "WANGGE_OPEN311_PUBLIC": "1",
}  # what the web server of a demo is told


class Stopped(Exception):
    """Somebody asked this command to end: Ctrl-C, SIGTERM or a closed terminal."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    place: Annotated[str | None, typer.Option(help="Which place: ./wangge places lists them.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the web server; 8050 if nothing else is set.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all networks.")] = None,
    simulate: Annotated[bool, typer.Option(help="Let workers move and tickets arrive.")] = True,
    speed: Annotated[float, typer.Option(min=0.1, max=600, help="How many times faster than life.")] = 4,
) -> None:
    """Load a place if it is not there yet, start everything, print the addresses of the screens. Ctrl-C stops it."""
    from services.logs import configure_logs

    settings = settings_with(place=place, port=port, host=host, demo=True)
    profile = known_place(settings.place)
    configure_logs(settings.model_copy(update={"log_level": "warning"}))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    children: list[Child] = []
    try:
        with listen(settings.host, settings.port) as listener:
            settings = settings.model_copy(update={"port": listener.getsockname()[1]})
            stores = _prepare(settings, profile)
            accounts = _accounts(stores)
            web = Child(
                "The web server",
                ["run", "--place", settings.place, "--host", settings.host, "--fd", str(listener.fileno())],
                settings.data / "logs" / f"{settings.place}-web.log",
                pass_fds=(listener.fileno(),),
                environment=AS_DEMO,
            )
            children.append(web)
            web.start()
            _wait_ready(web, _own(settings))
            if simulate:
                simulator = Child(
                    "The simulator",
                    ["simulate", "--place", settings.place, "--url", _own(settings), "--speed", f"{speed:g}"],
                    settings.data / "logs" / f"{settings.place}-simulator.log",
                )
                children.append(simulator)
                simulator.start()
            _announce(settings, profile, speed if simulate else None, accounts)
            _watch(settings, stores, children)
    except Stopped:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # once is enough
        screen.print("Stopping …")
    finally:
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.stop()


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def _prepare(settings: "Settings", profile: "Profile") -> "Stores":
    """Servers up, schema current, place loaded; says what takes long."""
    from geodata.migrate import migrate
    from geodata.servers import ensure
    from services.places import prepare

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as progress:
        start = progress.add_task("Starting PostgreSQL and Redis", total=None)
        stores = ensure(settings)
        progress.update(start, description="Bringing the schema up to date")
        migrate(stores.database_url)
        progress.remove_task(start)
        prepare(settings, stores, profile, progress)
    note_settings(stores.database_url, settings)
    return stores


def _accounts(stores: "Stores") -> "list[DemoAccount]":
    """One account a role, made if it is not there yet."""
    import psycopg

    from geodata.scope import EVERYTHING, enter
    from services.access.demo import make_demo_accounts

    with psycopg.connect(stores.database_url, application_name="wangge demo") as conn:
        enter(conn, EVERYTHING, "access")
        return make_demo_accounts(conn)


def _wait_ready(web: Child, base: str) -> None:
    """Wait until the web server really serves; its last words and exit code 1 if it does not."""
    until = time.monotonic() + READY_S
    reason = "it does not answer"
    while time.monotonic() < until and web.runs:
        try:
            with urllib.request.urlopen(f"{base}/api/ready", timeout=3):  # noqa: S310  # nosec B310
                return
        except urllib.error.HTTPError as error:
            with suppress(ValueError, KeyError):
                checks: dict[str, Any] = json.load(error)["checks"]
                reason = "; ".join(
                    f"{name}: {check['said']}" for name, check in checks.items() if not check["ok"]
                )
        except OSError:
            pass
        time.sleep(0.1)
    raise Refused(f"The web server did not get ready: {reason}. The end of {web.log}:\n{web.last_words()}")


def _announce(
    settings: "Settings", profile: "Profile", speed: float | None, accounts: "list[DemoAccount]"
) -> None:
    base = _own(settings)
    table = Table.grid(padding=(0, 2))
    for name, address in (
        ("Wall", f"{base}/wall/"),
        ("Area", f"{base}/area/"),
        ("In English", f"{base}/wall/?lang=en"),
        ("Interfaces", f"{base}/api/docs"),
    ):
        table.add_row(name, f"[bold]{address}[/bold]")
    table.add_row("", "")
    table.add_row(
        "Data", f"generated; simulated at {speed:g} times life" if speed else "generated; nothing moves"
    )
    table.add_row("Logs", str(settings.data / "logs"))
    table.add_row("", "")
    table.add_row(
        "Sign in", "one account a role; the passwords are public and open nothing outside of a demo"
    )
    for account in accounts:
        table.add_row(account.role.replace("_", " "), f"{account.login:<22}{account.password}")
    if settings.host not in ("127.0.0.1", "localhost", "::1"):
        table.add_row("Reach", f"every machine that reaches this one on port {settings.port}")
    screen.print(
        Panel(
            table, title=f"Wangge · {profile.name} {profile.name_en}", subtitle="Ctrl-C stops", expand=False
        )
    )


def _watch(settings: "Settings", stores: "Stores", children: list[Child]) -> None:
    """Keep everything running until somebody stops us."""
    from geodata.servers import ServersRefused, ensure, servers

    look_at_stores = 0.0
    said: str | None = None
    while True:
        time.sleep(LOOK_S)
        for child in children:
            if sentence := child.check():
                screen.print(sentence, markup=False)
        if time.monotonic() < look_at_stores:
            continue
        look_at_stores = time.monotonic() + STORES_EVERY_S
        gone = [server.name for server in servers(settings) if server.pid is None]
        if not gone:
            said = None
            continue
        try:
            ensure(settings)
            screen.print(f"{' and '.join(gone)} had ended; started again.")
        except (ServersRefused, OSError) as error:
            if str(error) != said:  # once a reason
                said = str(error)
                screen.print(said, markup=False)


def _own(settings: "Settings") -> str:
    """The address at which this machine reaches its own web server."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # nosec B104
    return f"http://{f'[{own}]' if ':' in own else own}:{settings.port}"
