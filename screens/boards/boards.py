"""The one table of boards: who may open each, and what stands in its frame before its data have come."""

from dataclasses import dataclass

from services.access import Right


@dataclass(frozen=True, slots=True)
class Board:
    """A work desk at /<name>/."""

    name: str
    right: Right
    tiles: tuple[str, ...]  # figures on top
    ledgers: tuple[str, ...]  # that can be taken away here
    tabs: tuple[str, ...]  # views of its queue


BOARDS = {
    board.name: board
    for board in (
        Board(
            "callbacks",
            Right.TICKETS_CALL_BACK,
            ("queue", "late", "reached", "content", "solved"),
            ("call_backs",),
            ("due", "later", "given_up"),
        ),
        Board(
            "supervision",
            Right.TICKETS_SUPERVISE,
            ("watched", "watched_late", "unsatisfied", "late", "done"),
            ("supervision", "consultations"),
            ("cases", "consultations"),
        ),
        Board(
            "mediation",
            Right.MEDIATE,
            ("open", "accepted", "closed", "settled", "performed"),
            ("mediation",),
            ("queue", "open", "ended"),
        ),
    )
}
