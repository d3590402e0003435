"""Accounts: who has one, with which role and areas, and the changes that administrators make to them."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from geodata.queries import accounts as queries
from geodata.queries.accounts import AccountRow, AreaGiven
from geodata.scope import Db, Scope
from services.access import passwords
from services.access.roles import ROLES
from services.access.viewer import Viewer
from services.audit import Action, record

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
LONGEST_NAME = 100  # characters
MOST_AREAS = 200

EXPECTED = {
    "login_form": "2 to 64 of a-z, 0-9, dot, hyphen, underscore and @, with a letter or digit first",
    "login_taken": "a login that nobody has",
    "name_form": f"1 to {LONGEST_NAME} characters on one line",
    "role_unknown": "one of: " + ", ".join(ROLES),
    "areas_none": "at least one code of an area",
    "areas_many": f"at most {MOST_AREAS} areas",
    "area_unknown": "codes of today's areas",
    "account_unknown": "the id of an account",
    "login_unknown": "the login of an account",
    "last_administrator": "This is the last administrator: make another one first.",
    "own_account": "This is your own account: another administrator has to do this.",
    "oidc_account": "This account signs in through OpenID Connect: its provider changes it.",
}


class BadAccount(ValueError):
    """What was asked for an account cannot be done; `details` say why, with the name of the rule."""

    def __init__(self, field: str, rule: str, given: str = "") -> None:
        expected = EXPECTED[rule]
        sentence = f"{field} should be {expected}" + (f"; given was {given!r}." if given else ".")
        super().__init__(expected if expected.endswith(".") else sentence)
        self.details = [{"field": field, "rule": rule, "given": given[:100], "expected": expected}]


class Account(NamedTuple):
    """An account as administrators see it; areas are (code, name)."""

    id: int
    login: str
    name: str
    role: str
    areas: list[tuple[str, str]]
    disabled: bool
    locked: bool
    has_totp: bool
    oidc: bool
    must_change: bool
    demo: bool
    last_sign_in_at: datetime | None
    created_at: datetime
    created_by: str


def list_accounts(conn: Db) -> list[Account]:
    """All accounts, by login."""
    return [
        Account(**row._asdict() | {"areas": [(code, name) for code, name in row.areas]})
        for row in queries.listed(conn)
    ]


def viewer_of(conn: Db, account: AccountRow, *, must_change: bool = False, ip: str = "") -> Viewer:
    """What a session of the account may do and see; without an area it sees nothing."""
    areas = queries.areas_of(conn, account.id)
    return Viewer(
        "account", account.id, account.login, account.role, scope_over(areas),
        tuple(area.code for area in areas), must_change=must_change, ip=ip,
    )  # fmt: skip


def scope_over(areas: Sequence[AreaGiven]) -> Scope:
    """The scope of several areas; the whole place as soon as it is one of them."""
    for area in areas:
        if area.is_root:
            return Scope(area.no, area.hi, county=True)
    return Scope.of([(area.no, area.hi) for area in areas])


def add_account(conn: Db, actor: Viewer, login: str, name: str, role: str, area_codes: Sequence[str]) -> str:
    """Add an account and return its first password, which is kept nowhere and must be changed. Raises BadAccount."""
    login = login.strip().lower()
    if not LOGIN.fullmatch(login):
        raise BadAccount("login", "login_form", login)
    name, areas = _checked(conn, actor, name, role, area_codes)
    first = passwords.first_password()
    added = queries.insert(conn, login, name, role, passwords.hash_of(first), actor.name, must_change=True)
    if added is None:
        raise BadAccount("login", "login_taken", login)
    queries.give_areas(conn, added, [area.no for area in areas])
    _record(conn, actor, Action.account_added, added, login, role=role, areas=[area.code for area in areas])
    return first


def change_account(
    conn: Db, actor: Viewer, account_id: int, *, name: str, role: str, area_codes: Sequence[str]
) -> None:
    """Give an account another name, role and areas; end its sessions after the commit. Raises BadAccount.

    What an account of OpenID Connect has comes from its provider, so it is refused.
    """
    account = _known(conn, actor, account_id)
    if account.oidc_issuer is not None:
        raise BadAccount("id", "oidc_account", account.login)
    if role != account.role:
        _spare_last_administrator(conn, account)
        if actor.kind == "account" and actor.id == account_id:
            raise BadAccount("role", "own_account")
    name, areas = _checked(conn, actor, name, role, area_codes)
    was = [area.code for area in queries.areas_of(conn, account_id)]
    queries.change(conn, account_id, name, role)
    queries.give_areas(conn, account_id, [area.no for area in areas])
    _record(
        conn, actor, Action.account_changed, account_id, account.login, name=[account.name, name],
        role=[account.role, role], areas=[was, [area.code for area in areas]],
    )  # fmt: skip


def set_disabled(conn: Db, actor: Viewer, account_id: int, disabled: bool) -> None:
    """Close an account, or open and unlock it; end its sessions after the commit. Raises BadAccount."""
    account = _known(conn, actor, account_id)
    if disabled:
        if actor.kind == "account" and actor.id == account_id:
            raise BadAccount("id", "own_account")
        _spare_last_administrator(conn, account)
    queries.set_disabled(conn, account_id, disabled)
    _record(conn, actor, Action.account_disabled, account_id, account.login, disabled=disabled)


def reset_password(conn: Db, actor: Viewer, account_id: int) -> str:
    """A new first password, returned once; it also unlocks. End its sessions after the commit. Raises BadAccount."""
    account = _known(conn, actor, account_id)
    if account.oidc_issuer is not None:
        raise BadAccount("id", "oidc_account", account.login)
    first = passwords.first_password()
    queries.set_password(conn, account_id, passwords.hash_of(first), must_change=True)
    _record(conn, actor, Action.account_reset, account_id, account.login, what="first sign-in")
    return first


def reset_second_factor(conn: Db, actor: Viewer, account_id: int) -> None:
    """Forget the second factor: a phone was lost. End its sessions after the commit. Raises BadAccount."""
    account = _known(conn, actor, account_id)
    queries.set_totp(conn, account_id, None, None)
    _record(conn, actor, Action.account_reset, account_id, account.login, what="second factor")


def find_account(conn: Db, login: str) -> int:
    """The id of the account with that login. Raises BadAccount."""
    account = queries.by_login(conn, login.strip().lower())
    if account is None:
        raise BadAccount("login", "login_unknown", login)
    return account.id


def areas_with(conn: Db, area_codes: Sequence[str]) -> list[AreaGiven]:
    """The areas with these codes. Raises BadAccount when one is unknown, or none is given."""
    codes = list(dict.fromkeys(code.strip() for code in area_codes if code.strip()))
    if not codes:
        raise BadAccount("areas", "areas_none")
    if len(codes) > MOST_AREAS:
        raise BadAccount("areas", "areas_many")
    found = {} if "\0" in "".join(codes) else {area.code: area for area in queries.areas_by_code(conn, codes)}
    for code in codes:
        if code not in found:
            raise BadAccount("areas", "area_unknown", code)
    return [found[code] for code in codes]


def _checked(
    conn: Db, actor: Viewer, name: str, role: str, area_codes: Sequence[str]
) -> tuple[str, list[AreaGiven]]:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadAccount("name", "name_form", name)
    if role not in ROLES:
        raise BadAccount("role", "role_unknown", role)
    areas = areas_with(conn, area_codes)
    for area in areas:
        if not actor.scope.covers(scope_over([area])):
            raise BadAccount("areas", "area_unknown", area.code)
    return name, areas


def _known(conn: Db, actor: Viewer, account_id: int) -> AccountRow:
    """The account, if all that it may see lies inside of what the actor may see: outside there is none."""
    account = queries.by_id(conn, account_id) if 0 < account_id < 2**63 else None
    if account is None or not actor.scope.covers(scope_over(queries.areas_of(conn, account.id))):
        raise BadAccount("id", "account_unknown", str(account_id))
    return account


def _spare_last_administrator(conn: Db, account: AccountRow) -> None:
    if queries.administrators(conn) == {account.id}:
        raise BadAccount("role", "last_administrator", account.login)


def _record(conn: Db, actor: Viewer, action: Action, account_id: int, login: str, **detail: object) -> None:
    record(
        conn, actor, action, object_kind="account", object_id=account_id, detail={"login": login, **detail}
    )
