"""How much each part of a candidate's score weighs here: as the profile says until the place sets its own."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from geodata.outbox import add_event
from geodata.queries import dispatch_weights as queries
from geodata.scope import Db
from profiles import Profile
from profiles.dispatch import Weights
from services import audit
from services.access import Right, Viewer
from services.dispatch.weight_errors import BadWeights, NotForThem, StaleWeights


class Setting(NamedTuple):
    """The weights in force, and who set them when."""

    version: int
    weights: Weights
    changed_at: datetime | None
    changed_by: str | None


def merged(profile: Profile, own: Mapping[str, int]) -> Weights:
    """The profile's weights with the place's own above them; a part that there is no more counts nothing."""
    if not own:
        return profile.dispatch.weights
    known = {name: value for name, value in own.items() if name in Weights.model_fields}
    return profile.dispatch.weights.model_copy(update=known)


def setting(conn: Db, profile: Profile) -> Setting:
    """The weights in force with their history's last entry."""
    row = queries.weights(conn)
    if row is None:
        return Setting(0, profile.dispatch.weights, None, None)
    return Setting(row[0], merged(profile, row[1]), row[2], row[3])


def change(conn: Db, profile: Profile, viewer: Viewer, version: int, weights: Weights) -> Setting:
    """Set the weights for the whole place, on record; `version` is the one that the setter has seen.

    Raises NotForThem, StaleWeights, BadWeights (all are 0).
    """
    if not may_change(viewer):
        raise NotForThem(
            "The weights hold for the whole place: who sees a part of it may try them, not set them."
        )
    if not any(weights.model_dump().values()):
        raise BadWeights("All weights are 0: then nobody comes first. Give at least one part more.")
    before = setting(conn, profile)
    if before.version != version or not queries.add_weights(
        conn, version + 1, weights.model_dump(), viewer.name
    ):
        raise StaleWeights(before.version, version, before.changed_by)
    was, now = before.weights.model_dump(), weights.model_dump()
    changed = [[name, was[name], now[name]] for name in now if was[name] != now[name]]
    add_event(conn, "desk", viewer.scope.lo, {"desk": "weights", "id": version + 1})
    audit.record(
        conn, viewer, audit.Action.setting, object_kind="dispatch_weights", object_id=version + 1,
        detail={"changed": changed},
    )  # fmt: skip
    return setting(conn, profile)


def may_change(viewer: Viewer) -> bool:
    """Whether somebody may set the weights of the whole place."""
    return viewer.may(Right.DISPATCH_RULES_SET) and viewer.scope.county
