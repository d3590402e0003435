"""The layout of the admin screen: tabs, a table, and beside it what is known of the chosen row."""

from typing import Any

import dash_ag_grid as dag
from dash import dcc, html
from dash.development.base_component import Component

from screens import account
from screens.admin.tabs import TABS, columns_of
from screens.config import Config
from screens.words import t

QUERY, TABLE, COUNT, ASK, REPLY, SHOWN, FIND, FOUND, TAKEN = (
    "query", "table", "count", "ask", "reply", "shown", "find", "found", "taken",
)  # fmt: skip
FILTERS = (
    "period",
    "since",
    "until",
    "action",
    "actor",
    "text",
    "before",
)  # of the audit, kept in the address


def of(tab: str, part: str) -> str:
    """The id of a part of a tab; each tab has its own, as one app holds the callbacks of all."""
    return f"{tab}-{part}"


def layout(config: Config) -> Component:
    """The page of one tab; callbacks/admin fills its table, assets/30-admin.js the side of the chosen row."""
    lang, tab = config["language"], config["tab"]
    asked = {name: config["parameters"][name] for name in FILTERS if config["parameters"].get(name)}
    stores = [
        dcc.Store(id=of(tab, QUERY), data={"lang": lang, **asked}),
        dcc.Store(id=of(tab, ASK)),
        dcc.Store(id=of(tab, REPLY)),
        dcc.Store(id=of(tab, SHOWN)),
    ]
    if tab == "devices":
        stores += [dcc.Store(id=of(tab, part)) for part in (FIND, FOUND, TAKEN)]
    return html.Div(
        id="admin",
        children=[
            *stores,
            _header(config, lang),
            html.Div(className="way", children=[html.H1(t(lang, "nav.admin")), _tabs(config, lang)]),
            html.Main([_table(config, lang), html.Div([_side(lang, tab)], id="beside")]),
            html.Div(id="dialogs"),
            html.Div(id="said", role="status", **{"aria-live": "polite"}),
        ],
        **{"data-tab": tab},
    )


def _header(config: Config, lang: str) -> Component:
    other = "en" if lang == "zh-CN" else "zh-CN"
    query = _query(config)
    return html.Header(
        [
            html.A(config["place"]["centre"], href=f"/area/{query}", className="name"),
            html.Nav(
                [
                    html.A(t(lang, "nav.area"), href=f"/area/{query}"),
                    html.A(t(lang, "nav.wall"), href=f"/wall/{query}"),
                    html.A(t(lang, "nav.admin"), href=f"/admin/{query}", **{"aria-current": "page"}),
                ]
            ),
            html.A(t(lang, "language.other"), id="language", lang=other, href=f"?lang={other}"),
            account.menu(config),
        ]
    )


def _tabs(config: Config, lang: str) -> Component:
    return html.Nav(
        [
            html.A(
                t(lang, f"admin.tab.{tab}"),
                href=f"/admin/{tab}{_query(config)}",
                **({"aria-current": "page"} if tab == config["tab"] else {}),
            )
            for tab in config["tabs"]
        ],
        className="tabs",
        **{"aria-label": t(lang, "admin.tabs")},
    )


def _table(config: Config, lang: str) -> Component:
    tab = TABS[config["tab"]]
    title = t(lang, f"admin.tab.{tab.name}")
    tools: list[Component] = []
    if tab.name != "audit":
        tools.append(
            dcc.Input(
                id="search",
                type="search",
                placeholder=t(lang, f"admin.search.{tab.name}"),
                debounce=False,
                value="",
            )
        )
    if tab.add:
        words = t(lang, f"admin.form.{tab.add}.open")
        tools.append(html.Button(words, type="button", className="main", **{"data-form": tab.add}))
    if tab.name == "audit":
        tools.append(
            html.A(t(lang, "audit.export"), id="export", className="button", href="#", download="audit.jsonl")
        )
    return html.Section(
        [
            html.H2([title, html.Small(id=of(tab.name, COUNT)), html.Div(tools, className="tools")]),
            *([_filters(lang)] if tab.name == "audit" else []),
            _grid(tab.name, lang),
            *([_pages(lang)] if tab.name == "audit" else []),
        ],
        className="panel table",
        **{"aria-label": title},
    )


def _filters(lang: str) -> Component:
    """The conditions of the audit; assets/31-admin-audit.js fills and reads it, as the address holds them."""
    return html.Form(id="filters", role="search", children=[], **{"aria-label": t(lang, "audit.filters")})


def _pages(lang: str) -> Component:
    return html.Div(
        [
            html.Button(t(lang, "audit.newer"), type="button", id="newer", disabled=True),
            html.Button(t(lang, "audit.older"), type="button", id="older", disabled=True),
        ],
        className="pages",
    )


def _side(lang: str, tab: str) -> Component:
    """Empty until a row is chosen: then it says what can be found here."""
    return html.Aside(
        [html.H2(t(lang, f"admin.about.{tab}")), html.P(t(lang, f"admin.about.{tab}.do"), className="about")],
        id="side",
        className="panel",
        tabIndex=-1,
        **{"aria-label": t(lang, "admin.side")},
    )


def _grid(tab: str, lang: str) -> Component:
    options: dict[str, Any] = {
        "theme": {"function": "wanggeChoiceTheme(agGrid)"},
        "animateRows": False,
        "accentedSort": True,
        "rowHeight": 34,
        "headerHeight": 32,
        "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
        "enableCellTextSelection": True,
        "tooltipShowDelay": 400,
        "isExternalFilterPresent": {"function": "wanggeSought()"},
        "doesExternalFilterPass": {"function": "wanggeFound(params)"},
        "localeText": {
            "noRowsToShow": t(lang, f"admin.none.{tab}"),
            "noMatchingRows": t(lang, "table.no_match"),
            "loadingOoo": t(lang, "page.loading"),
        },
    }
    return dag.AgGrid(
        id=of(tab, TABLE),
        columnDefs=columns_of(TABS[tab], lang),
        rowData=None,
        getRowId="params.data.key",
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "suppressMovable": True,
            "suppressHeaderMenuButton": True,
        },
        dashGridOptions=options,
        className="rows",
        style={"height": "100%", "width": "100%"},
    )


def _query(config: Config) -> str:
    lang = config["parameters"].get("lang")
    return f"?lang={lang}" if lang else ""
