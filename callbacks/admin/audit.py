"""The audit: rows that meet the conditions of the address, newest first, and the state of the chain on demand."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from callbacks.admin.asked import Asked, Fact, Refused, Reply, Row, millis
from geodata.scope import EVERYTHING, scoped
from screens.admin.config import AUDIT_PAGE as PAGE
from screens.latin import latin
from services import audit
from services.access import ROLES, opened
from services.audit import AuditRow
from services.indicators import day_start

DAYS = {"today": 0, "week": 6, "month": 29}  # days before today that belong to a period

# What an object is known by: this of its details, else its number.
NAMED_BY = {"account": "login", "wall": "name", "client": "name", "worker": "worker", "care": "code"}


def rows(asked: Asked) -> tuple[list[Row], bool]:
    """A page of rows inside of the viewer's scope, and whether there are older ones."""
    since, until = span_of(asked, datetime.now(UTC))
    with opened(asked.runtime.pool, asked.viewer, hat="audit") as (conn, _):
        found = audit.search(
            conn, since=since, until=until, action=asked.text("action", 60) or None,
            actor=asked.text("actor", 80).strip() or None, text=asked.text("text", 80).strip() or None,
            limit=PAGE + 1, before_id=asked.number("before") or None,
        )  # fmt: skip
    return [row_of(asked, row) for row in found[:PAGE]], len(found) > PAGE


def span_of(asked: Asked, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The period asked for, in days of the place; without one the last seven days."""
    period = asked.text("period") or "week"
    if period == "all":
        return None, None
    if period == "days":
        first, last = _date(asked.text("since")), _date(asked.text("until"))
        return (
            datetime.combine(first, time(), asked.zone) if first else None,
            datetime.combine(last + timedelta(days=1), time(), asked.zone) if last else None,
        )
    return day_start(now, asked.zone, days_ago=DAYS.get(period, DAYS["week"])), None


def row_of(asked: Asked, row: AuditRow) -> Row:
    """One row as the table shows it; the side panel tells all that was written."""
    say = asked.say
    action = _word(asked, "audit.action", row.action)
    place = (
        latin(asked.lang, row.area_name)
        if row.area_name
        else say("audit.whole")
        if row.area_no is None
        else ""
    )
    actor = row.actor_name or say("audit.nobody")
    role = _word(asked, "role", row.actor_role) if row.actor_role else say(f"audit.actor.{row.actor_kind}")
    facts: list[Fact] = [
        [say("admin.column.at"), f"{row.at.astimezone(asked.zone):%Y-%m-%d %H:%M:%S}"],
        [say("admin.column.actor"), f"{actor} · {role}"],
        [say("admin.column.ip"), row.ip or "\u2013"],
        [say("admin.column.object"), object_of(asked, row) or "\u2013"],
        [say("admin.column.place"), place or "\u2013"],
        [say("admin.column.reason"), row.reason or "\u2013"],
        *([_word(asked, "audit.detail", key), _told(asked, key, value)] for key, value in row.detail.items()),
        [say("audit.request"), row.request_id or "\u2013"],
    ]
    return {
        "key": str(row.id),
        "number": f"{row.id:,}",
        "name": action,
        "at": millis(row.at),
        "action_name": action,
        "actor": actor,
        "object": object_of(asked, row),
        "place": place,
        "reason": row.reason or "",
        "mark": say("audit.row", n=row.id),
        "facts": facts,
        "actions": [],
        "edit": {},
    }


def object_of(asked: Asked, row: AuditRow) -> str:
    """What it was done to, by the name that people know it by."""
    if row.object_kind is None:
        return ""
    kind = _word(asked, "audit.kind", row.object_kind)
    known = row.detail.get(NAMED_BY.get(row.object_kind, ""))
    return " ".join(filter(None, (kind, known if isinstance(known, str) else row.object_id)))


def verify(asked: Asked) -> Reply:
    """Recompute the chain of the whole place and say up to which row it stands."""
    if not asked.viewer.scope.county:
        raise Refused("", asked.say("admin.error.whole"))
    with scoped(asked.runtime.pool, EVERYTHING, "audit") as conn:
        found = audit.verify(conn)
    at = datetime.now(asked.zone)
    if not found.faults:
        told = asked.say("audit.verified", n=f"{found.to_id:,}", at=f"{at:%H:%M:%S}")
        return {
            "ok": True,
            "say": told,
            "chain": {"whole": True, "told": told, "hash": found.last_hash, "faults": []},
        }
    told = asked.say("audit.broken", n=len(found.faults), count=f"{len(found.faults):,}", at=f"{at:%H:%M:%S}")
    faults = [
        asked.say(f"audit.fault.{fault.kind}", first=fault.first_id, last=fault.last_id)
        for fault in found.faults[:20]
    ]
    return {"ok": True, "say": told, "chain": {"whole": False, "told": told, "hash": "", "faults": faults}}


def _word(asked: Asked, of: str, name: str) -> str:
    """The word for a name, or the name itself where the catalogues have none."""
    key = f"{of}.{name}"
    told = asked.say(key)
    return name if told == key else told


def _told(asked: Asked, key: str, value: Any) -> str:
    """A detail in words: [before, after] with an arrow, roles and truths by their names."""
    changed = isinstance(value, list) and len(value) == 2 and key in ("name", "role", "areas")
    if changed and (key != "areas" or isinstance(value[0], list)):
        if value[0] == value[1]:
            return _told(asked, key, value[0])
        return f"{_told(asked, key, value[0])} \u2192 {_told(asked, key, value[1])}"
    if isinstance(value, list):
        return asked.say("list.comma").join(_told(asked, key, one) for one in value) or "\u2013"
    return _told_many(asked, value) if isinstance(value, dict) else _told_one(asked, key, value)


def _told_many(asked: Asked, value: dict[str, Any]) -> str:
    parts = (f"{_word(asked, 'audit.detail', name)} {_told(asked, name, one)}" for name, one in value.items())
    return asked.say("list.comma").join(parts)


def _told_one(asked: Asked, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return asked.say("admin.yes" if value else "admin.no")
    if key == "role" and value in ROLES:
        return asked.say(f"role.{value}")
    return "\u2013" if value is None else str(value)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


ACTS = {"verify": verify}
