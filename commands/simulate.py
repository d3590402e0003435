"""./wangge simulate: moves workers and files tickets over the public HTTP interface, for demos and load tests."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    url: Annotated[
        str | None,
        typer.Option(help="Address of the server; http://127.0.0.1:PORT of the settings by default."),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            min=0, max=10_000, help="How many times faster than in reality tickets come; 0 for none."
        ),
    ] = 60,
    place: Annotated[
        str | None, typer.Option(help="Which place; the setting WANGGE_PLACE by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes a run repeatable but for its timing.")] = None,
) -> None:
    """Play the workers and callers of a place: an outside client that walks, reports, dispatches,
    handles, calls back and closes.

    Workers on shift send positions every 5 to 10 seconds (OsmAnd, OwnTracks and batches); tickets come in the place's
    own rhythm, where they came before, and are worked off as fast as they come. Stops on Ctrl-C.
    """
    import asyncio
    import signal

    import psycopg
    from rich.console import Console

    import profiles
    from geodata.servers import ensure
    from services.logs import configure_logs
    from services.simulator import script
    from services.simulator.run import Simulator
    from settings import Settings

    settings = Settings(**({"place": place} if place else {}))
    configure_logs(settings)
    screen = Console(stderr=True)
    server = url or f"http://{settings.host}:{settings.port}"
    stores = ensure(settings)
    with psycopg.connect(stores.database_url) as conn:
        row = conn.execute("SELECT profile FROM place").fetchone()
        if row is None:
            screen.print(f"There is no place in this database yet: ./wangge demo --place {settings.place}")
            raise typer.Exit(1)
        tokens, workers = script.register_devices(conn)
        clients = script.register_clients(conn)
        account = script.demo_dispatcher(conn)
        conn.commit()
        plan = script.learn(conn, profiles.load(row[0]), tokens, workers)

    async def play() -> Simulator:
        simulator = Simulator(plan, server, speed, seed, tokens=clients, account=account)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, simulator.stop)
        await simulator.run()
        return simulator

    screen.print(
        f"{len(plan.walks)} workers and {sum(plan.an_hour) * speed:,.0f} tickets a day → {server}",
        highlight=False,
    )
    try:
        played = asyncio.run(play())
    finally:
        with psycopg.connect(stores.database_url) as conn:
            script.forget(conn)
    counts = played.counts
    screen.print(
        f"{counts['fixes']} positions ({counts['refused']} refused), {counts['tickets']} tickets"
        f" ({counts['open311']} through Open311), {counts['steps']} steps, {counts['pictures']} pictures",
        highlight=False,
    )
    if played.commands:
        told = ", ".join(f"{command} {count}" for command, count in played.commands.most_common())
        screen.print(told, highlight=False, soft_wrap=True)
