"""Registering where another system wants to be told, looking at what could not be told, and trying that again."""

import secrets
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from geodata.queries import notices as queries
from geodata.queries.notices import DeadRow
from geodata.scope import Db
from services import audit, jobs
from services.access import Viewer
from services.care.sealing import Seals
from services.notices import guard
from settings import Settings

Kind = Literal["client", "webhook"]
Dead = DeadRow
MOST_DEAD = 500
JOB = "send_notices"


class BadTarget(ValueError):
    """It cannot be registered so; `details` name the field and what is expected."""

    def __init__(self, field: str, given: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.details = [{"field": field, "given": given[:200], "expected": expected}]


class UnknownTarget(LookupError):
    """There is no such target, or the asker may not see targets: the same answer for both."""


class UnknownNotice(LookupError):
    """There is no such notice that was given up."""


class Target(NamedTuple):
    """Where another system wants to be told, what waits for it and what was given up."""

    id: int
    kind: str
    name: str
    url: str
    created_at: datetime
    created_by: str
    waiting: int
    dead: int


class Registered(NamedTuple):
    """A new target; its secret is shown this once."""

    id: int
    secret: str


def targets(conn: Db, actor: Viewer) -> list[Target]:
    """All in use; none for an administrator of a part, as a client sends for the whole place. In the hat "access"."""
    if not actor.scope.county:
        return []
    return [
        Target(row.id, row.kind, row.name, row.url, row.created_at, row.created_by, row.waiting, row.dead)
        for row in queries.targets(conn)
    ]


def register(conn: Db, actor: Viewer, kind: Kind, name: str, url: str, settings: Settings) -> Registered:
    """Tell a client or webhook channel at that address from now on, and nowhere else; recorded.

    Raises BadTarget, and UnknownTarget for an administrator of a part.
    """
    _whole_place(actor)
    if not queries.is_sender(conn, kind, name):
        raise BadTarget("name", name, f"the name of a {kind} that is in use")
    try:
        url = guard.checked(url, settings)
    except guard.Forbidden as error:
        raise BadTarget("url", url, str(error)) from None
    secret = secrets.token_urlsafe(32)
    seals = Seals.of(settings)
    target_id = queries.insert_target(conn, kind, name, url, (seals.seal(secret), seals.key_id), actor.name)
    audit.record(
        conn, actor, audit.Action.callback_added, object_kind="callback", object_id=str(target_id),
        detail={"kind": kind, "name": name, "url": url.partition("?")[0]},
    )  # fmt: skip
    return Registered(target_id, secret)


def end(conn: Db, actor: Viewer, target_id: int) -> None:
    """Tell nobody there any more, what waits included; recorded. Raises UnknownTarget."""
    _whole_place(actor)
    name = queries.end_target(conn, target_id)
    if name is None:
        raise UnknownTarget(f"no target {target_id}")
    audit.record(
        conn, actor, audit.Action.callback_ended, object_kind="callback", object_id=str(target_id),
        detail={"name": name},
    )  # fmt: skip


def dead(conn: Db, actor: Viewer) -> list[Dead]:
    """What was given up, newest first. In the hat "access"."""
    return queries.dead(conn, MOST_DEAD) if actor.scope.county else []


def again(conn: Db, actor: Viewer, notice_id: UUID) -> None:
    """Send a notice again that was given up. Raises UnknownNotice."""
    target_id = queries.revive(conn, notice_id) if actor.scope.county else None
    if target_id is None:
        raise UnknownNotice(f"no dead notice {notice_id}")
    jobs.plan(conn, JOB, {"target": target_id}, lock=f"notices:{target_id}")


def _whole_place(actor: Viewer) -> None:
    if not actor.scope.county:
        raise UnknownTarget("targets belong to the whole place")
