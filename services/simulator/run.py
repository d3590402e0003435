"""Plays a script against a server until told to stop; a server that is away is waited for."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

from services.simulator.asking import Server
from services.simulator.desk import Desk
from services.simulator.movers import Movers
from services.simulator.people import People
from services.simulator.script import Script


class Simulator:
    """Counts what it did; `speed` multiplies how often tickets come, workers walk at their own pace."""

    def __init__(
        self,
        script: Script,
        url: str,
        speed: float,
        seed: int | None = None,
        *,
        tokens: Mapping[str, str] | None = None,
        account: tuple[str, str] | None = None,
    ) -> None:
        """`tokens` are those of `script.register_clients`; an account (login, password) plays the desks."""
        chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self._server = Server(url, tokens or {}, chance, self.counts)
        self._movers = Movers(script, self._server, chance, self.counts)
        self._people = People(script, self._server, speed, chance, self.counts)
        if account is not None:
            self._people.desk = Desk(self._server.signed_in, account, script.place, chance)
        self._stop = asyncio.Event()

    @property
    def commands(self) -> Counter[str]:
        """All commands that were carried out, those of the desks too, by name."""
        desk = self._people.desk
        return self._people.commands + (desk.given if desk else Counter())

    def stop(self) -> None:
        """End the run soon."""
        self._stop.set()

    async def run(self) -> None:
        """Play until `stop`."""
        async with self._server:
            parts = (self._movers.move(), self._people.work(), self._people.sit())
            jobs = [asyncio.create_task(part) for part in parts]
            stopped = asyncio.create_task(self._stop.wait())
            await asyncio.wait([stopped, *jobs], return_when=asyncio.FIRST_COMPLETED)
            for job in (stopped, *jobs):
                job.cancel()
            for outcome in await asyncio.gather(*jobs, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
