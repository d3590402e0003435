"""The dialogs of the admin screen as data: assets/31-admin-forms.js draws them, callbacks/admin does them."""

from typing import Any

from screens.words import LANGUAGES, t
from services.access import RIGHTS, ROLES, Right, Viewer

Field = dict[str, Any]
Form = dict[str, Any]


def forms_of(tab: str, viewer: Viewer, lang: str) -> dict[str, Form]:
    """The dialogs of a tab by name; the name is also what their submission asks the callback to do."""

    def field(name: str, kind: str = "text", **more: Any) -> Field:
        hint = f"admin.hint.{name}"
        told = t(lang, hint)
        return {
            "name": name, "kind": kind, "label": t(lang, f"admin.field.{name}"),
            "hint": "" if told == hint else told, "required": True, **more,
        }  # fmt: skip

    def form(name: str, *fields: Field, danger: bool = False) -> Form:
        return {
            "title": t(lang, f"admin.form.{name}"),
            "lead": t(lang, f"admin.form.{name}.lead"),
            "submit": t(lang, f"admin.form.{name}.submit"),
            "fields": list(fields),
            "danger": danger,
        }

    def options(*values: str, of: str) -> list[dict[str, str]]:
        return [{"value": value, "label": t(lang, f"admin.{of}.{value}")} for value in values]

    login = field("login", most=64, plain=True)
    name = field("name", most=60)
    role = field("role", "choice", options=roles_for(viewer, lang))
    areas = field("areas", "areas")
    made: dict[str, dict[str, Form]] = {
        "accounts": {
            "account_add": form("account_add", name, login, role, areas),
            "account_change": form("account_change", name, role, areas),
            "account_disable": form("account_disable", danger=True),
            "account_enable": form("account_enable"),
            "account_password": form("account_password", danger=True),
            "account_factor": form("account_factor", danger=True),
        },
        "walls": {
            "wall_pair": form(
                "wall_pair",
                field("code", "code", most=12),
                field("screen", most=60),
                field("area", "area"),
                field("wall_lang", "radio", options=options(*LANGUAGES, of="language"), value=lang),
                field("tour", "radio", options=options("on", "off", of="tour"), value="on"),
            ),
            "wall_revoke": form("wall_revoke", danger=True),
        },
        "devices": {
            "device_add": form("device_add", field("worker", "worker"), field("label", most=60)),
            "device_revoke": form("device_revoke", danger=True),
        },
        "clients": {
            "client_add": form(
                "client_add",
                field("client", most=80),
                field("days", "radio", options=options("90", "365", "never", of="days"), value="365"),
            ),
            "client_revoke": form("client_revoke", danger=True),
        },
        "sessions": {"session_end": form("session_end", danger=True)},
    }
    return made.get(tab, {})


def roles_for(viewer: Viewer, lang: str) -> list[dict[str, str]]:
    """The roles with what each may do, in words."""
    return [
        {"value": role, "label": t(lang, f"role.{role}"), "hint": rights_told(role, lang)} for role in ROLES
    ]


def rights_told(role: str, lang: str) -> str:
    """What a role may do beyond looking at the map, in words."""
    return t(lang, "list.comma").join(
        t(lang, f"right.{right.value}") for right in Right if right in RIGHTS[role] and right != Right.MAP
    ) or t(lang, "right.map")
