"""The layout of a board: figures on top, the queue on the left, the opened case on the right."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from screens import account
from screens.boards.boards import BOARDS
from screens.config import Config
from screens.nav import nav
from screens.words import t

SKELETON_ROWS = 9


def layout(config: Config) -> Component:
    """The frame with its skeletons; assets/6x-boards*.js fill it."""
    lang, board = config["language"], BOARDS[config["screen"]]
    return html.Div(
        id=board.name,
        className="board",
        children=[
            _header(config, lang),
            html.Div(
                [
                    html.H1(t(lang, f"nav.{board.name}")),
                    html.P(t(lang, f"board.{board.name}.lead"), id="lead"),
                    html.Nav(_trail(config), className="scope", **{"aria-label": t(lang, "trail.title")}),
                    html.Div(id="way-tools"),
                ],
                className="way",
            ),
            html.Section(
                [
                    html.Div(
                        [html.Div(t(lang, f"board.{board.name}.tile.{tile}"), className="label")],
                        className="tile",
                        **{"data-tile": tile},
                    )
                    for tile in board.tiles
                ],
                id="figures",
                **{"aria-label": t(lang, "board.figures")},
            ),
            html.Main(
                [
                    html.Section(
                        [
                            html.Div(_tabs(board.tabs, board.name, lang), id="tabs", role="tablist"),
                            html.Div(id="filters"),
                            html.Ul(
                                [html.Li(className="skeleton") for _ in range(SKELETON_ROWS)],
                                id="queue",
                                role="listbox",
                                tabIndex=0,
                                **{"aria-label": t(lang, f"board.{board.name}.queue"), "aria-busy": "true"},
                            ),
                            html.Div(id="queue-foot"),
                        ],
                        className="panel",
                        id="left",
                    ),
                    html.Section(
                        [html.Div(className="skeleton-case")],
                        className="panel",
                        id="case",
                        tabIndex=-1,
                        **{"aria-label": t(lang, "board.case"), "aria-live": "off"},
                    ),
                ]
            ),
            html.Footer(
                [
                    html.Span(_keys(board.name, lang), className="keys"),
                    html.Span(t(lang, "generated") if config["place"]["generated"] else None),
                ]
            ),
            html.Div(id="said", role="status", **{"aria-live": "polite"}),
        ],
    )


def _header(config: Config, lang: str) -> Component:
    other = "en" if lang == "zh-CN" else "zh-CN"
    query = f"?lang={config['parameters']['lang']}" if config["parameters"].get("lang") else ""
    return html.Header(
        [
            html.A(config["place"]["centre"], href=f"/area/{query}", className="name"),
            nav(config, config["screen"]),
            html.Div(id="fresh", role="status", children=[html.I(), html.B(), html.Span()]),
            html.A(t(lang, "language.other"), id="language", lang=other, href=f"?lang={other}"),
            account.menu(config),
        ]
    )


def _trail(config: Config) -> list[Any]:
    """Where the board looks: the way down to its area, each step a link to the board of that area."""
    query = f"?lang={config['parameters']['lang']}" if config["parameters"].get("lang") else ""
    steps: list[Any] = []
    for step in config["trail"]:
        name = config["names"].get(step["no"]) or step["name"]
        here = step is config["trail"][-1]
        steps.append(
            html.B(name) if here else html.A(name, href=f"/{config['screen']}/{step['code']}{query}")
        )
        if not here:
            steps.append(html.Span("\u203a", className="then", **{"aria-hidden": "true"}))
    return steps


def _tabs(tabs: tuple[str, ...], board: str, lang: str) -> list[Component]:
    return [
        html.Button(
            [t(lang, f"board.{board}.tab.{tab}"), html.B()],
            type="button",
            role="tab",
            **{"data-tab": tab, "aria-selected": "true" if tab == tabs[0] else "false"},
        )
        for tab in tabs
    ]


def _keys(board: str, lang: str) -> list[Any]:
    """The keys that the board listens to, in words."""
    rows: list[Any] = []
    for keys, word in (
        (("\u2191", "\u2193"), "move"),
        (("Enter",), "open"),
        (("1", "\u2013", "9"), f"act.{board}"),
        (("Esc",), "leave"),
        (("/",), "filter"),
    ):
        told = [html.Kbd(key) if key != "\u2013" else key for key in keys]
        rows.append(html.Span([*told, t(lang, f"board.key.{word}")]))
    return rows
