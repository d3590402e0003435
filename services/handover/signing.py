"""Giving a shift and taking it: both sign the same digest of what stood open; afterwards nothing of it changes."""

import hashlib
from datetime import datetime
from typing import Any

import orjson

from geodata.outbox import add_event
from geodata.queries import handover as queries
from geodata.queries.handover import Handover
from geodata.scope import Db
from profiles import Profile
from services.access import Viewer
from services.care.opening import require_person
from services.dispatch.queue import ms
from services.handover.errors import BadHandover, NotSigned, UnknownHandover
from services.handover.notes import DESK
from services.handover.shift import shift_of, state
from services.intake.masking import masked


def give(
    conn: Db, profile: Profile, viewer: Viewer, words: str | None, since: datetime | None, now: datetime
) -> Handover:
    """Sign one's shift as the giver: all as it stands now, for another account to take.

    Raises NotForThem, BadHandover, NotSigned while an earlier one of the giver waits for its taker.
    """
    require_person(viewer)
    since = since or shift_of(conn, profile, viewer, now).since
    if since >= now:
        raise BadHandover("since", since.isoformat(), "a moment before now")
    snapshot = state(conn, profile, viewer, since, now)
    words = masked(words) if words else None
    digest = digest_of(viewer.name, since, now, words, snapshot)
    made = queries.give(conn, viewer.scope, since, now, viewer.name, words, snapshot, digest)
    if made is None:
        raise NotSigned("An earlier handover of yours waits for its taker; withdraw it first.")
    return _told(conn, viewer, made)


def take(
    conn: Db, viewer: Viewer, handover_id: int, digest: str, words: str | None, now: datetime
) -> Handover:
    """Sign it as the taker, who has seen what that digest stands for.

    Raises NotForThem, UnknownHandover, NotSigned: it is one's own, was taken or withdrawn, or is not what was shown.
    """
    require_person(viewer)
    found = _held(conn, handover_id)
    if found.given_by == viewer.name:
        raise NotSigned("You gave this shift; somebody else takes it.", given_by=found.given_by)
    if found.state != "given":
        raise NotSigned(
            f"It is {found.state}.", state=found.state, by=found.taken_by, by_name=found.taken_name,
            at=ms(found.taken_at),
        )  # fmt: skip
    if not is_intact(found) or digest != found.digest.hex():
        raise NotSigned("It is not what you were shown; read it again.", expected=found.digest.hex())
    queries.take(conn, handover_id, viewer.name, masked(words) if words else None, now)
    return _told(conn, viewer, handover_id)


def withdraw(conn: Db, viewer: Viewer, handover_id: int) -> None:
    """Take one's own back as long as nobody took it. Raises NotForThem, UnknownHandover, NotSigned."""
    require_person(viewer)
    found = _held(conn, handover_id)
    if found.given_by != viewer.name:
        raise NotSigned("Only who gave it withdraws it.", given_by=found.given_by)
    if found.state != "given":
        raise NotSigned(
            f"It is {found.state}.", state=found.state, by=found.taken_by, by_name=found.taken_name
        )
    queries.withdraw(conn, handover_id)
    add_event(conn, "desk", found.area_no, {"desk": DESK, "id": handover_id})


def read(conn: Db, viewer: Viewer, handover_id: int) -> Handover:
    """The handover of that id. Raises NotForThem, UnknownHandover."""
    require_person(viewer)
    found = queries.handover(conn, handover_id)
    if found is None:
        raise UnknownHandover(f"There is no handover with the id {handover_id}.")
    return found


def latest(conn: Db, viewer: Viewer, limit: int) -> list[Handover]:
    """Handovers in scope, the newest first. Raises NotForThem."""
    require_person(viewer)
    return queries.latest(conn, limit)


def told(viewer: Viewer, handover: Handover, *, whole: bool = True) -> dict[str, Any]:
    """A handover as JSON, with what was signed where `whole`; times are milliseconds since 1970."""
    fields = {
        name: ms(value) if isinstance(value, datetime) else value
        for name, value in handover._asdict().items()
        if name not in ("area_no", "snapshot", "digest")
    }
    return fields | {
        "given_at": ms(handover.until),
        "mine": handover.given_by == viewer.name,
        "digest": handover.digest.hex(),
        "intact": is_intact(handover),
        **({"snapshot": handover.snapshot} if whole else {}),
    }


def digest_of(
    giver: str, since: datetime, until: datetime, words: str | None, snapshot: dict[str, Any]
) -> bytes:
    """SHA-256 of all that the two sign."""
    signed = [giver, ms(since), ms(until), words, snapshot]
    return hashlib.sha256(orjson.dumps(signed, option=orjson.OPT_SORT_KEYS)).digest()


def is_intact(handover: Handover) -> bool:
    """Whether it still is what its giver signed."""
    own = digest_of(handover.given_by, handover.since, handover.until, handover.words, handover.snapshot)
    return own == handover.digest


def _held(conn: Db, handover_id: int) -> Handover:
    found = queries.handover(conn, handover_id, lock=True)
    if found is None:
        raise UnknownHandover(f"There is no handover with the id {handover_id}.")
    return found


def _told(conn: Db, viewer: Viewer, handover_id: int) -> Handover:
    found = read(conn, viewer, handover_id)
    add_event(conn, "desk", found.area_no, {"desk": DESK, "id": handover_id})
    return found
