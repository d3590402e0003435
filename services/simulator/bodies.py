"""What a command carries when somebody of a run gives it."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.simulator.played import Played, words

Body = dict[str, Any]
Ticket = dict[str, Any]
Chance = random.Random

SATISFACTION = {"satisfied": 72, "fairly": 14, "unsatisfied": 6, "unrated": 8}  # shares
HEARD_AGAIN = {"satisfied": 70, "fairly": 20, "unsatisfied": 10}  # of those asked after a redo
SOLVED = {"satisfied": "solved", "fairly": "partly", "unsatisfied": "unsolved"}
UNSATISFIED = "unsatisfied"
COMMENTED = 0.6  # share of call-backs with a sentence
NOT_PASSED = 0.1  # share of inspections that find something
JOINED = 0.1  # share of dispatches with somebody who helps
ON_SITE = 0.6  # share that goes to the grid's own worker
PAUSE_H = (2.0, 48.0)


def waiting(ticket: Ticket) -> list[str]:
    """Codes of the parties that were called and have not answered, the lead first."""
    if not ticket["respond_due"]:
        return []
    parties = sorted(ticket["parties"], key=lambda party: party["part"] != "lead")
    return [
        party["code"] for party in parties if not party.get("responded_at") and not party.get("refused_at")
    ]


def body_of(command: str, needs: list[str], ticket: Ticket, place: Played, chance: Chance) -> Body | None:
    """What the command carries besides version and pictures; None when it cannot be given to that ticket."""
    make = _BODIES.get(command)
    body = make(ticket, place, chance) if make else {}
    if body is not None:
        for field in needs:
            if field not in body and field != "pictures":
                body[field] = _some(command, field, chance)
    return body


def _dispatch(ticket: Ticket, place: Played, chance: Chance) -> Body:
    body: Body = {}
    usual = place.usual.get(ticket["category"])
    worker = place.worker_of(ticket["area"]["no"], chance)
    if worker and (usual is None or chance.random() < ON_SITE):
        body["worker"] = worker
    elif usual is None:
        body["department"] = place.other(None, chance)
    if chance.random() < JOINED and (other := place.other(usual, chance)):
        body["joint"] = [{"kind": "department", "code": other}]
    return body


def _transfer(ticket: Ticket, place: Played, chance: Chance) -> Body | None:
    other = place.other(ticket["department"], chance)
    return {"department": other} if other else None


def _answer(ticket: Ticket, _place: Played, _chance: Chance) -> Body | None:
    called = waiting(ticket)
    return {"party": called[0]} if called else None


def _sign(ticket: Ticket, place: Played, chance: Chance) -> Body:
    worker = None if ticket["worker"] else place.worker_of(ticket["area"]["no"], chance)
    return {"worker": worker} if worker else {}


def _suspend(_ticket: Ticket, _place: Played, chance: Chance) -> Body:
    return {"until": (datetime.now(UTC) + timedelta(hours=chance.uniform(*PAUSE_H))).isoformat()}


def _consult(_ticket: Ticket, place: Played, chance: Chance) -> Body:
    return {"participants": chance.sample(place.departments, min(2, len(place.departments)))}


def _regrade(_ticket: Ticket, place: Played, chance: Chance) -> Body | None:
    given = {"severity": place.severities, "nature": place.natures}
    return {name: chance.choice(codes) for name, codes in given.items() if codes} or None


def _register(ticket: Ticket, place: Played, chance: Chance) -> Body | None:
    if place.work_kinds:
        return {"work_kind": chance.choice(place.work_kinds)}
    return {} if ticket["status"] in ("handled", "verified") else None  # where closing waits for it


def _plan(_ticket: Ticket, _place: Played, _chance: Chance) -> Body:
    now, names = datetime.now(UTC), words()["plan"]["nodes"]
    return {
        "nodes": [
            {"name": name, "due": (now + timedelta(days=2 * number)).isoformat()}
            for number, name in enumerate(names, 1)
        ]
    }


def _node_done(ticket: Ticket, _place: Played, _chance: Chance) -> Body | None:
    waits = [number for number, node in enumerate(ticket["nodes"], 1) if not node.get("done_at")]
    return {"node": waits[0]} if waits else None


def _call_back(ticket: Ticket, _place: Played, chance: Chance) -> Body:
    again = ticket["redos"] > 0 or ticket["satisfaction"] == UNSATISFIED
    satisfaction = _drawn(HEARD_AGAIN if again else SATISFACTION, chance)
    body = {"satisfaction": satisfaction, "solved": SOLVED.get(satisfaction, "solved")}
    if chance.random() < COMMENTED:
        body["comment"] = chance.choice(words()["comments"][satisfaction])
    return body


def _close(ticket: Ticket, _place: Played, chance: Chance) -> Body:
    if ticket["satisfaction"] is not None:
        return {}
    return {
        "satisfaction": _drawn({name: n for name, n in SATISFACTION.items() if name != UNSATISFIED}, chance)
    }


def _inspect(_ticket: Ticket, _place: Played, chance: Chance) -> Body:
    passed = chance.random() >= NOT_PASSED
    return {
        "passed": passed,
        "finding": chance.choice(words()["words"]["finding" if passed else "not_passed"]),
    }


_BODIES: dict[str, Callable[[Ticket, Played, Chance], Body | None]] = {
    "dispatch": _dispatch, "transfer": _transfer, "respond": _answer, "refuse": _answer, "sign": _sign,
    "suspend": _suspend, "consult": _consult, "regrade": _regrade, "register": _register, "plan": _plan,
    "node_done": _node_done, "call_back": _call_back, "close": _close, "inspect": _inspect,
    "whistle": lambda ticket, place, chance: place.whistle(ticket, chance),
}  # fmt: skip


def _some(command: str, field: str, chance: Chance) -> Any:
    """A sentence for a field that the command must carry."""
    if field == "reason":
        return chance.choice(words()["reasons"].get(command) or words()["reasons"]["supervise"])
    known = words()["words"]
    return chance.choice(known.get(field) or known.get(command) or known["remark"])


def _drawn(shares: dict[str, int], chance: Chance) -> str:
    return chance.choices(list(shares), list(shares.values()))[0]
