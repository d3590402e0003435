"""The Dash app of the dispatcher's screen at /dispatch/ and, narrowed to an area, at /dispatch/<code>."""

from flask import Flask

from screens.config import Config
from screens.dispatch.config import dispatch_config
from screens.dispatch.page import layout
from screens.page import NOT_ON_AREA, Screen
from services.access import Right, Viewer
from services.runtime import Runtime

NOT_ON_DISPATCH = (*NOT_ON_AREA, "/dash/dcc/", "/dash_ag_grid/")


def make_dispatch(runtime: Runtime, server: Flask) -> Screen:
    """The screen; it has no callbacks: its scripts read and write /api/dispatch, /api/incidents and /api/tickets."""
    return Dispatch("dispatch", runtime, server, layout, NOT_ON_DISPATCH)


class Dispatch(Screen):
    """The queue, the map and the ticket of the areas that the viewer may dispatch in; its rules for who does not."""

    def may(self, viewer: Viewer) -> bool:
        """Whether the viewer is a person who dispatches, or sees to the rules; other systems have the interfaces."""
        return viewer.kind == "account" and viewer.may(Right.DISPATCH_RULES)

    def config_of(self, viewer: Viewer, lang: str, code: str | None, parameters: dict[str, str]) -> Config:
        """What the page's scripts are told."""
        return dispatch_config(self.runtime, viewer, lang, code, parameters)
