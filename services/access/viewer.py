"""Who asks: an account with a session, a paired wall, another system, or the product itself."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from geodata.scope import EVERYTHING, Scope
from services.access.roles import RIGHTS, Right

Kind = Literal["account", "wall", "client", "system"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a request may do and see; made by the gate, never from what the request itself says."""

    kind: Kind
    id: int
    name: str  # an account's login, a wall's or client's name
    role: str
    scope: Scope
    areas: tuple[str, ...] = ()  # codes of the areas that it was given, in order
    session: str = ""  # names the session, so that it can be ended; no secret
    csrf: str = ""
    view: dict[str, Any] = field(default_factory=dict, hash=False)  # how a wall shows its area
    must_change: bool = False  # may do nothing before its first password is changed
    ip: str = ""

    @property
    def first_area(self) -> str | None:
        """Code of the area that its pages begin with; None for the whole place."""
        return None if self.scope.county or not self.areas else self.areas[0]

    def may(self, right: Right) -> bool:
        """Whether its role has that right."""
        return self.kind == "system" or right in RIGHTS.get(self.role, frozenset())

    def as_json(self) -> dict[str, Any]:
        """What a session keeps of it."""
        kept = asdict(self)
        for passing in ("ip", "session"):
            del kept[passing]
        return kept

    @classmethod
    def from_json(cls, kept: dict[str, Any], **passing: str) -> "Viewer":
        """The viewer that a session kept."""
        scope = kept["scope"]
        parts = tuple((lo, hi) for lo, hi in scope["parts"])
        return cls(
            **{
                **kept,
                "scope": Scope(scope["lo"], scope["hi"], scope["county"], parts),
                "areas": tuple(kept["areas"]),
                **passing,
            }
        )


SYSTEM = Viewer("system", 0, "system", "system", EVERYTHING)
