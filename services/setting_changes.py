"""Which settings differ from those of the start before: written into the audit when the product starts."""

from typing import Any

from pydantic import SecretStr

from geodata.queries import audit as queries
from geodata.scope import Db
from services import audit
from services.access.viewer import SYSTEM
from settings import Settings

# May hold a password or a key: the audit learns only whether they are set.
HIDDEN = frozenset({"database_url", "redis_url", "tianditu_key", "basemap_url"}) | {
    name for name, field in Settings.model_fields.items() if SecretStr.__name__ in str(field.annotation)
}
CHANGES_BY_ITSELF = frozenset({"port"})  # chosen anew by each demo and test


def record_settings(conn: Db, settings: Settings) -> list[str]:
    """Write one row when a setting differs from the last row about them, and return the names; as the owner.

    A pair of name and value each: what a setting is called must not be mistaken for what the audit refuses to hold.
    """
    now = {
        name: _told(name, value)
        for name, value in sorted(settings.model_dump().items())
        if name not in CHANGES_BY_ITSELF
    }
    before = queries.last_settings(conn)
    changed = [name for name, value in now.items() if before is None or before.get(name) != value]
    gone = [name for name in before or {} if name not in now]
    if changed or gone:
        detail = {
            "changed": [] if before is None else [[name, before.get(name), now[name]] for name in changed],
            "all": [[name, value] for name, value in now.items()],
        }
        audit.record(conn, SYSTEM, audit.Action.setting, object_kind="settings", detail=detail)
    return changed


def _told(name: str, value: Any) -> str:
    if name in HIDDEN:
        held = value.get_secret_value() if isinstance(value, SecretStr) else value
        return "set" if held else "not set"
    return str(value)
