"""Sessions: the rows of those who are signed in, and ending one."""

import re

from callbacks.admin.asked import Asked, Refused, Reply, Row, done, from_seconds, millis
from geodata.scope import EVERYTHING, scoped
from services import audit
from services.access import reach
from services.access.sessions import SessionRow

# What a browser calls itself, from the most telling word to the least.
BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")


def rows(asked: Asked) -> list[Row]:
    """The sessions of accounts that the viewer may administer."""
    sessions, names = _within_reach(asked)
    return [row_of(asked, session, names[session.account_id]) for session in sessions]


def row_of(asked: Asked, session: SessionRow, name: str) -> Row:
    """One session as its row shows it and as the side panel tells it."""
    say = asked.say
    own = session.id == asked.viewer.session
    opened, seen = from_seconds(session.opened_at), from_seconds(session.seen_at)
    return {
        "key": session.id,
        "name": session.login,
        "role_name": say(f"role.{session.role}"),
        "agent": browser_of(session.agent),
        "ip": session.ip,
        "opened_at": millis(opened),
        "seen_at": millis(seen),
        "mark": say("admin.mark.this") if own else "",
        "facts": [
            [say("admin.fact.name"), name],
            [say("admin.column.role_name"), say(f"role.{session.role}")],
            [say("admin.column.ip"), session.ip or "\u2013"],
            [say("admin.column.agent"), session.agent or "\u2013"],
            [say("admin.column.opened_at"), asked.moment(opened)],
            [say("admin.column.seen_at"), asked.moment(seen)],
        ],
        "actions": [] if own else ["session_end"],
        "edit": {"session": session.id},
    }


def end(asked: Asked) -> Reply:
    """End a session: its pages are signed out within seconds."""
    wanted = asked.text("session", 64)
    session = next((one for one in _within_reach(asked)[0] if one.id == wanted), None)
    if session is None:
        raise Refused("", asked.say("admin.error.session_unknown"))
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        audit.record(
            conn, asked.viewer, audit.Action.session_ended, object_kind="account", object_id=str(session.account_id),
            detail={"login": session.login, "from": session.ip},
        )  # fmt: skip
    asked.runtime.sessions.end_by_id(session.id)
    return done(asked, "session_end")


def browser_of(agent: str) -> str:
    """Browser and system in two words, from what it calls itself."""
    browser = next((f"{name} {_version(agent, mark)}" for mark, name in BROWSERS if mark in agent), "")
    system = next((name.removesuffix(" OS X") for name in SYSTEMS if name in agent), "")
    return " · ".join(filter(None, (browser.strip(), system))) or agent[:40] or "\u2013"


def _version(agent: str, mark: str) -> str:
    found = re.search(re.escape(mark) + r"(\d+)", agent)
    return found[1] if found else ""


def _within_reach(asked: Asked) -> tuple[list[SessionRow], dict[int, str]]:
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        names = {account.id: account.name for account in reach.accounts_of(conn, asked.viewer)}
    return [session for session in asked.runtime.sessions.of(None) if session.account_id in names], names


ACTS = {"session_end": end}
