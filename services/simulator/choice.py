"""What somebody does next with a ticket: one of the commands that the server offers, with all that it must carry."""

import random
from collections.abc import Iterator

from services.simulator.bodies import UNSATISFIED, Body, Ticket, body_of, waiting
from services.simulator.played import Played

# Shares of what is done now and then.
REJECTED, CANCELLED, WHISTLED, CONSULTED, PAUSED = 0.02, 0.015, 0.12, 0.015, 0.03
REFUSED, PASSED_ON, SENT_BACK, REDONE, REOPENED = 0.06, 0.03, 0.03, 0.04, 0.004
GRADED, PLANNED, TOLD, REMARKED = 0.05, 0.05, 0.12, 0.03
CALLED_BACK, ASKED_AGAIN, INSPECTED = 0.6, 0.15, 0.25


def choose(ticket: Ticket, place: Played, chance: random.Random) -> tuple[str, Body] | None:
    """A command and its body; None when there is nothing to do. The body lacks the version and any pictures."""
    offered = {row["command"]: row["needs"] for row in ticket["commands"]}
    for command, share in _wishes(ticket):
        if command not in offered or chance.random() >= share:
            continue
        body = body_of(command, offered[command], ticket, place, chance)
        if body is not None:
            return command, body
    return None


def _wishes(ticket: Ticket) -> Iterator[tuple[str, float]]:
    """Commands in the order in which they come to mind, each with the share of times that it is given."""
    called, heard = bool(waiting(ticket)), ticket["satisfaction"]
    nodes = [node for node in ticket["nodes"] if not node.get("done_at")]
    match ticket["status"]:
        case "reported":
            yield from (("reject", REJECTED), ("accept", 1))
        case "accepted" | "returned" | "reopened":
            graded = 0 if ticket["severity"] else GRADED
            yield from (("cancel", CANCELLED), ("regrade", graded), ("accept", 1), ("register", 1))
            yield from (("consult", CONSULTED), ("whistle", WHISTLED), ("dispatch", 1))
        case "dispatched" | "transferred":
            yield from (("refuse", REFUSED * called), ("respond", called), ("transfer", PASSED_ON))
            yield from (("send_back", SENT_BACK), ("sign", 1))
        case "signed":
            yield from (("plan", 0 if ticket["nodes"] else 1 if _complex(ticket) else PLANNED),)
            yield from (("consult", CONSULTED), ("suspend", PAUSED), ("start", 0.85), ("handle", 1))
        case "in_progress":
            yield from (("remark", REMARKED), ("progress", TOLD), ("suspend", PAUSED), ("consult", CONSULTED))
            yield from (("transfer", PASSED_ON / 3), ("node_done", bool(nodes)), ("handle", 1))
        case "suspended":
            yield ("resume", 1)
        case "consulted":
            yield ("conclude", 1)
        case "handled" | "verified":
            yield from (("redo", 0.45 if heard == UNSATISFIED else REDONE), ("verify", 1))
            yield from (("call_back", 1 if heard == UNSATISFIED else 0 if heard else CALLED_BACK),)
            yield from (("close", 1), ("call_back", 1), ("register", 1), ("node_done", 1))
        case "closed":
            yield from (("call_back", 0 if heard not in (None, "unrated") else ASKED_AGAIN),)
            yield from (("inspect", INSPECTED), ("reopen", REOPENED), ("archive", 1))


def _complex(ticket: Ticket) -> bool:
    return bool(ticket["severity"] == "complex")
