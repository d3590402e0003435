"""Accounts: the rows of their table, and what the dialogs about them do."""

from collections.abc import Iterator
from contextlib import contextmanager

from callbacks.admin.asked import Asked, Fact, Refused, Reply, Row, done, millis
from geodata.scope import EVERYTHING, Db, scoped
from screens.admin.forms import rights_told
from screens.latin import latin
from services.access import accounts, reach
from services.access.accounts import Account, BadAccount

# state → the shape that its cell shows beside the word
KINDS = {"disabled": "off", "locked": "locked", "must_change": "wait", "never": "wait", "open": ""}


def rows(asked: Asked) -> list[Row]:
    """The accounts that the viewer may administer."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        listed = reach.accounts_of(conn, asked.viewer)
    sessions = [session.account_id for session in asked.runtime.sessions.of(None)]
    return [row_of(asked, account, sessions.count(account.id)) for account in listed]


def row_of(asked: Asked, account: Account, sessions: int) -> Row:
    """One account as its row shows it and as the side panel tells it."""
    say = asked.say
    places = [latin(asked.lang, name) for _, name in account.areas]
    own = account.id == asked.viewer.id
    facts: list[Fact] = [
        [say("admin.column.login"), account.login],
        [say("admin.column.role_name"), say(f"role.{account.role}")],
        [
            say("admin.fact.rights"),
            rights_told(account.role, asked.lang) if _known(account.role) else "\u2013",
        ],
        [say("admin.column.places"), say("list.comma").join(places) or say("admin.fact.no_area")],
        [
            say("admin.fact.factor"),
            say("admin.fact.factor.set" if account.has_totp else "admin.fact.factor.none"),
        ],
        [say("admin.fact.way"), say("admin.fact.way.oidc" if account.oidc else "admin.fact.way.local")],
        [say("admin.column.last_at"), asked.moment(account.last_sign_in_at)],
        [say("admin.fact.sessions"), str(sessions)],
        [say("admin.fact.added"), f"{asked.moment(account.created_at)} · {account.created_by}"],
    ]
    return {
        "key": str(account.id),
        "name": account.name,
        "login": account.login,
        "role_name": say(f"role.{account.role}"),
        "places": say("list.comma").join(places),
        "last_at": millis(account.last_sign_in_at),
        "state": asked.say(f"admin.state.{_state(account)}"),
        "kind": KINDS[_state(account)],
        "off": account.disabled,
        "mark": say("admin.mark.you") if own else say("admin.mark.demo") if account.demo else "",
        "facts": facts,
        "actions": _actions(account, own),
        "edit": {
            "id": account.id, "login": account.login, "name": account.name, "role": account.role,
            "areas": [
                {"value": code, "label": latin(asked.lang, name)} for code, name in account.areas
            ],
        },
    }  # fmt: skip


def _known(role: str) -> bool:
    return role in accounts.ROLES


def _state(account: Account) -> str:
    for name in ("disabled", "locked", "must_change"):
        if getattr(account, name):
            return name
    return "never" if account.last_sign_in_at is None else "open"


def _actions(account: Account, own: bool) -> list[str]:
    """The dialogs that the row offers; what is done to one's own account another administrator does."""
    offered = [] if account.oidc else ["account_change", "account_password"]
    if account.has_totp:
        offered.append("account_factor")
    if account.disabled or account.locked:
        offered.append("account_enable")
    if not account.disabled and not own:
        offered.append("account_disable")
    return offered


def add(asked: Asked) -> Reply:
    """Add an account; its first password is in the answer and nowhere else."""
    login, codes = asked.text("login"), asked.texts("areas")
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        first = accounts.add_account(conn, asked.viewer, login, asked.text("name"), asked.text("role"), codes)
    login = login.strip().lower()
    return done(asked, "account_add", select=login, secret=_password(asked, login, first))


def change(asked: Asked) -> Reply:
    """Change name, role and areas; sessions end, as what they may do has changed."""
    account_id, codes = asked.number("id"), asked.texts("areas")
    with _ending_sessions(asked, account_id) as conn:
        accounts.change_account(
            conn, asked.viewer, account_id, name=asked.text("name"), role=asked.text("role"), area_codes=codes
        )
    return done(asked, "account_change")


def disable(asked: Asked) -> Reply:
    """Close an account and end its sessions."""
    account_id = asked.number("id")
    with _ending_sessions(asked, account_id) as conn:
        accounts.set_disabled(conn, asked.viewer, account_id, True)
    return done(asked, "account_disable")


def enable(asked: Asked) -> Reply:
    """Open an account again, or unlock it."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        accounts.set_disabled(conn, asked.viewer, asked.number("id"), False)
    return done(asked, "account_enable")


def reset_password(asked: Asked) -> Reply:
    """Give an account a new first password; its sessions end."""
    account_id = asked.number("id")
    with _ending_sessions(asked, account_id) as conn:
        first = accounts.reset_password(conn, asked.viewer, account_id)
    return done(asked, "account_password", secret=_password(asked, asked.text("login", 64), first))


def reset_factor(asked: Asked) -> Reply:
    """Forget an account's second factor; its sessions end."""
    account_id = asked.number("id")
    with _ending_sessions(asked, account_id) as conn:
        accounts.reset_second_factor(conn, asked.viewer, account_id)
    return done(asked, "account_factor")


def translated(asked: Asked, error: BadAccount) -> Refused:
    """The error in the asker's words, next to its field."""
    detail = error.details[0]
    key = f"admin.error.{detail['rule']}"
    sentence = asked.say(key, given=detail["given"])
    field = detail["field"] if detail["field"] in ("login", "name", "role", "areas") else ""
    return Refused(field, sentence if sentence != key else str(error))


@contextmanager
def _ending_sessions(asked: Asked, account_id: int) -> Iterator[Db]:
    """A transaction after which the account's sessions end; nothing is changed while Redis, which has them, is away."""
    asked.runtime.redis.ping()
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        yield conn
    asked.runtime.sessions.end_all(account_id)


def _password(asked: Asked, login: str, first: str) -> Row:
    return {
        "title": asked.say("admin.secret.password"),
        "lead": asked.say("admin.secret.password.lead"),
        "value": first,
        "facts": [[asked.say("admin.column.login"), login]],
    }


ACTS = {
    "account_add": add,
    "account_change": change,
    "account_disable": disable,
    "account_enable": enable,
    "account_password": reset_password,
    "account_factor": reset_factor,
}
