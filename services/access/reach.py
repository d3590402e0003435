"""How far an administrator reaches: accounts all of whose areas lie inside of their own, and no others."""

from geodata.queries import accounts as queries
from geodata.scope import Db, Scope
from services.access.accounts import Account, list_accounts
from services.access.viewer import Viewer


def accounts_of(conn: Db, actor: Viewer) -> list[Account]:
    """The accounts that the actor may administer, by login; one that also has an area outside is not there."""
    accounts = list_accounts(conn)
    if actor.scope.county:
        return accounts
    codes = sorted({code for account in accounts for code, _ in account.areas})
    inside = {
        area.code
        for area in queries.areas_by_code(conn, codes)
        if actor.scope.covers(Scope(area.no, area.hi, area.is_root))
    }
    return [
        account for account in accounts if account.areas and {code for code, _ in account.areas} <= inside
    ]
