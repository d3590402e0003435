"""The layout of the dispatcher's screen: header with figures, queue, map and ticket, footer with keys."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from screens import account
from screens.config import Config
from screens.dispatch.config import RULES
from screens.map_view import map_view
from screens.nav import nav
from screens.words import t
from services.access import Right

SKELETON_ROWS = 12
TABS = ("decide", "unsigned", "mine", "all")
FIGURES = ("waiting", "handling", "soon", "overdue")
TOOLS = ("plan", "incidents", "alarms", "handover", "leaves", "split")
KEYS = (
    (("\u2191", "\u2193"), "move"), (("Enter",), "claim"), (("1", "\u2013", "5"), "candidate"), (("D",), "assign"),
    (("W",), "whistle"), (("U",), "undo"), (("L",), "lasso"), (("M",), "back"), (("?",), "help"),
)  # fmt: skip


def layout(config: Config) -> Component:
    """The frame with its skeletons; assets/7x-dispatch*.js fill it."""
    lang, pane = config["language"], config["pane"]
    parts = []
    if pane in ("both", "queue"):
        parts.append(_queue(lang))
    if pane in ("both", "map"):
        parts.append(_map(config, lang))
    if pane != "map":
        parts.append(_ticket(lang))
    return html.Div(
        id="dispatch",
        className=f"pane-{pane}",
        children=[
            _header(config, lang),
            html.Main(parts),
            _footer(config, lang),
            html.Div(id="toast", role="status", hidden=True, **{"aria-live": "polite"}),
        ],
    )


def _header(config: Config, lang: str) -> Component:
    place, pane = config["place"], config["pane"]
    figures = [
        html.Span(
            [t(lang, f"dispatch.figure.{name}"), html.B("\u2013")], className=name, **{"data-figure": name}
        )
        for name in FIGURES
        if pane != RULES
    ]
    tools = [
        html.Button(
            [t(lang, f"dispatch.tool.{name}"), html.B(hidden=True)], type="button", **{"data-tool": name}
        )
        for name in _tools(config)
    ]
    return html.Header(
        [
            html.Span(place["name"] if lang == "en" else place["centre"], className="name"),
            html.Details(
                [
                    html.Summary(t(lang, "nav.dispatch.part" if pane == RULES else "nav.dispatch")),
                    nav(config, "dispatch"),
                ],
                className="go",
            ),
            html.Div(tools, id="tools", role="toolbar", **{"aria-label": t(lang, "dispatch.tools")})
            if pane != "map"
            else None,
            html.Div(figures, id="figures", role="status", **{"aria-live": "off"}),
            html.Div(id="fresh", role="status", children=[html.I(), html.B(), html.Span()]),
            html.Span(id="clock"),
            html.Span(id="date", hidden=True),
            account.menu(config),
        ]
    )


def _tools(config: Config) -> tuple[str, ...]:
    if config["pane"] == RULES:
        return ("weights", "leaves") if Right.PEOPLE in config["rights"] else ("weights",)
    return TOOLS if config["pane"] == "both" else TOOLS[:-1]


def _queue(lang: str) -> Component:
    tabs = [
        html.Button(
            [t(lang, f"dispatch.tab.{tab}"), html.B()],
            type="button", role="tab", **{"data-tab": tab, "aria-selected": "true" if tab == TABS[0] else "false"},
        )
        for tab in TABS
    ]  # fmt: skip
    return html.Section(
        [
            html.Div(tabs, id="tabs", role="tablist", **{"aria-label": t(lang, "dispatch.tabs")}),
            html.Div(id="finding"),
            html.Div(id="news", role="status", hidden=True, **{"aria-live": "polite"}),
            html.Ul(
                [html.Li(className="skeleton") for _ in range(SKELETON_ROWS)],
                id="rows",
                role="listbox",
                tabIndex=0,
                **{
                    "aria-label": t(lang, "dispatch.queue"),
                    "aria-busy": "true",
                    "aria-multiselectable": "true",
                },
            ),
            html.Div(id="lost", role="status", hidden=True),
            html.Div(id="bulk", hidden=True),
        ],
        className="queue",
    )


def _map(config: Config, lang: str) -> Component:
    return html.Section(
        [
            html.Div(map_view(config), id="map-place"),
            html.Div(id="over-map", role="status", **{"aria-live": "polite"}),
            html.Div(
                [
                    html.Span([html.I("\u25b2"), t(lang, "dispatch.legend.late")], className="late"),
                    html.Span([html.I("\u25c6"), t(lang, "dispatch.legend.soon")], className="soon"),
                    html.Span([html.I("\u25cf"), t(lang, "dispatch.legend.other")]),
                    html.Span([html.I("\u2460\u2013\u2464"), t(lang, "dispatch.legend.candidates")]),
                    html.Span([html.I(className="dashed"), t(lang, "dispatch.legend.stale")]),
                    html.Span(id="on-map", role="status"),
                ],
                className="legend",
            ),
        ],
        className="map",
    )


def _ticket(lang: str) -> Component:
    return html.Section(
        [html.Div(id="ticket", tabIndex=-1), html.Div(id="panel", hidden=True, tabIndex=-1)],
        className="ticket",
        **{"aria-label": t(lang, "dispatch.ticket")},
    )


def _footer(config: Config, lang: str) -> Component:
    rows: list[Any] = []
    for keys, word in KEYS:
        told = [html.Kbd(key) if key != "\u2013" else key for key in keys]
        rows.append(html.Span([*told, t(lang, f"dispatch.key.{word}")]))
    other = "en" if lang == "zh-CN" else "zh-CN"
    return html.Footer(
        [
            html.Div(rows if config["pane"] in ("both", "queue") else None, id="keys"),
            html.Small(t(lang, "generated.long") if config["place"]["generated"] else "", id="made"),
            html.A(t(lang, "language.other"), id="language", lang=other, href=f"?lang={other}"),
        ]
    )
