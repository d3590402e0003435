"""What a measure is given: the reference data, a folder, the product running, a browser, and how often to repeat."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bench import signed_in
from bench.processes import Server, free_port, serving
from bench.result import Missing
from geodata.servers import Stores, ensure
from settings import ROOT, Settings

DATABASE = "wangge_bench"
PLACE = "liaoyang"


class Context:
    """Shared by the measures of one run; everything is started when first asked for and stopped at the end."""

    def __init__(
        self,
        settings: Settings,
        *,
        quick: bool = False,
        say: Callable[[str], None] = print,
        progress: Progress | None = None,
        database: str = DATABASE,
    ) -> None:
        self.settings, self.quick, self.say, self.database = settings, quick, say, database
        self.progress = progress  # where a long preparation shows how far it is
        self.folder = settings.data / "bench"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._products = 0  # started so far
        self._open = ExitStack()
        self._product = self._open.enter_context(ExitStack())

    def __enter__(self) -> "Context":
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def times(self, full: int, quick: int) -> int:
        """How often to repeat: the full number, or the one of --quick."""
        return quick if self.quick else full

    @cached_property
    def stores(self) -> Stores:
        """The reference database and Redis keys, made on first use (minutes, with progress)."""
        from bench.reference_data import prepared

        return prepared(self)

    @cached_property
    def running(self) -> Stores:
        """The servers, without the reference data."""
        return ensure(self.settings, "wangge_bench_admin")

    def log(self, name: str) -> Path:
        """Where the output of a server of that name goes."""
        return self.folder / "log" / f"{name}.log"

    @contextmanager
    def product(self, **env: str) -> Iterator[Server]:
        """The product as `./wangge run` starts it, one process, on the reference data; env are settings of its own."""
        stores, port = self.stores, free_port()
        self._products += 1
        command = [sys.executable, ROOT / "cli.py", "run", "--port", str(port)]
        environment = {
            "WANGGE_PLACE": PLACE, "DATABASE_URL": stores.database_url, "REDIS_URL": stores.redis_url,
            "WANGGE_DATA": str(self.settings.data), "WANGGE_LOG_LEVEL": "warning",
        } | env  # fmt: skip
        if not (ROOT / "app.py").exists():
            raise Missing("app.py")
        with serving(
            command,
            port=port,
            log=self.log(f"product-{self._products}"),
            env=environment,
            cwd=ROOT,
            ready="/api/ready",
        ) as up:
            signed_in.sign_in(stores)
            yield up

    @cached_property
    def server(self) -> Server:
        """The product, started once and shared by the measures that only read."""
        self.say("starting the product")
        server = self._product.enter_context(self.product())
        server.settle()
        return server

    def fresh_server(self) -> Server:
        """The shared product, started anew without any live state (positions, versions) of earlier measures."""
        from bench.reference_data import forget_live

        self.close_server()
        forget_live(self.stores)
        return self.server

    def close_server(self) -> None:
        """Stop the shared product; who asks for it next starts it anew."""
        self._product.close()
        self.__dict__.pop("server", None)

    @cached_property
    def browser(self) -> Any:
        """Chromium under playwright, CPU rendering."""
        from bench.browser import launched

        return self._open.enter_context(launched())

    def load_note(self) -> str:
        """The machine's load, which every figure should be read with."""
        return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
