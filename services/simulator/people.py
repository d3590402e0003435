"""The people of a run: they report, and give the commands that take a ticket on its way."""

import asyncio
import random
import time
import uuid
from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from services.simulator import scene
from services.simulator.asking import Server
from services.simulator.caseload import Caseload, Due
from services.simulator.choice import choose
from services.simulator.desk import Desk
from services.simulator.script import Script

log = structlog.get_logger("wangge.simulator")
TICK_S = 1.0
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


class People:
    """`speed` multiplies how often tickets come; counts what they did, and `commands` by name."""

    def __init__(
        self, script: Script, server: Server, speed: float, chance: random.Random, counts: Counter[str]
    ) -> None:
        self._script, self._server, self._speed = script, server, speed
        self._chance, self._counts = chance, counts
        self._zone = ZoneInfo(script.time_zone)
        self._caseload = Caseload(script.past, script.open_tickets, chance)
        self._desk_work = 0.0
        self.desk: Desk | None = None
        self.commands: Counter[str] = Counter()

    async def work(self) -> None:
        """File and handle, for ever."""
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
        report = self._caseload.new_report()
        ticket = await self._through_open311(report) or await self._reported(report)
        self._caseload.count += 1
        if ticket is None:
            return
        self._counts["tickets"] += 1
        self._desk_work += DESK_WORK
        if (
            self.desk
            and report["category"] in self._script.place.disputes
            and self._chance.random() < MEDIATED
        ):
            self.desk.disputes.append(ticket)
        if self._chance.random() < WITH_PICTURE and (picture := await self._picture("citizen", ticket["id"])):
            body = {"version": ticket["version"], "pictures": [picture]}
            await self._give(ticket["id"], "attach", "citizen", body)
        self._caseload.put(ticket["id"], ticket["status"])

    async def _reported(self, report: dict[str, Any]) -> dict[str, Any] | None:
        """The ticket that became of a report."""
        body = report | {"source_id": f"sim-{uuid.uuid4()}"}
        answer = await self._server.until_answered("POST", "/api/tickets", "citizen", json=body)
        if answer.is_success:
            told: dict[str, Any] = answer.json()
            return told
        log.warning("report refused", status=answer.status_code, body=answer.text[:300])
        return None

    async def _through_open311(self, report: dict[str, Any]) -> dict[str, Any] | None:
        """The same as a citizen's app files it, where the place opens that matter; None where it does not."""
        opened = self._script.place.open311
        if (
            report["channel"] != opened.channel
            or not opened.offers(report["category"])
            or "lon" not in report
        ):
            return None
        form = {
            "service_code": report["category"], "description": report["title"], "lat": report["lat"],
            "long": report["lon"], "address_string": report.get("address", ""),
        }  # fmt: skip
        key = {"Idempotency-Key": f"sim-{uuid.uuid4()}"}
        answer = await self._server.until_answered(
            "POST", "/open311/v2/requests.json", "citizen", data=form, headers=key
        )
        if not answer.is_success:  # a question that must be answered, say
            return None
        self._counts["open311"] += 1
        number = str(answer.json()[0]["service_request_id"])
        found = await self._server.until_answered(
            "GET", f"/api/tickets/{number.rpartition('-')[2]}", "citizen"
        )
        told: dict[str, Any] | None = found.json() if found.is_success else None
        return told

    async def _step(self, due: Due) -> None:
        """Look at the ticket and do what comes next; somebody else, or a job, may have moved it."""
        answer = await self._server.until_answered("GET", f"/api/tickets/{due.id}", "dispatcher")
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
        answer = await self._server.until_answered("POST", path, part, json=body, headers=key)
        if answer.is_success:
            self._counts["steps"] += 1
            self.commands[command] += 1
            told: dict[str, Any] = answer.json()
            return told
        if answer.status_code not in (404, 409):  # 409: somebody was quicker
            self._counts["turned_down"] += 1
            log.warning("step refused", command=command, status=answer.status_code, body=answer.text[:300])
        return None

    async def _duplicate(self, ticket: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """Merge a new ticket now and then into one that says the same."""
        offered = [row["command"] for row in ticket["commands"]]
        if ticket["dispatched_at"] or "merge" not in offered or self._chance.random() >= COMPARED:
            return None
        answer = await self._server.until_answered(
            "GET", f"/api/tickets/{ticket['id']}/duplicates", "dispatcher"
        )
        found = answer.json() if answer.is_success else []
        alike = [one for one in found if one["likeness"] >= ALIKE and one["id"] != ticket["id"]]
        return ("merge", {"into": alike[0]["id"]}) if alike else None

    async def sit(self) -> None:
        """Work at the desks, as much as new tickets make."""
        while True:
            await asyncio.sleep(TICK_S)
            while self.desk is not None and self._desk_work >= 1:
                self._desk_work -= 1
                await self.desk.act()

    async def _picture(self, part: str, ticket: int) -> str | None:
        """Id of a picture that was drawn and sent in; None when the server takes no more of them now."""
        data = await asyncio.to_thread(scene.draw, ticket % scene.KINDS, done=part != "citizen")
        headers = {"Content-Type": "image/jpeg"}
        answer = await self._server.once("POST", "/api/pictures", part, content=data, headers=headers)
        if answer is None or not answer.is_success:
            return None
        self._counts["pictures"] += 1
        return str(answer.json()["id"])

    def _poisson(self, mean: float) -> int:
        """A random count with that mean, by counting exponential waits."""
        count, left = 0, mean
        while (left := left - self._chance.expovariate(1.0)) > 0:
            count += 1
        return count
