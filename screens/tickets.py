"""The page of the list of tickets at /tickets/: its frame, and what its scripts are told."""

from typing import Any

from dash import html
from dash.development.base_component import Component
from flask import Flask

from screens import account
from screens.config import Config, page_config
from screens.nav import nav
from screens.page import NOT_ON_AREA, Screen
from screens.words import t
from services.access import Right, Viewer
from services.runtime import Runtime
from services.ticket_list.asked import FLAGS, GROUPS, LOCATED

NOT_ON_TICKETS = (*NOT_ON_AREA, "/dash/dcc/", "/dash_leaflet/", "/dash_ag_grid/")
SHOWN_GROUPS = ("open", "todo", "unsigned", "working", "waiting", "check", "done", "void", "all")
# Columns in their order: name, and what a click on its head sorts by.
COLUMNS = (
    ("due", "due"), ("matter", ""), ("category", ""), ("place", "area"), ("status", "status"), ("severity", "severity"),
    ("channel", ""), ("holder", ""), ("reported", "reported"),
)  # fmt: skip
SKELETON_ROWS = 12


def make_tickets(runtime: Runtime, server: Flask) -> Screen:
    """The list; it has no callbacks: its scripts read and write /api/tickets."""
    return Tickets("tickets", runtime, server, layout, NOT_ON_TICKETS)


class Tickets(Screen):
    """The list of the tickets that the viewer may see; below its address stands the code of an area."""

    def may(self, viewer: Viewer) -> bool:
        """Whether the viewer may read tickets; another system reads them over HTTP."""
        return viewer.may(Right.TICKETS_READ) and viewer.kind != "client"

    def config_of(self, viewer: Viewer, lang: str, code: str | None, parameters: dict[str, str]) -> Config:
        """What the page's scripts are told; nothing that a map needs."""
        config = page_config(self.runtime, viewer, "tickets", lang, code, parameters)
        profile = self.runtime.profile

        def named(rows: Any) -> list[dict[str, str]]:
            return [{"code": row.code, "name": row.name_en if lang == "en" else row.name} for row in rows]

        return {
            **config,
            "layers": [],
            "feeds": {"snapshot": config["feeds"]["snapshot"]},
            "departments": named(profile.departments),
            "severities": named(profile.loop.severities),
            "supervisions": named(profile.loop.supervisions),
            "commands": {
                code: word.name_en if lang == "en" else word.name for code, word in profile.loop.words.items()
            },
            "list": {"groups": SHOWN_GROUPS, "flags": FLAGS, "located": LOCATED, "states": {
                name: sorted(states) for name, states in GROUPS.items()
            }},
        }  # fmt: skip


def layout(config: Config) -> Component:
    """The frame with its skeleton; assets/5x-tickets*.js fill it."""
    lang = config["language"]
    return html.Div(
        id="tickets",
        children=[
            _header(config, lang),
            html.Div(
                [
                    html.H1(t(lang, "nav.tickets")),
                    html.Div(id="figures", role="status", **{"aria-live": "polite"}),
                    html.Div(id="tools"),
                ],
                className="way",
            ),
            html.Div(id="filters", role="group", **{"aria-label": t(lang, "list.filters")}),
            html.Main(
                [
                    html.Section(
                        [
                            html.Div(id="news", role="status", **{"aria-live": "polite"}),
                            html.Div([_table(lang), html.Div(id="end")], id="scroll"),
                        ],
                        className="panel table",
                    ),
                    html.Aside(id="side", hidden=True, tabIndex=-1, **{"aria-label": t(lang, "list.side")}),
                ]
            ),
            html.Footer(
                [
                    html.Div(_keys(lang), id="keys"),
                    html.Div(id="bulk", hidden=True),
                    html.Small(t(lang, "generated.long") if config["place"]["generated"] else "", id="made"),
                ]
            ),
            html.Div(id="toast", role="status", **{"aria-live": "polite"}),
        ],
    )


def _header(config: Config, lang: str) -> Component:
    other = "en" if lang == "zh-CN" else "zh-CN"
    query = f"?lang={config['parameters']['lang']}" if config["parameters"].get("lang") else ""
    return html.Header(
        [
            html.A(config["place"]["centre"], href=f"/area/{query}", className="name"),
            nav(config, "tickets"),
            html.Div(id="fresh", role="status", children=[html.I(), html.B(), html.Span()]),
            html.A(t(lang, "language.other"), id="language", lang=other, href=f"?lang={other}"),
            account.menu(config),
        ]
    )


def _table(lang: str) -> Component:
    return html.Table(
        [html.Thead(html.Tr(_heads(lang))), html.Tbody(_skeleton(), id="rows")],
        id="list",
        role="grid",
        **{"aria-label": t(lang, "nav.tickets")},
    )


def _heads(lang: str) -> list[Component]:
    heads: list[Component] = [html.Th(className="pick", scope="col")]
    for name, sort in COLUMNS:
        word = t(lang, f"list.column.{name}")
        inner: Any = html.Button([word, html.I()], type="button", **{"data-sort": sort}) if sort else word
        heads.append(html.Th(inner, className=name, scope="col"))
    return heads


def _skeleton() -> list[Component]:
    return [
        html.Tr([html.Td(html.I()) for _ in range(len(COLUMNS) + 1)], className="skeleton")
        for _ in range(SKELETON_ROWS)
    ]


def _keys(lang: str) -> list[Component]:
    """The keys that the page listens to."""
    rows = (("J", "K"), "move"), (("Enter",), "open"), (("X",), "pick"), (("/",), "search"), (("?",), "help")
    return [html.Span([*(html.Kbd(key) for key in keys), t(lang, f"list.key.{word}")]) for keys, word in rows]
