"""The layout of the page of an area: where it stands, six figures, its map, and a table of what lies below it."""

from typing import Any

import dash_ag_grid as dag
from dash import dcc, html
from dash.development.base_component import Component

from screens import account
from screens.config import Config
from screens.latin import grid_name
from screens.map_view import map_view
from screens.nav import nav
from screens.words import t

ADDRESS, TICK, TILES, SPAN, TABLE, SEARCH, EXPORT, COUNT = (
    "address", "tick", "tiles", "span", "table", "search", "export", "count",
)  # fmt: skip
PERIODS = ("today", "week", "month")
TILE_NAMES = ("reported", "closed", "open", "overdue", "on_time", "satisfaction")


def layout(config: Config) -> Component:
    """The page's frame; callbacks/area.py fills tiles and table."""
    lang, grid = config["language"], config["area"]["level"] == "grid"
    return html.Div(
        id="area",
        children=[
            dcc.Store(id=ADDRESS, data=_asked(config)),
            dcc.Store(id=TICK, data=0),
            _header(config, lang),
            html.Div(className="way", children=[_trail(config, lang), html.Div(id=SPAN), _periods(lang)]),
            html.Section(
                id=TILES, className="tiles", children=[html.Div(className="tile") for _ in TILE_NAMES]
            ),
            html.Main(
                [
                    html.Section(
                        [
                            html.H2([t(lang, "area.map"), html.Small(_map_says(config, lang))]),
                            html.Div(map_view(config), id="map-place"),
                        ],
                        className="panel map",
                        **{"aria-label": t(lang, "area.map")},
                    ),
                    _tickets(config, lang) if grid else _children(config, lang),
                ]
            ),
            html.Footer([html.Span(t(lang, "area.notes")), html.Span(_source(config, lang))]),
        ],
    )


def _asked(config: Config) -> dict[str, Any]:
    """What the page's address asks for; assets/30-area.js changes the period in it and in the address together."""
    period = config["parameters"].get("period")
    return {
        "code": config["area"]["code"],
        "lang": config["language"],
        "period": period if period in PERIODS else PERIODS[0],
    }


def _header(config: Config, lang: str) -> Component:
    other = "en" if lang == "zh-CN" else "zh-CN"
    return html.Header(
        [
            html.A(config["place"]["centre"], href=f"/area/{_query(config)}", className="name"),
            nav(config, "area"),
            html.Div(id="fresh", role="status", children=[html.I(), html.B(), html.Span()]),
            html.A(t(lang, "language.other"), id="language", lang=other, href=f"?lang={other}"),
            account.menu(config),
        ]
    )


def _trail(config: Config, lang: str) -> Component:
    steps: list[Any] = []
    for step in config["trail"][:-1]:
        steps += [
            html.A(name_of(config, step), href=f"/area/{step['code']}{_query(config)}"),
            html.Span("\u203a", className="then", **{"aria-hidden": "true"}),
        ]
    here = config["trail"][-1]
    steps.append(html.H1(name_of(config, here)))
    if here["level"] != "grid":
        below = _below(config)
        steps += [
            html.Span("\u203a", className="then", **{"aria-hidden": "true"}),
            html.Span(t(lang, "trail.choose", level=config["levels"][below].lower()), className="next"),
        ]
    return html.Nav(steps, className="trail", **{"aria-label": t(lang, "trail.title")})


def _periods(lang: str) -> Component:
    return html.Div(
        [html.Button(t(lang, f"period.{name}"), type="button", **{"data-period": name}) for name in PERIODS],
        className="periods",
        role="group",
        **{"aria-label": t(lang, "period.title")},
    )


def _children(config: Config, lang: str) -> Component:
    level = config["levels"][_below(config)]
    search = dcc.Input(
        id=SEARCH, type="search", placeholder=t(lang, "table.search"), debounce=False, value=""
    )
    return html.Section(
        [
            html.H2(
                [
                    t(lang, "table.title", level=level.lower()),
                    html.Small(id=COUNT),
                    html.Div(
                        [
                            search,
                            html.Button(
                                t(lang, "table.export"),
                                id=EXPORT,
                                type="button",
                                hidden="export" not in config["rights"],
                            ),
                        ],
                        className="tools",
                    ),
                ]
            ),
            _grid(_columns(lang, level, _below(config) == "grid"), lang, f"{config['area']['code']}.csv"),
        ],
        className="panel table",
        **{"aria-label": t(lang, "table.title", level=level.lower())},
    )


def _tickets(config: Config, lang: str) -> Component:
    search = dcc.Input(
        id=SEARCH, type="search", placeholder=t(lang, "tickets.search"), debounce=False, value=""
    )
    columns = [
        {"field": "id", "headerName": t(lang, "tickets.id"), "width": 96},
        {"field": "category", "headerName": t(lang, "tickets.category"), "flex": 1, "minWidth": 120},
        {"field": "channel", "headerName": t(lang, "tickets.channel"), "width": 120},
        {"field": "status", "headerName": t(lang, "tickets.status"), "width": 96},
        {"field": "reported", "headerName": t(lang, "tickets.reported"), "width": 130},
        {"field": "due", "headerName": t(lang, "tickets.due"), "width": 150, "cellRenderer": "WanggeDue"},
    ]
    return html.Section(
        [
            html.H2(
                [
                    t(lang, "tickets.title"),
                    html.Small(id=COUNT),
                    html.Div(
                        [
                            search,
                            html.Button(
                                t(lang, "table.export"),
                                id=EXPORT,
                                type="button",
                                hidden="export" not in config["rights"],
                            ),
                        ],
                        className="tools",
                    ),
                ]
            ),
            _grid(columns, lang, "tickets.csv", "tickets.none"),
        ],
        className="panel table",
        **{"aria-label": t(lang, "tickets.title")},
    )


def _columns(lang: str, level: str, of_grids: bool) -> list[dict[str, Any]]:
    """Columns of the table of children; rates sort by their value, and their fraction stands in its own column."""

    def number(field: str, width: int, **more: Any) -> dict[str, Any]:
        title = t(lang, f"column.{field}")
        format_ = {"function": "wanggeInt(params.value)"}
        return {
            "field": field, "headerName": title, "width": width, "type": "rightAligned", "valueFormatter": format_,
            "sortingOrder": ["desc", "asc"], **more,
        }  # fmt: skip

    def rate(field: str, width: int, flex: float) -> list[dict[str, Any]]:
        """The rate with its fraction in one cell; numerator and denominator are columns of the CSV."""
        parts = [
            {"field": f"{field}_{part}", "headerName": t(lang, f"column.{field}_{part}"), "hide": True}
            for part in "nd"
        ]
        told = t(lang, f"column.{field}.of")
        return [
            number(
                field,
                width,
                cellRenderer="WanggeRate",
                headerTooltip=told,
                type=None,
                headerClass="rate",
                flex=flex,
                minWidth=width,
            ),
            *parts,
        ]

    grids = number("grids", 62, cellClass=["ag-right-aligned-cell", "quiet"])
    return [
        {"field": "name", "headerName": level, "flex": 1.2, "minWidth": 108, "cellRenderer": "WanggeAreaLink",
         "sortingOrder": ["asc", "desc"]},
        {"field": "code", "headerName": t(lang, "column.code"), "hide": True},
        *([] if of_grids else [grids]),
        number("open", 150, cellRenderer="WanggeBar", flex=1, minWidth=104, sort="desc"),
        number("change", 76, headerTooltip=t(lang, "column.change.of"), cellClass=["ag-right-aligned-cell", "quiet"],
               valueFormatter={"function": "wanggeSigned(params.value)"}),
        number("overdue", 70, cellRenderer="WanggeLate"),
        number("reported", 66),
        *rate("on_time", 138, 0.62),
        *rate("satisfaction", 132, 0.6),
    ]  # fmt: skip


def _grid(columns: list[dict[str, Any]], lang: str, file_name: str, none: str = "table.none") -> Component:
    return dag.AgGrid(
        id=TABLE,
        columnDefs=columns,
        rowData=None,
        getRowId="params.data.key",
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "suppressMovable": True,
            "suppressHeaderMenuButton": True,
        },
        dashGridOptions={
            "theme": {"function": "wanggeGridTheme(agGrid)"},
            "animateRows": False,
            "rowHeight": 30,
            "headerHeight": 32,
            "suppressCellFocus": False,
            "enableCellTextSelection": True,
            "isExternalFilterPresent": {"function": "wanggeSought()"},
            "doesExternalFilterPass": {"function": "wanggeFound(params)"},
            "localeText": {
                "noRowsToShow": t(lang, none),
                "noMatchingRows": t(lang, "table.no_match"),
                "loadingOoo": t(lang, "page.loading"),
            },
        },
        csvExportParams={
            "fileName": file_name,
            "allColumns": True,
            "processCellCallback": {"function": "wanggeCsvCell(params)"},
        },
        style={"height": "100%", "width": "100%"},
    )


def name_of(config: Config, area: dict[str, Any]) -> str:
    """The name of an area in the page's language."""
    if area["level"] != "grid":
        return str(config["names"].get(area["no"], area["name"]))
    above = config["trail"][-2]["name"] if len(config["trail"]) > 1 else ""
    return grid_name(config["language"], area["name"], above)


def _below(config: Config) -> str:
    """The level below the area of the page."""
    levels = [name for name in ("city", "county", "town", "community", "grid") if name in config["levels"]]
    return levels[min(levels.index(config["area"]["level"]) + 1, len(levels) - 1)]


def _map_says(config: Config, lang: str) -> str:
    n = config["counts"].get("grid", 0)
    return t(lang, "area.grids", n=n, count=f"{n:,}") if config["area"]["level"] != "grid" else ""


def _source(config: Config, lang: str) -> str:
    return t(lang, "generated.long") if config["place"]["generated"] else ""


def _query(config: Config) -> str:
    lang = config["parameters"].get("lang")
    return f"?lang={lang}" if lang else ""
