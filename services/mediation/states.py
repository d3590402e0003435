"""The one table of a case's states and of the commands that lead from one to another."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

State = Literal["received", "declined", "accepted", "settled", "failed", "withdrawn"]
STATES: tuple[State, ...] = get_args(State)
ENDED: frozenset[State] = frozenset({"declined", "settled", "failed", "withdrawn"})
STAY: Literal["stay"] = "stay"


class Transition(NamedTuple):
    """A command: from which states it is allowed, and the state after it."""

    before: frozenset[State]
    after: State | Literal["stay"]


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


# What is not here is not allowed.
TRANSITIONS: Mapping[str, Transition] = MappingProxyType(
    {
        "accept": Transition(_from("received"), "accepted"),
        "decline": Transition(_from("received"), "declined"),
        "assign": Transition(_from("received", "accepted"), STAY),
        "plan_session": Transition(_from("accepted"), STAY),
        "hold_session": Transition(_from("accepted"), STAY),
        "settle": Transition(_from("accepted"), "settled"),
        "move_up": Transition(_from("accepted"), STAY),
        "fail": Transition(_from("accepted"), "failed"),
        "withdraw": Transition(_from("received", "accepted"), "withdrawn"),
        "perform": Transition(_from("settled"), STAY),
        "breach": Transition(_from("settled"), STAY),
    }
)


def commands_from(state: str) -> tuple[str, ...]:
    """The commands that the table allows in that state, in its order."""
    return tuple(name for name, row in TRANSITIONS.items() if state in row.before)
