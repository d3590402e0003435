"""The shape of a callback's request, checked before Dash believes it: Dash itself answers most faults with a 500."""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import g, request

from screens import area

DEEPEST = 40  # lists and objects within each other
LARGEST_INTEGER = 2**63
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
Slot = dict[str, Any]  # id, property and, in a request, value


class Malformed(ValueError):
    """The body is not what Dash's renderer sends; the message says where."""


def body() -> dict[str, Any]:
    """The request's body, read once. Raises Malformed for what is no JSON object, or not one for a database."""
    if "callback_body" not in g:
        g.callback_body = _parsed(request.get_data(cache=True))
    parsed = g.callback_body
    if not isinstance(parsed, dict):
        raise Malformed("The body is no object.")
    return parsed


def check(callback: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Hold a body against the callback that it names, as registered. Raises Malformed."""
    if request.args.keys() - {"endId"}:  # Dash's renderer names its page in every request
        raise Malformed("A callback takes no query.")
    output = str(given.get("output"))
    outputs = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in _parts(output)]
    if given.get("outputs") != (outputs if output.startswith("..") else outputs[0]):
        raise Malformed("outputs are not those of the callback.")
    inputs = _slots("inputs", callback.get("inputs", []), given.get("inputs"))
    _slots("state", callback.get("state", []), given.get("state", []))
    changed = given.get("changedPropIds")
    if not isinstance(changed, list) or not all(isinstance(one, str) and one in inputs for one in changed):
        raise Malformed("changedPropIds names what is no input.")


def _parts(output: str) -> list[str]:
    return output[2:-2].split("...") if output.startswith("..") else [output]


def _slots(name: str, wanted: list[Slot], given: Any) -> set[str]:
    """The names of the inputs or states, after each was found in its place with a value that may stand there."""
    if not isinstance(given, list) or len(given) != len(wanted):
        raise Malformed(f"{name} are {len(wanted)} in a list.")
    names = set()
    for want, slot in zip(wanted, given, strict=True):
        own = f"{want['id']}.{want['property']}"
        if not isinstance(slot, dict) or not {"id", "property"} <= slot.keys() <= {"id", "property", "value"}:
            raise Malformed(f"{own} is no object of id, property and value.")
        if (slot["id"], slot["property"]) != (want["id"], want["property"]):
            raise Malformed(f"{own} is not in its place among {name}.")
        if own in VALUES and not VALUES[own](slot.get("value")):
            raise Malformed(f"{own} has a value that the page never sends.")
        names.add(own)
    return names


def _address(value: Any) -> bool:
    """Code of the area, language, period: short texts or nothing."""
    return isinstance(value, dict) and all(
        one is None or (isinstance(one, str) and len(one) <= 100) for one in value.values()
    )


def _counted(value: Any) -> bool:
    """How often something happened; nothing before the first time."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _rows(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(row, dict) for row in value))


# Inputs whose callbacks rely on a kind of value; the others look at theirs themselves.
VALUES: Mapping[str, Callable[[Any], bool]] = {
    f"{area.ADDRESS}.data": _address,
    f"{area.TICK}.data": _counted,
    f"{area.EXPORT}.n_clicks": _counted,
    f"{area.TABLE}.rowData": _rows,
}


def _parsed(raw: bytes) -> Any:
    depth = deepest = 0
    for mark in STRING.sub(b"", raw):
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"]}":
            depth -= 1
    if deepest > DEEPEST:
        raise Malformed(f"The body is nested more than {DEEPEST} deep.")
    try:
        parsed = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Malformed("The body is no JSON.") from None
    _look_through(parsed)
    return parsed


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _look_through(value: Any) -> None:
    """Refuse what JSON can say and a database cannot keep. (Depth is known to be small.)"""
    if isinstance(value, dict):
        for name, one in value.items():
            _look_through(name)
            _look_through(one)
    elif isinstance(value, list):
        for one in value:
            _look_through(one)
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value if char > "\ud7ff"):
            raise Malformed("A text holds what is no character.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Malformed("A number is beyond all measure.")
    elif isinstance(value, int) and not -LARGEST_INTEGER <= value < LARGEST_INTEGER:
        raise Malformed("A number is beyond all measure.")
