"""Requests to one Dash callback: as the page sends them with anything in them, parts missing or replaced, no JSON."""

import inspect
import re
from random import Random
from typing import Any
from urllib.parse import urlencode

from callbacks.admin import accounts, audit, clients, devices, sessions, walls
from tests.api.fuzzing.requests import Request, encoded_json
from tests.api.fuzzing.values import anything, scalar, text

# The names of fields that the callbacks read, and what their buttons do.
NAMES = sorted(
    set(re.findall(r"\.(?:text|texts|number)\(\"(\w+)\"", "".join(
        inspect.getsource(module) for module in (accounts, audit, clients, devices, sessions, walls)
    ))) | {"code", "lang", "period", "do", "act", "id"}
)  # fmt: skip
ACTS = sorted({act for tab in (accounts, clients, devices, sessions, walls) for act in tab.ACTS})


class Callback:
    """Makes requests to one callback of a screen."""

    def __init__(self, screen: str, output: str, known: dict[str, Any], number: int) -> None:
        self._path = f"/{screen}/_dash-update-component"
        self._output, self._known = output, known
        self._chance = Random(f"{number} {output}")
        several = output.startswith("..")
        parts = output[2:-2].split("...") if several else [output]
        outputs = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in parts]
        self._outputs: Any = outputs if several else outputs[0]

    def make(self, wanted: int) -> list[Request]:
        """So many requests."""
        return [self._one() for _ in range(wanted)]

    def _one(self) -> Request:
        chance = self._chance
        query = (
            urlencode({"endId": text(chance)}, errors="replace").encode() if chance.random() < 0.3 else b""
        )
        kind = chance.random()
        if kind < 0.1:
            body = chance.randbytes(chance.randrange(200))
        else:
            whole = self._whole()
            if kind < 0.35:
                key = chance.choice(sorted(whole))
                del whole[key]
                if kind < 0.2:
                    whole[key] = anything(chance)
            body = encoded_json(whole)
        return Request("POST", self._path, query, ((b"content-type", b"application/json"),), body)

    def _whole(self) -> dict[str, Any]:
        inputs, state = self._slots("inputs"), self._slots("state")
        changed = [f"{slot['id']}.{slot['property']}" for slot in inputs]
        return {
            "output": self._output, "outputs": self._outputs, "inputs": inputs, "state": state,
            "changedPropIds": self._chance.sample(changed, min(len(changed), self._chance.randrange(3))),
        }  # fmt: skip

    def _slots(self, kind: str) -> list[dict[str, Any]]:
        return [{**slot, "value": self._value()} for slot in self._known[kind]]

    def _value(self) -> Any:
        chance = self._chance
        if chance.random() < 0.3:
            return anything(chance)
        return {chance.choice(NAMES): self._field() for _ in range(chance.randrange(7))}

    def _field(self) -> Any:
        chance, kind = self._chance, self._chance.random()
        if kind < 0.3:
            return chance.choice(ACTS)
        return str(chance.randrange(31)) if kind < 0.5 else scalar(chance) if kind < 0.9 else anything(chance)
