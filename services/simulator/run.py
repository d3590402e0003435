"""Plays a script against a server until told to stop; a server that is away is waited for."""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import structlog

from services.positions.directory import on_shift
from services.positions.fix import Reading
from services.simulator import scene
from services.simulator.caseload import Caseload, Due
from services.simulator.choice import choose
from services.simulator.desk import Desk
from services.simulator.script import Script
from services.simulator.walker import Walker

log = structlog.get_logger("wangge.simulator")
TICK_S = 1.0
BATCH = 400
SINGLES = 0.04  # share of fixes that phones send one by one, in each of the two protocols
AT_ONCE = 6  # requests under way
RETRY_S = (0.5, 8.0)
MOST_STEPS_A_TICK = 200
WITH_PICTURE = 0.15  # share of reports with a picture
SHOWN = {"handle": 0.3}  # command → share with a picture of what was done
DESK_WORK, MEDIATED = 0.5, 0.4  # deeds at the desks a new ticket; share of disputes that are mediated
COMPARED, ALIKE = 0.05, 70  # share of new tickets that somebody compares; so alike (of 100) they are merged
# Which of the clients of `script.PARTS` gives a command; all others are the dispatcher's.
GIVES = {
    **dict.fromkeys(("respond", "refuse", "sign", "start", "handle", "progress", "node_done", "suspend", "resume",
                     "send_back", "remark", "whistle", "plan"), "worker"),
    "call_back": "caller",
}  # fmt: skip
KNOT_MPS, KMH_MPS = 1852 / 3600, 1 / 3.6


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
        self._script = script
        self._zone = ZoneInfo(script.time_zone)
        self._speed = speed
        self._chance = random.Random(seed)
        self._walkers = [Walker(walk, time.time(), self._chance) for walk in script.walks]
        self._caseload = Caseload(script.past, script.open_tickets, self._chance)
        self._http, self._session = (
            httpx.AsyncClient(
                base_url=url,
                timeout=10,
                limits=httpx.Limits(max_connections=AT_ONCE + 2),
                trust_env=False,
            )
            for _ in range(2)  # the other keeps the cookies of who is signed in
        )
        self._desk = Desk(self._signed_in, account, script.place, self._chance) if account else None
        self._desk_work = 0.0
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._stop = asyncio.Event()
        self._tokens = dict(tokens or {})
        self.counts = {
            "fixes": 0,
            "refused": 0,
            "tickets": 0,
            "steps": 0,
            "pictures": 0,
            "turned_down": 0,
            "waits": 0,
        }
        self.commands: Counter[str] = Counter()

    @property
    def given(self) -> Counter[str]:
        """All commands, those of the desks too."""
        return self.commands + (self._desk.given if self._desk else Counter())

    def stop(self) -> None:
        """End the run soon."""
        self._stop.set()

    async def run(self) -> None:
        """Play until `stop`."""
        async with self._http, self._session:
            jobs = [asyncio.create_task(job) for job in (self._move(), self._work(), self._sit())]
            stopped = asyncio.create_task(self._stop.wait())
            await asyncio.wait([stopped, *jobs], return_when=asyncio.FIRST_COMPLETED)
            for job in (stopped, *jobs):
                job.cancel()
            for outcome in await asyncio.gather(*jobs, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome

    # --- workers

    async def _move(self) -> None:
        while True:
            started = time.monotonic()
            now = time.time()
            due = [
                walker
                for walker in self._walkers
                if walker.reports_at <= now
                and on_shift(self._script.workers[walker.worker_id], int(now * 1000), self._zone)
            ]
            readings = [(self._script.tokens[walker.worker_id], walker.report(now)) for walker in due]
            singles = round(len(readings) * SINGLES)
            sends = [self._osmand(*one) for one in readings[:singles]]
            sends += [self._owntracks(*one) for one in readings[singles : 2 * singles]]
            rest = readings[2 * singles :]
            sends += [self._batch(rest[at : at + BATCH]) for at in range(0, len(rest), BATCH)]
            answers = await asyncio.gather(*sends)
            if answers and not any(answers):
                await asyncio.sleep(self._chance.uniform(*RETRY_S) / 2)
            await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - started)))

    async def _batch(self, readings: list[tuple[str, Reading]]) -> bool:
        fixes = [
            {
                "id": token, "at": reading.at_ms, "lon": reading.lon, "lat": reading.lat,
                "accuracy_m": reading.accuracy_m, "speed_mps": reading.speed_mps, "course_deg": reading.course_deg,
                "battery_pct": reading.battery_pct,
            }
            for token, reading in readings
        ]  # fmt: skip
        answer = await self._once("POST", "/api/positions/batch", json={"fixes": fixes})
        if answer is not None and answer.is_success:
            refused = len(answer.json()["refused"])
            self.counts["fixes"] += len(fixes) - refused
            self.counts["refused"] += refused
        return answer is not None

    async def _osmand(self, token: str, reading: Reading) -> bool:
        query = {
            "id": token, "timestamp": reading.at_ms // 1000, "lat": reading.lat, "lon": reading.lon,
            "speed": round((reading.speed_mps or 0) / KNOT_MPS, 2), "bearing": reading.course_deg,
            "accuracy": reading.accuracy_m, "batt": reading.battery_pct,
        }  # fmt: skip
        return self._counted(await self._once("GET", "/api/positions/osmand", params=query))

    async def _owntracks(self, token: str, reading: Reading) -> bool:
        message = {
            "_type": "location", "tst": reading.at_ms // 1000, "lat": reading.lat, "lon": reading.lon,
            "acc": round(reading.accuracy_m or 0), "vel": round((reading.speed_mps or 0) / KMH_MPS),
            "cog": round(reading.course_deg or 0), "batt": reading.battery_pct,
        }  # fmt: skip
        auth = httpx.BasicAuth("worker", token)
        return self._counted(await self._once("POST", "/api/positions/owntracks", json=message, auth=auth))

    def _counted(self, answer: httpx.Response | None) -> bool:
        if answer is not None:
            self.counts[
                "fixes" if answer.is_success and "x-refused" not in answer.headers else "refused"
            ] += 1
        return answer is not None

    # --- tickets

    async def _work(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            passed_s, before = min(time.monotonic() - before, 5.0), time.monotonic()
            expected = self._script.an_hour[datetime.now(self._zone).hour] / 3600 * self._speed * passed_s
            await asyncio.gather(*(self._file() for _ in range(self._poisson(expected))))
            steps: list[Due] = []
            while len(steps) < MOST_STEPS_A_TICK and (due := self._caseload.next_due()) is not None:
                steps.append(due)
            await asyncio.gather(*(self._step(due) for due in steps))

    async def _file(self) -> None:
        report = self._caseload.new_report() | {"source_id": f"sim-{uuid.uuid4()}"}
        answer = await self._until_answered("POST", "/api/tickets", "citizen", json=report)
        self._caseload.count += 1
        if not answer.is_success:
            log.warning("report refused", status=answer.status_code, body=answer.text[:300])
            return
        ticket = answer.json()
        self.counts["tickets"] += 1
        self._desk_work += DESK_WORK
        if (
            self._desk
            and ticket["category"] in self._script.place.disputes
            and self._chance.random() < MEDIATED
        ):
            self._desk.disputes.append(ticket)
        if self._chance.random() < WITH_PICTURE and (picture := await self._picture("citizen", ticket["id"])):
            body = {"version": ticket["version"], "pictures": [picture]}
            await self._give(ticket["id"], "attach", "citizen", body)
        self._caseload.put(ticket["id"], ticket["status"])

    async def _step(self, due: Due) -> None:
        """Look at the ticket and do what comes next; somebody else, or a job, may have moved it."""
        answer = await self._until_answered("GET", f"/api/tickets/{due.id}", "dispatcher")
        if not answer.is_success:
            return
        ticket = answer.json()
        chosen = await self._duplicate(ticket) or choose(ticket, self._script.place, self._chance)
        if chosen is None:
            return
        command, body = chosen
        part = GIVES.get(command, "dispatcher")
        if (
            command in SHOWN
            and self._chance.random() < SHOWN[command]
            and (picture := await self._picture(part, due.id))
        ):
            body["pictures"] = [picture]
        moved = await self._give(due.id, command, part, body | {"version": ticket["version"]})
        status = moved["status"] if moved else ticket["status"]
        self._caseload.put(due.id, status, due.life, stayed=status == ticket["status"])

    async def _give(
        self, ticket: int, command: str, part: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The ticket after the command; None when it was refused, and then it is looked at again later."""
        key = {"Idempotency-Key": f"sim-{uuid.uuid4()}"}
        path = f"/api/tickets/{ticket}/{command}"
        answer = await self._until_answered("POST", path, part, json=body, headers=key)
        if answer.is_success:
            self.counts["steps"] += 1
            self.commands[command] += 1
            told: dict[str, Any] = answer.json()
            return told
        if answer.status_code not in (404, 409):  # 409: somebody was quicker
            self.counts["turned_down"] += 1
            log.warning("step refused", command=command, status=answer.status_code, body=answer.text[:300])
        return None

    async def _duplicate(self, ticket: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """Merge a new ticket now and then into one that says the same."""
        offered = [row["command"] for row in ticket["commands"]]
        if ticket["dispatched_at"] or "merge" not in offered or self._chance.random() >= COMPARED:
            return None
        answer = await self._until_answered("GET", f"/api/tickets/{ticket['id']}/duplicates", "dispatcher")
        found = answer.json() if answer.is_success else []
        alike = [one for one in found if one["likeness"] >= ALIKE and one["id"] != ticket["id"]]
        return ("merge", {"into": alike[0]["id"]}) if alike else None

    async def _sit(self) -> None:
        """Work at the desks, as much as new tickets make."""
        while True:
            await asyncio.sleep(TICK_S)
            while self._desk is not None and self._desk_work >= 1:
                self._desk_work -= 1
                await self._desk.act()

    async def _picture(self, part: str, ticket: int) -> str | None:
        """Id of a picture that was drawn and sent in; None when the server takes no more of them now."""
        data = await asyncio.to_thread(scene.draw, ticket % scene.KINDS, done=part != "citizen")
        headers = {"Content-Type": "image/jpeg"}
        answer = await self._once("POST", "/api/pictures", part, content=data, headers=headers)
        if answer is None or not answer.is_success:
            return None
        self.counts["pictures"] += 1
        return str(answer.json()["id"])

    def _poisson(self, mean: float) -> int:
        """A random count with that mean, by counting exponential waits."""
        count, left = 0, mean
        while (left := left - self._chance.expovariate(1.0)) > 0:
            count += 1
        return count

    # --- HTTP

    async def _once(self, method: str, path: str, part: str = "worker", **what: Any) -> httpx.Response | None:
        """One attempt; None when nobody answers. A fix that is not taken is not worth a second one."""
        client = self._http if part else self._session
        token = self._tokens.get(part)
        if token and "auth" not in what:
            what["headers"] = {"Authorization": f"Bearer {token}"} | what.get("headers", {})
        async with self._slots:
            try:
                return await client.request(method, path, **what)
            except httpx.TransportError:
                self.counts["waits"] += 1
                return None

    async def _signed_in(self, method: str, path: str, **what: Any) -> httpx.Response | None:
        """One attempt of somebody who is signed in."""
        return await self._once(method, path, "", **what)

    async def _until_answered(self, method: str, path: str, part: str, **what: Any) -> httpx.Response:
        """As many attempts as it takes until a server answers with something other than a fault of its own."""
        wait_s = RETRY_S[0]
        while True:
            answer = await self._once(method, path, part, **what)
            if answer is not None and answer.status_code < 500 and answer.status_code != 429:
                return answer
            await asyncio.sleep(wait_s * self._chance.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2, RETRY_S[1])
