"""Whose ground a ticket lies on, told by the numbers of areas alone."""

from typing import Literal

Relation = Literal["own", "wider", "community", "town", "none"]
STRIDES = (10**12, 10**9, 10**6, 10**3)  # city, county, town, community: docs/adr/0004-area-numbers.md


def stride(no: int) -> int:
    """How many numbers an area has for itself and all below it."""
    return 1 if no % STRIDES[-1] else next(size for size in STRIDES if no % size == 0)


def above(no: int) -> list[int]:
    """Numbers of the area and of all that hold it, the smallest first."""
    return list(dict.fromkeys([no, *(no - no % size for size in reversed(STRIDES) if no >= size)]))


def neighbourhood(no: int) -> tuple[int, int]:
    """Range of numbers of a grid's community; of a community or town its own, of what is wider that number alone."""
    size = max(stride(no), 10**3)
    if size > 10**6:
        return no, no  # who has the duty of a whole county is nobody's neighbour
    low = no - no % size
    return low, low + size - 1


def relation(duty_no: int, ticket_no: int) -> Relation:
    """How an area of duty stands to the area of a ticket."""
    if duty_no % 10**6 and duty_no // 10**6 != ticket_no // 10**6:
        return "none"  # in another town, as most are
    size = stride(duty_no)
    if duty_no == ticket_no and size == 1:
        return "own"
    if duty_no <= ticket_no < duty_no + size:
        return "wider"
    if duty_no // 10**3 == ticket_no // 10**3:
        return "community"
    return "town" if duty_no // 10**6 == ticket_no // 10**6 else "none"
