"""The audit: who did or looked at what, in a chain that shows when a row was altered or taken out."""

import re
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
import psycopg
import structlog
from psycopg_pool import PoolTimeout

from geodata.queries import audit as queries
from geodata.queries.audit import AuditRow, Break
from geodata.scope import Db, Pool, scoped
from services.access.viewer import Viewer

__all__ = [
    "Action", "AuditRow", "Fault", "NotForTheAudit", "Verified", "forget", "lines", "newest", "record", "record_denied",
    "search", "some_lines", "verify",
]  # fmt: skip
log = structlog.get_logger("wangge.audit")


class Action(StrEnum):
    """What was done; each is named by the word that stands in the audit (`import_` but for its underscore)."""

    sign_in = "sign_in"
    sign_in_failed = "sign_in_failed"
    sign_in_locked = "sign_in_locked"
    sign_out = "sign_out"
    session_ended = "session_ended"
    password_changed = "password_changed"  # noqa: S105  # nosec B105
    second_factor_set = "second_factor_set"
    account_added = "account_added"
    account_changed = "account_changed"
    account_disabled = "account_disabled"
    account_reset = "account_reset"
    wall_paired = "wall_paired"
    wall_revoked = "wall_revoked"
    client_added = "client_added"
    client_revoked = "client_revoked"
    callback_added = "callback_added"
    callback_ended = "callback_ended"
    device_added = "device_added"
    device_revoked = "device_revoked"
    care_opened = "care_opened"
    care_added = "care_added"
    care_changed = "care_changed"
    care_visited = "care_visited"
    care_exported = "care_exported"
    care_deleted = "care_deleted"
    mediation_opened = "mediation_opened"
    mediation_exported = "mediation_exported"
    reporter_opened = "reporter_opened"
    sender_added = "sender_added"
    sender_revoked = "sender_revoked"
    roster_changed = "roster_changed"
    assignment = "assignment"
    export = "export"
    import_ = "import"
    setting = "setting"
    denied = "denied"
    audit_shortened = "audit_shortened"  # by retention: written by the database itself


class NotForTheAudit(ValueError):
    """A detail has a key that names a secret or a person's number; nothing was written."""


class Fault(NamedTuple):
    """A break of the chain, in rows first_id..last_id; `sentence` says it in English."""

    kind: str  # altered, relinked, missing, stray, head, other
    first_id: int
    last_id: int
    sentence: str


class Verified(NamedTuple):
    """What a look over the whole chain found; without faults rows from_id..to_id stand as they were written.

    `to_id` with `last_hash` (hexadecimal), kept elsewhere, later prove that these rows are still the same.
    """

    rows: int
    from_id: int
    to_id: int
    last_hash: str
    faults: list[Fault]


# Keys that must not occur in a detail, looked for among the words of a key.
_REFUSED_WORDS = frozenset(
    {"password", "passwd", "token", "secret", "phone", "mobile", "cookie", "csrf", "otp", "idcard"}
)
_REFUSED_KEYS = re.compile(r"id_?(number|card|no)$")
_LONGEST = 2_000  # characters of one text
_LONGEST_NAME = 200  # of what is indexed
_PLAIN = (1e-4, 1e15)  # between them PostgreSQL and JSON write a number alike
BATCH_ROWS = 1_000


def record(
    conn: Db,
    viewer: Viewer | None,
    action: Action,
    *,
    object_kind: str | None = None,
    object_id: str | int | None = None,
    area_no: int | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
    actor_name: str | None = None,
    ip: str | None = None,
) -> None:
    """Write one row in the caller's transaction, in whatever hat it wears: it stands if and only if that commits.

    Let it be the last statement of the transaction: from here to the commit all other writers of the audit wait.
    Without `area_no` the row belongs to the viewer's own area; that of a viewer of the whole place to none.
    Somebody not known yet (a failed sign-in) is `viewer=None` with the name that was tried and the address.
    Raises NotForTheAudit when a key of the detail names a secret, a phone or an identity number.
    """
    kept = _clean_detail(detail or {})
    scope = None if viewer is None else viewer.scope
    if area_no is None and scope is not None and not scope.county and scope.lo >= 0:
        area_no = scope.lo
    context = structlog.contextvars.get_contextvars()
    queries.add(
        conn,
        actor_kind="nobody" if viewer is None else viewer.kind,
        actor_id=None if viewer is None else viewer.id,
        actor_name=_clean(actor_name if viewer is None else viewer.name, _LONGEST_NAME) or "",
        actor_role=None if viewer is None else viewer.role,
        ip=_clean(ip or (viewer.ip if viewer else ""), _LONGEST_NAME) or None,
        action=str(Action(action)),
        object_kind=object_kind,
        object_id=None if object_id is None else _clean(str(object_id), _LONGEST_NAME),
        area_no=area_no,
        reason=_clean(reason),
        detail=kept,
        request_id=_clean(context.get("request_id"), _LONGEST_NAME),
    )


class _Denials:
    """Which refusals this process wrote lately, so that a page that asks again and again fills nothing."""

    EVERY_S = 60.0
    MOST = 30  # different paths of one viewer in that time

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: dict[tuple[str, int], dict[str, float]] = {}
        self._left_out: dict[tuple[str, int], int] = {}

    def take(self, viewer: Viewer, what: str) -> int | None:
        """None when it is not to be written; else how many of this viewer's were left out since the last one."""
        now, who = time.monotonic(), (viewer.kind, viewer.id)
        with self._lock:
            for other in [k for k, v in self._written.items() if max(v.values()) <= now - self.EVERY_S]:
                del self._written[other]
            mine = self._written.setdefault(who, {})
            for path in [path for path, at in mine.items() if at <= now - self.EVERY_S]:
                del mine[path]
            if what in mine or len(mine) >= self.MOST:
                if not mine:
                    del self._written[who]
                self._left_out[who] = self._left_out.get(who, 0) + 1
                return None
            mine[what] = now
            return self._left_out.pop(who, 0)


_denials = _Denials()


def record_denied(pool: Pool, viewer: Viewer | None, method: str, path: str) -> bool:
    """Write that a viewer was refused something, in a transaction of its own; blocks, so call it in a thread.

    At most once a minute for each viewer, method and path, and 30 paths a minute for each viewer; how many were left
    out stands in the next row. A refusal of somebody not signed in is not written. A database that is away is logged:
    the refusal itself stands in any case. Returns whether a row was written.
    """
    if viewer is None:
        return False
    path = path[:300]
    left_out = _denials.take(viewer, f"{method} {path}")
    if left_out is None:
        return False
    detail: dict[str, Any] = {"method": method, "path": path}
    if left_out:
        detail["left_out"] = left_out
    try:
        with scoped(pool, viewer.scope, "wall" if viewer.kind == "wall" else "facts") as conn:
            record(conn, viewer, Action.denied, object_kind="path", object_id=path, detail=detail)
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.warning("a refusal is not in the audit", error=str(error).strip(), viewer=viewer.name)
        return False
    return True


def search(
    conn: Db,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    action: str | list[str] | None = None,
    actor: str | None = None,
    text: str | None = None,
    limit: int = 100,
    before_id: int | None = None,
) -> list[AuditRow]:
    """Rows that meet all conditions, newest first, in the scope of `conn` (hat "audit").

    `since` is included, `until` not; `actor` is a whole name; `text` is looked for in reason, object, detail, name,
    address and request id. `before_id` goes on after the last row of the answer before.
    """
    actions = [action] if isinstance(action, str) else action or None
    return queries.find(
        conn,
        since=since,
        until=until,
        actions=[str(one) for one in actions] if actions else None,
        actor=_clean(actor) or None,
        text=_clean(text) or None,
        limit=limit,
        before_id=before_id,
    )


def lines(conn: Db, since: datetime | None = None, until: datetime | None = None) -> Iterator[bytes]:
    """Batches of lines of JSON, one a row in scope, oldest first, with all that its hash covers."""
    after, end = 0, newest(conn)
    while True:
        batch, following = some_lines(conn, since, until, after, end)
        yield batch
        if following is None:
            return
        after = following


def newest(conn: Db) -> int:
    """Number of the newest row in scope; 0 without one."""
    return queries.newest(conn)


def some_lines(
    conn: Db, since: datetime | None, until: datetime | None, after_id: int, up_to: int
) -> tuple[bytes, int | None]:
    """The next thousand rows in scope as lines of JSON, and the number to go on after; None when that was all."""
    rows = queries.lines(conn, since, until, after_id, up_to, BATCH_ROWS)
    told = b"".join(orjson.dumps(row._asdict(), option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    return told, rows[-1].id if len(rows) == BATCH_ROWS else None


def verify(conn: Db, known: tuple[int, str] | None = None) -> Verified:
    """Recompute the chain over all rows, as the owner or in the hat "audit" with the whole place in scope.

    `known` is a row's number and hash (hexadecimal) that an earlier look gave and that were kept elsewhere: with them a
    chain that was wholly written anew is found too.
    """
    extent, breaks = queries.check(conn)
    faults = [Fault(*found, _sentence(found)) for found in breaks]
    if known is not None:
        row_id, digest = known
        if queries.hash_of(conn, row_id) != digest.lower():
            gone = row_id <= extent.anchor_id
            said = (
                f"row {row_id} was taken away by retention and can no longer be compared"
                if gone
                else f"row {row_id} is not the one whose hash was kept: the chain was written anew, or cut"
            )
            faults.append(Fault("other", row_id, row_id, said))
    return Verified(extent.rows, extent.anchor_id + 1, extent.last_id, extent.last_hash, faults)


def forget(conn: Db, days: int) -> int:
    """Take away rows older than that many days (180 at least) and write a row about it; returns how many went."""
    return queries.forget(conn, days)


def _sentence(found: Break) -> str:
    rows = (
        f"row {found.first_id}"
        if found.first_id == found.last_id
        else f"rows {found.first_id} to {found.last_id}"
    )
    return {
        "missing": f"{rows}: missing",
        "altered": f"{rows}: altered after it was written",
        "relinked": f"{rows}: does not follow the row before it, which was written anew",
        "stray": f"{rows}: stands before the beginning that retention left",
    }.get(found.kind, f"{rows}: the remembered end of the chain differs")


def _clean(text: str | None, longest: int = _LONGEST) -> str | None:
    """What PostgreSQL can hold: no NUL, no half characters; cut where nobody would read on."""
    if text is None:
        return None
    whole = text.encode("utf-8", "replace").decode().replace("\x00", "�")
    return whole if len(whole) <= longest else whole[:longest] + "…"


def _clean_detail(value: Any) -> Any:
    if isinstance(value, dict):
        for key in value:
            words = set(re.split(r"[^a-z]+", str(key).lower()))
            if words & _REFUSED_WORDS or _REFUSED_KEYS.search(str(key).lower()):
                raise NotForTheAudit(f"a detail of the audit may not have the key {key!r}")
        return {_clean(str(key)): _clean_detail(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean_detail(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        alike = abs(value) < 2**53 if isinstance(value, int) else _PLAIN[0] <= abs(value) < _PLAIN[1]
        return value if alike else str(value)
    return _clean(value.isoformat() if isinstance(value, datetime) else str(value))
