"""The desks of a run: a signed-in dispatcher who watches over late tickets, rings in vain and mediates disputes."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import structlog

from services.simulator.played import Played, words

log = structlog.get_logger("wangge.simulator")
Answer = httpx.Response | None
Ask = Callable[..., Awaitable[Answer]]
Row = dict[str, Any]

# Shares of what is done with a case now and then.
DECLINED, MOVED_UP, FAILED, WITHDRAWN, BREACHED = 0.03, 0.12, 0.04, 0.03, 0.08
OUTCOMES = {"agreed": 55, "continued": 35, "absent": 10}
FORMS = {"written": 70, "oral": 20, "confirmed": 10}
LOOKED_AT = 40  # rows of a board


class Desk:
    """One session; every action is a few requests. Signed out, it signs in again."""

    def __init__(self, ask: Ask, account: tuple[str, str], place: Played, chance: random.Random) -> None:
        """`ask(method, path, **what)` makes one attempt; `account` is login and password."""
        self._ask, self._account, self._place, self._chance = ask, account, place, chance
        self._csrf = ""
        self.given: Counter[str] = Counter()
        self.disputes: list[Row] = []  # tickets that may become cases

    async def act(self) -> None:
        """Do one thing at one of the desks."""
        if not self._csrf and not await self._sign_in():
            return
        if self.disputes:
            await self._receive(self.disputes.pop())
            return
        deeds = {self._mediate: 5, self._watch: 3, self._ring: 2}
        await self._chance.choices(list(deeds), list(deeds.values()))[0]()

    async def _sign_in(self) -> bool:
        login, password = self._account
        answer = await self._ask("POST", "/api/session", json={"login": login, "password": password})
        if answer is None or not answer.is_success:
            return False
        self._csrf = answer.json()["csrf"]
        return True

    async def _get(self, path: str) -> Any:
        answer = await self._ask("GET", path)
        if answer is not None and answer.status_code == 401:
            self._csrf = ""
        return answer.json() if answer is not None and answer.is_success else None

    async def _post(self, name: str, path: str, body: Row) -> None:
        answer = await self._ask("POST", path, json=body, headers={"X-CSRFToken": self._csrf})
        if answer is None or answer.status_code in (404, 409):  # somebody was quicker
            return
        if answer.is_success:
            self.given[name] += 1
            return
        if answer.status_code in (401, 403):
            self._csrf = ""
        self.given["turned_down"] += 1
        log.warning("desk refused", command=name, status=answer.status_code, body=answer.text[:300])

    # --- supervision and call-backs

    async def _watch(self) -> None:
        """Urge somebody whose ticket is late, or put it under supervision."""
        board = await self._get(f"/api/desks/supervision?limit={LOOKED_AT}")
        row = self._one(board)
        ticket = row and await self._get(f"/api/tickets/{row['id']}")
        if not ticket:
            return
        offered = [one["command"] for one in ticket["commands"]]
        if "supervise" in offered and not ticket["supervised_at"] and self._place.supervisions:
            body = {"reason": self._said("reasons", "supervise"), "supervision": self._place.supervisions[0]}
            await self._command(ticket, "supervise", body)
        elif "urge" in offered:
            await self._command(ticket, "urge", {"note": self._said("words", "urge")})

    async def _ring(self) -> None:
        """A call that nobody answers."""
        row = self._one(await self._get(f"/api/desks/call-backs?state=now&limit={LOOKED_AT}"))
        if row:
            await self._post("ring", f"/api/desks/call-backs/{row['id']}/attempts", {"outcome": "no_answer"})

    async def _command(self, ticket: Row, command: str, body: Row) -> None:
        await self._post(
            command, f"/api/tickets/{ticket['id']}/{command}", body | {"version": ticket["version"]}
        )

    # --- mediation

    async def _receive(self, ticket: Row) -> None:
        names = [self._said("mediation", "surnames") + self._said("mediation", "given") for _ in range(2)]
        sides = zip(names, ("applicant", "respondent"), strict=True)
        body = {
            "area": ticket["area"]["code"],
            "category": ticket["category"],
            "ticket": ticket["id"],
            "matter": self._said("mediation", "matters"),
            "parties": [{"side": side, "name": name} for name, side in sides],
        }
        await self._post("mediation receive", "/api/mediation", body)

    async def _mediate(self) -> None:
        """Go on with one of the cases."""
        row = self._one(await self._get(f"/api/mediation?view=open&limit={LOOKED_AT}"))
        case = row and await self._get(f"/api/mediation/{row['id']}")
        if not case:
            return
        command, body = await self._next(case)
        if command in case["commands"]:
            path = f"/api/mediation/{case['id']}/{command}"
            await self._post(f"mediation {command}", path, body | {"version": case["version"]})

    async def _next(self, case: Row) -> tuple[str, Row]:
        """What comes next for a case."""
        if case["state"] == "received":
            if self._chance.random() < DECLINED:
                return "decline", {"reason": self._said("mediation", "reasons")}
            return "accept", {}
        if case["state"] == "settled":
            if self._chance.random() < BREACHED:
                return "breach", {"reason": self._said("mediation", "failed")}
            return "perform", {"performed_on": self._today().isoformat()}
        if case["mediator"] is None and (somebody := await self._mediator(case)):
            return "assign", somebody
        return self._talk(case)

    def _talk(self, case: Row) -> tuple[str, Row]:
        """Meetings, and what comes of them."""
        now, drawn = datetime.now(UTC), self._chance.random()
        last = case["sessions"][-1] if case["sessions"] else {"held_at": now, "outcome": None}
        if last["held_at"] is None:
            body = {"session": last["seq"], "held_at": now.isoformat(), "outcome": self._drawn(OUTCOMES)}
            return "hold_session", body
        if last["outcome"] == "agreed":
            perform_by = (self._today() + timedelta(days=14)).isoformat()
            agreement = self._said("mediation", "agreements")
            return "settle", {"agreement": agreement, "form": self._drawn(FORMS), "perform_by": perform_by}
        for command, share, kind in (
            ("move_up", MOVED_UP * (case["tier"] < self._place.mediation_tiers), "reasons"),
            ("fail", FAILED, "failed"),
            ("withdraw", WITHDRAWN, "withdrawn"),
        ):
            if (drawn := drawn - share) < 0:
                return command, {"reason": self._said("mediation", kind)}
        planned = now + timedelta(hours=self._chance.uniform(1, 48))
        return "plan_session", {"planned_at": planned.isoformat()}

    def _today(self) -> date:
        return datetime.now(self._place.zone).date()

    async def _mediator(self, case: Row) -> Row | None:
        told = await self._get(f"/api/mediation/{case['id']}/mediators")
        posts = [one for one in (told or {}).get("mediators", ()) if one["kind"] == "post"]
        if not posts:
            return None
        room = {"room": self._chance.choice(told["rooms"])} if told["rooms"] else {}
        return {"post": self._chance.choice(posts[:5])["id"]} | room

    # --- chance

    def _one(self, board: Any) -> Row | None:
        rows: list[Row] = board["rows"] if board else []
        return self._chance.choice(rows) if rows else None

    def _said(self, part: str, kind: str) -> str:
        return str(self._chance.choice(words()[part][kind]))

    def _drawn(self, shares: dict[str, int]) -> str:
        return self._chance.choices(list(shares), list(shares.values()))[0]
