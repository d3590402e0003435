"""The layout of the page of an area."""

from dash import html
from dash.development.base_component import Component

from screens.config import Config


def layout(config: Config) -> Component:
    """The page."""
    return html.Div(id="area")
