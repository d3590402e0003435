"""Who may see what: roles and their rights, viewers and their sessions, and the scope that every read runs in."""

from services.access.roles import RIGHTS, ROLES, Right
from services.access.scopes import UnknownArea, opened, scope_for, scope_of
from services.access.viewer import SYSTEM, Viewer

__all__ = ["RIGHTS", "ROLES", "SYSTEM", "Right", "UnknownArea", "Viewer", "opened", "scope_for", "scope_of"]
