"""One command for many tickets: each is carried out by the engine on its own, and each answers for itself."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from geodata.queries.ticket_events import standing_event
from geodata.scope import Pool
from profiles import Profile
from services import audit, tickets
from services.access import Viewer, opened
from services.dispatch import claims
from services.dispatch.errors import Claimed
from services.ticket_list.asked import BadFilter
from services.tickets import ORDERS, TRANSITIONS

MOST = 200
ASSIGN = frozenset({"dispatch", "transfer", "whistle", "recall"})  # they stand in the audit


class Item(NamedTuple):
    """A ticket and the version that the sender has seen."""

    id: int
    version: int


class Answer(NamedTuple):
    """What became of one ticket: it is as the command left it, or why not."""

    id: int
    ticket: tickets.Done | None
    error: Exception | None


class Offer(NamedTuple):
    """A command that `tickets` of those chosen allow, what it must carry, and whether it can be taken back."""

    command: str
    needs: tuple[str, ...]
    undoable: bool
    tickets: int


def give(
    pool: Pool,
    profile: Profile,
    viewer: Viewer,
    command: str,
    order: dict[str, Any],
    items: Sequence[Item],
    *,
    key: str | None = None,
) -> list[Answer]:
    """Carry a command out on each ticket in a transaction of its own, in the order given.

    Those that are refused change nothing, and stop nobody. Raises BadFilter for an unknown command, or for an order
    that none of the tickets could take.
    """
    if command not in ORDERS or TRANSITIONS[command].right is None:
        raise BadFilter("command", command, [name for name in ORDERS if TRANSITIONS[name].right is not None])
    try:
        ORDERS[command].model_validate({**order, "version": 1})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(map(str, fault["loc"])) or "order"
        given = None if fault["type"] == "missing" else str(fault["input"])[:100]
        raise BadFilter(f"order.{field}", given, fault["msg"]) from None
    return [_give(pool, profile, viewer, command, order, item, key) for item in items]


def _give(
    pool: Pool, profile: Profile, viewer: Viewer, command: str, order: dict[str, Any], item: Item, key: str | None
) -> Answer:  # fmt: skip
    wanted = ORDERS[command].model_validate({**order, "version": item.version})
    try:
        with opened(pool, viewer) as (conn, _):
            own = key and f"{key}:{item.id}"
            claims.require_decidable(conn, viewer, item.id, command, own)
            done = tickets.perform(conn, profile, viewer, item.id, command, wanted, key=own)
            if command in ASSIGN and not done.replayed:
                audit.record(
                    conn, viewer, audit.Action.assignment, object_kind="ticket", object_id=item.id,
                    area_no=done.ticket.area.no,
                    detail={"worker": done.ticket.worker, "department": done.ticket.department},
                )  # fmt: skip
    except (
        tickets.UnknownTicket, tickets.StaleVersion, tickets.NotAllowed, tickets.NotYours, tickets.BadReport, Claimed,
    ) as error:  # fmt: skip
        return Answer(item.id, None, error)
    return Answer(item.id, done, None)


def offers(pool: Pool, profile: Profile, viewer: Viewer, ids: Sequence[int]) -> list[Offer]:
    """The commands that the viewer may give to any of these tickets, in the order of the table of states."""
    counted: Counter[str] = Counter()
    with opened(pool, viewer) as (conn, _):
        for number in ids:
            try:
                ticket = tickets.read(conn, number)
            except tickets.UnknownTicket:
                continue
            counted.update(
                row.command
                for row in tickets.allowed(profile, viewer, ticket, standing_event(conn, ticket.id))
            )
    return [
        Offer(name, tickets.needs(profile, name), row.undoable, counted[name])
        for name, row in TRANSITIONS.items()
        if counted[name]
    ]
