"""What the scripts of the admin screen are told: the tab, its dialogs, and nothing that only a map needs."""

from screens.admin.forms import forms_of
from screens.admin.tabs import open_tabs
from screens.config import Config, page_config
from screens.words import t
from services.access import UnknownArea, Viewer
from services.audit import Action
from services.runtime import Runtime

AUDIT_PAGE = 100  # rows


def admin_config(
    runtime: Runtime, viewer: Viewer, lang: str, tab: str | None, parameters: dict[str, str]
) -> Config:
    """The config of one tab, by default the first that the viewer may open; raises UnknownArea for another."""
    tabs = open_tabs(viewer)
    tab = tab or tabs[0]
    if tab not in tabs:
        raise UnknownArea(f"no tab {tab}")
    config = page_config(runtime, viewer, "admin", lang, None, parameters)
    return {
        **config,
        "names": config["names"] if lang == "en" else {},  # to name the areas that a search finds
        "layers": [],
        "core": None,
        "feeds": {},
        "tabs": tabs,
        "tab": tab,
        "forms": forms_of(tab, viewer, lang),
        "whole": viewer.scope.county,
        "actions": _actions(lang) if tab == "audit" else [],
        "page": AUDIT_PAGE,
    }


def _actions(lang: str) -> list[dict[str, str]]:
    """What can be looked for in the audit, by its word."""
    return [{"value": str(action), "label": t(lang, f"audit.action.{action}")} for action in Action]
