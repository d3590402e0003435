"""The way from one desk screen to another, in the header of each: what the viewer's role opens."""

from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from screens.config import Config
from screens.words import t
from services.access import Right


class Entry(NamedTuple):
    """A screen: its name in addresses and words, the right that opens it, and one that opens a part of it."""

    name: str
    right: Right
    part: Right | None = None


ENTRIES = (
    Entry("area", Right.MAP),
    Entry("dispatch", Right.TICKETS_DISPATCH, Right.DISPATCH_RULES),
    Entry("tickets", Right.TICKETS_READ),
    Entry("callbacks", Right.TICKETS_CALL_BACK),
    Entry("supervision", Right.TICKETS_SUPERVISE),
    Entry("mediation", Right.MEDIATE),
    Entry("wall", Right.MAP),
)


def nav(config: Config, current: str) -> Component:
    """Links to the screens that the viewer may open, wholly or in part; the current one is marked."""
    lang, rights = config["language"], config["rights"]
    asked = config["parameters"].get("lang")
    query = f"?lang={asked}" if asked else ""
    return html.Nav(
        [
            html.A(
                t(lang, f"nav.{entry.name}" if entry.right in rights else f"nav.{entry.name}.part"),
                href=f"/{entry.name}/{query}",
                **({"aria-current": "page"} if entry.name == current else {}),
            )
            for entry in ENTRIES
            if entry.right in rights or entry.part in rights
        ]
    )
