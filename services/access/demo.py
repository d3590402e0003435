"""The accounts of the demo: one a role, with passwords that everybody may know and that open nothing elsewhere."""

from typing import NamedTuple

from geodata.queries import accounts as queries
from geodata.scope import Db
from services.access import passwords
from services.access.roles import ROLES
from services.access.viewer import SYSTEM
from services.audit import Action, record

# The level whose first area a role gets; all others get the whole place.
LEVEL = {"town_official": "town", "mediator": "town", "community_clerk": "community", "grid_worker": "grid"}


class DemoAccount(NamedTuple):
    """An account to try the product with."""

    role: str
    login: str
    password: str


def demo_accounts() -> list[DemoAccount]:
    """One account for each role, in the order of the roles."""
    names = [(role, role.replace("_", "-")) for role in ROLES]
    return [DemoAccount(role, f"demo-{name}", f"wangge-{name}") for role, name in names]


def make_demo_accounts(conn: Db) -> list[DemoAccount]:
    """Make those that are missing and return all (hat "access"); an older password becomes today's.

    Raises LookupError when the place has no areas.
    """
    areas, root = queries.first_areas(conn), queries.root_code(conn)
    if root is None:
        raise LookupError("the place has no areas yet")
    made = []
    for account in demo_accounts():
        known = queries.by_login(conn, account.login)
        if known is not None:
            if known.demo and not passwords.matches(known.password_hash, account.password):
                queries.set_password(conn, known.id, passwords.hash_of(account.password), must_change=False)
            continue
        kept = passwords.hash_of(account.password)
        added = queries.insert(
            conn, account.login, account.login, account.role, kept, SYSTEM.name, must_change=False, demo=True
        )
        if added is not None:
            code = areas.get(LEVEL.get(account.role, ""), root)
            queries.give_areas(conn, added, [area.no for area in queries.areas_by_code(conn, [code])])
            made.append(account.login)
    if made:
        record(conn, SYSTEM, Action.account_added, object_kind="account", detail={"demo": made})
    return demo_accounts()
