"""Giving tickets commands in tests: with what each must carry, as a dispatcher of the whole place."""

from datetime import UTC, datetime, timedelta
from typing import Any

from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services import tickets
from services.access import Viewer
from services.tickets import ORDERS
from tests.viewers import DISPATCHER

# What a command carries in a test when the test does not care.
USUAL: dict[str, dict[str, Any]] = {
    **{
        name: {"reason": "因故"}
        for name in ("reject", "cancel", "unmerge", "refuse", "send_back", "recall", "redo", "reopen")
    },
    "transfer": {"reason": "不属本单位"},
    "whistle": {"reason": "需要部门到场", "tier": 2, "lead": {"kind": "department", "code": "urban"}},
    "suspend": {"reason": "等待备件"},
    "consult": {"question": "归谁管"},
    "conclude": {"decision": "由城管办理"},
    "handle": {"result": "已清理"},
    "plan": {"nodes": [{"name": "勘察", "due": "2030-01-01T00:00:00+08:00"}]},
    "node_done": {"node": 1},
    "call_back": {"satisfaction": "satisfied"},
    "supervise": {"reason": "群众多次反映", "supervision": "ordinary"},
    "urge": {"note": "今日内答复"},
    "progress": {"note": "已到现场"},
    "inspect": {"passed": True},
    "remark": {"note": "已电话联系"},
}
TO = {
    "reported": [], "accepted": [], "dispatched": ["dispatch"], "signed": ["dispatch", "sign"],
    "in_progress": ["dispatch", "sign", "start"], "handled": ["dispatch", "sign", "handle"],
    "verified": ["dispatch", "sign", "handle", "verify"], "closed": ["dispatch", "sign", "handle", "close"],
    "archived": ["dispatch", "sign", "handle", "close", "archive"], "returned": ["dispatch", "send_back"],
    "suspended": ["dispatch", "sign", "suspend"], "consulted": ["consult"], "transferred": ["dispatch", "transfer"],
    "rejected": ["reject"], "reopened": ["reject", "reopen"], "cancelled": ["cancel"],
}  # fmt: skip


def give(
    conn: Db,
    profile: Profile,
    ticket: Ticket,
    command: str,
    *,
    viewer: Viewer = DISPATCHER,
    now: datetime | None = None,
    key: str | None = None,
    **carried: Any,
) -> Ticket:
    """The ticket after the command."""
    usual = dict(USUAL.get(command, {}))
    if command == "suspend":
        usual["until"] = (now or datetime.now(UTC)) + timedelta(days=2)
    order = ORDERS[command].model_validate({"version": ticket.version} | usual | carried)
    return tickets.perform(conn, profile, viewer, ticket.id, command, order, now=now, key=key).ticket


def bring(conn: Db, profile: Profile, ticket: Ticket, status: str) -> Ticket:
    """A new ticket brought to that state by the commands of TO."""
    for command in TO[status]:
        ticket = give(conn, profile, ticket, command)
    return ticket
