"""The one table of a ticket's states and of the commands that lead from one to another."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from services.access.roles import Right

Status = Literal[
    "reported", "accepted", "dispatched", "signed", "in_progress", "handled", "verified", "closed", "archived",
    "returned", "suspended", "consulted", "transferred", "merged", "rejected", "reopened", "cancelled",
]  # fmt: skip
STATUSES: tuple[Status, ...] = get_args(Status)
ENDED: frozenset[Status] = frozenset({"closed", "archived", "merged", "rejected", "cancelled"})
VOID: frozenset[Status] = frozenset({"merged", "rejected", "cancelled"})  # never in a rate
OPEN: frozenset[Status] = frozenset(STATUSES) - ENDED
WAITING: frozenset[Status] = frozenset({"suspended", "consulted", "merged"})  # they go on in the state before
UNASSIGNED: frozenset[Status] = frozenset({"reported", "accepted", "returned", "reopened"})
HELD: frozenset[Status] = frozenset({"dispatched", "transferred", "signed", "in_progress"})

STAY: Literal["stay"] = "stay"  # the command leaves the state as it is
BACK: Literal["back"] = "back"  # to where it was before it waited


class Transition(NamedTuple):
    """A command: from which states it is allowed, the state after it, the right it needs (None: the product's own)."""

    before: frozenset[Status]
    after: Status | Literal["stay", "back"]
    right: Right | None
    undoable: bool = False  # by whoever gave it, shortly afterwards, while nothing followed


def _from(*states: Status) -> frozenset[Status]:
    return frozenset(states)


_DISPATCH, _WORK, _SUPERVISE = Right.TICKETS_DISPATCH, Right.TICKETS_WORK, Right.TICKETS_SUPERVISE
_ANY = frozenset(STATUSES)

# What is not here is not allowed.
TRANSITIONS: Mapping[str, Transition] = MappingProxyType(
    {
        # taking up
        "accept": Transition(_from("reported", "reopened"), "accepted", _DISPATCH, True),
        "reject": Transition(_from("reported", "accepted", "reopened"), "rejected", _DISPATCH, True),
        "cancel": Transition(UNASSIGNED | {"dispatched"}, "cancelled", _DISPATCH, True),
        "merge": Transition(UNASSIGNED | HELD, "merged", _DISPATCH),
        "unmerge": Transition(_from("merged"), BACK, _DISPATCH),
        # handing on
        "dispatch": Transition(_from("accepted", "returned", "reopened"), "dispatched", _DISPATCH, True),
        "whistle": Transition(HELD | {"accepted", "returned", "reopened"}, "dispatched", _WORK, True),
        "transfer": Transition(HELD, "transferred", _DISPATCH, True),
        "respond": Transition(HELD, STAY, _WORK),
        "refuse": Transition(HELD, STAY, _WORK),
        "send_back": Transition(HELD, "returned", _WORK),
        "recall": Transition(HELD, "returned", _DISPATCH, True),
        # the work
        "sign": Transition(_from("dispatched", "transferred"), "signed", _WORK),
        "start": Transition(_from("signed"), "in_progress", _WORK),
        "suspend": Transition(_from("signed", "in_progress"), "suspended", _WORK, True),
        "resume": Transition(_from("suspended"), BACK, _WORK),
        "consult": Transition(_from("accepted", "signed", "in_progress", "returned"), "consulted", _WORK),
        "conclude": Transition(_from("consulted"), BACK, _WORK),
        "handle": Transition(_from("signed", "in_progress"), "handled", _WORK),
        "progress": Transition(HELD, STAY, _WORK),
        "plan": Transition(OPEN, STAY, _WORK),
        "node_done": Transition(OPEN, STAY, _WORK),
        # the end
        "verify": Transition(_from("handled"), "verified", _DISPATCH, True),
        "redo": Transition(_from("handled", "verified"), "in_progress", _DISPATCH),
        "call_back": Transition(_from("handled", "verified", "closed"), STAY, Right.TICKETS_CALL_BACK),
        "close": Transition(_from("handled", "verified"), "closed", _DISPATCH, True),
        "inspect": Transition(_from("handled", "verified", "closed"), STAY, _SUPERVISE),
        "archive": Transition(_from("closed"), "archived", _DISPATCH),
        "reopen": Transition(_from("closed", "archived", "rejected", "cancelled"), "reopened", _DISPATCH),
        # at any time
        "supervise": Transition(OPEN, STAY, _SUPERVISE, True),
        "urge": Transition(OPEN, STAY, _SUPERVISE),
        "regrade": Transition(OPEN, STAY, _DISPATCH, True),
        "relocate": Transition(OPEN, STAY, _DISPATCH, True),
        "register": Transition(OPEN, STAY, _DISPATCH),
        "remark": Transition(_ANY, STAY, _WORK),
        "attach": Transition(_ANY, STAY, _WORK),
        "undo": Transition(_ANY, STAY, _WORK),  # to what the event before left
        "closed_with": Transition(
            _from("merged"), STAY, None
        ),  # the ticket that it was merged into has ended
        "reopened_with": Transition(_from("merged"), STAY, None),
        "tick": Transition(OPEN, STAY, None),  # a moment of its clock came
    }
)


@cache
def commands_from(status: str) -> tuple[str, ...]:
    """The commands that the table allows in that state, in its order; the product's own left out."""
    return tuple(name for name, row in TRANSITIONS.items() if row.right is not None and status in row.before)
