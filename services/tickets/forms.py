"""What a screen asks for a command: its fields with their kind, whether they must be given, and what may be chosen."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from geodata.queries.tickets import Ticket
from profiles import Profile
from profiles.part import Named
from services.access.viewer import Viewer
from services.tickets.engine import Allowed
from services.tickets.orders import ORDERS

Kind = Literal[
    "text",
    "words",
    "number",
    "moment",
    "choice",
    "select",
    "checks",
    "callees",
    "callee",
    "nodes",
    "pictures",
]
KINDS: dict[str, Kind] = {
    "reason": "words", "note": "words", "question": "words", "decision": "words", "result": "words", "comment": "words",
    "finding": "words", "address": "text", "until": "moment", "into": "number", "lon": "number", "lat": "number",
    "worker": "select", "department": "select", "category": "select", "party": "select", "node": "select",
    "tier": "choice", "satisfaction": "choice", "solved": "choice", "severity": "choice", "nature": "choice",
    "risk": "choice", "supervision": "choice", "work_kind": "select", "passed": "choice", "participants": "checks",
    "joint": "callees", "lead": "callee", "nodes": "nodes", "pictures": "pictures",
}  # fmt: skip
FIRST, LAST = ("tier", "lead"), ("note",)  # asked first, and last
NOT_ASKED = ("version", "datum", "post", "due_at")  # the last two are asked for at the dispatchers' desk


class Option(NamedTuple):
    """Something that may be chosen; without names the catalogues have a word for it."""

    value: str
    name: str | None = None
    name_en: str | None = None


class Asked(NamedTuple):
    """A field of a command's form."""

    name: str
    kind: Kind
    required: bool
    options: list[Option]


def form_of(
    profile: Profile, viewer: Viewer, ticket: Ticket, allowed: Allowed, workers: Iterable[Option]
) -> list[Asked]:
    """The fields of a command, those that must be given before the others; `workers` are those who could take it."""
    fields = [name for name in ORDERS[allowed.command].model_fields if name not in NOT_ASKED]
    asked = [
        Asked(name, KINDS[name], name in allowed.needs, _options(profile, viewer, ticket, name, workers))
        for name in fields
    ]
    return sorted(asked, key=lambda field: (field.name not in FIRST, not field.required, field.name in LAST))


def _options(
    profile: Profile, viewer: Viewer, ticket: Ticket, field: str, workers: Iterable[Option]
) -> list[Option]:
    loop = profile.loop
    callees = [("department", one) for one in _named(profile.departments)] + [
        ("worker", one) for one in workers
    ]
    departments = _named(profile.departments)
    waiting = [
        party for party in ticket.parties if not party.get("responded_at") and not party.get("refused_at")
    ]
    known = {option.value: option for option in (*departments, *workers)}
    choices: dict[str, list[Option]] = {
        "department": departments,
        "participants": departments,
        "worker": list(workers),
        "category": _named(kind for category in profile.categories for kind in category.kinds),
        "tier": [
            Option(str(number), tier.name, tier.name_en)
            for number, tier in enumerate(loop.tiers, 1)
            if (not tier.callers or viewer.role in tier.callers) and (not tier.whole or viewer.scope.county)
        ],
        "severity": _named(loop.severities),
        "nature": _named(loop.natures),
        "risk": _named(loop.risks),
        "work_kind": _named(loop.work_kinds),
        "supervision": _named(loop.supervisions),
        "satisfaction": [Option(code) for code in ("satisfied", "fairly", "unsatisfied", "unrated")],
        "solved": [Option(code) for code in ("solved", "partly", "unsolved")],
        "passed": [Option("true"), Option("false")],
        "party": [
            known.get(party["code"], Option(party["code"], party["code"], party["code"])) for party in waiting
        ],
        "node": [
            Option(str(number), node["name"], node["name"])
            for number, node in enumerate(ticket.nodes, 1)
            if not node.get("done_at")
        ],
    }
    choices["lead"] = choices["joint"] = [one._replace(value=f"{kind}:{one.value}") for kind, one in callees]
    return choices.get(field, [])


def _named(rows: Iterable[Named]) -> list[Option]:
    return [Option(row.code, row.name, row.name_en) for row in rows]


def told(asked: Asked) -> dict[str, Any]:
    """The field as JSON."""
    return asked._asdict() | {"options": [option._asdict() for option in asked.options]}
