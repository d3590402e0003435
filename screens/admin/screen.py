"""The Dash app of the admin screen at /admin/<tab>."""

from typing import Any

from flask import Flask, request

from screens.admin.config import admin_config
from screens.admin.page import layout
from screens.admin.tabs import may_open, open_tabs
from screens.config import Config
from screens.page import NOT_ON_AREA, Screen
from screens.viewer import found
from screens.words import language_of
from services.access import Viewer
from services.runtime import Runtime

NOT_ON_ADMIN = (*NOT_ON_AREA, "/dash_leaflet/")


def make_admin(runtime: Runtime, server: Flask) -> Screen:
    """The admin screen; its callbacks are registered by app.py."""
    return Admin("admin", runtime, server, layout, NOT_ON_ADMIN)


class Admin(Screen):
    """Below its address stands a tab, not an area; who may not open it is told so."""

    def index(self, *args: Any, **kwargs: Any) -> Any:
        """The page of one tab."""
        viewer, tab = found(), request.path.removeprefix("/admin/").strip("/")
        if viewer is not None and may_open(viewer) and tab and tab not in open_tabs(viewer):
            lang = language_of(request.args.get("lang"), self.runtime.settings.language)
            return self._notice(lang, "forbidden", 403, tab)
        return super().index(*args, **kwargs)

    def may(self, viewer: Viewer) -> bool:
        """Whether there is a tab for the viewer."""
        return may_open(viewer)

    def config_of(self, viewer: Viewer, lang: str, code: str | None, parameters: dict[str, str]) -> Config:
        """What the page's scripts are told: the tab and its dialogs."""
        return admin_config(self.runtime, viewer, lang, code, parameters)
