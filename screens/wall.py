"""The layout of the wall: the map in the middle, the figures around it; assets/30-*.js fill them from the live feed."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from screens.config import Config
from screens.format import integer
from screens.map_view import map_view
from screens.words import t

RANKS = 18  # rows of the ranking; a place with more children says how many it leaves out
MATTERS = 8
WORST = 4
LINES = 4  # of the ticker


def layout(config: Config) -> Component:
    """All panels as empty frames of their final size."""
    lang = config["language"]
    return html.Div(
        id="wall",
        children=[
            _header(config, lang),
            html.Section(className="kpis", children=_tiles(lang)),
            html.Main(
                [
                    html.Div([_trend(lang), _matters(lang), _shares(lang)], className="column"),
                    html.Div([_map(config, lang), _strip(lang)], className="column"),
                    html.Div(
                        [_ranking(config, lang), _inset(config, lang)]
                        if config["core"]
                        else [_ranking(config, lang)],
                        className="column",
                    ),
                ]
            ),
            html.Div(id="veil", **{"aria-hidden": "true"}),
        ],
    )


def _header(config: Config, lang: str) -> Component:
    counts = config["counts"]
    levels = [level for level in ("grid", "community", "town", "county") if counts.get(level, 0) > 1]
    text = " · ".join(
        t(
            lang,
            f"count.{level}",
            n=counts[level],
            count=integer(counts[level], lang),
            level=config["levels"].get(level),
        )
        for level in levels
    )
    area, root = config["area"], config["root"]
    title = (
        config["place"]["centre"]
        if area["no"] == root["no"]
        else config["names"].get(area["no"], area["name"])
    )
    parts: list[Any] = [html.H1(title), html.Span(text, className="scale-of-place")]
    if config["place"]["generated"]:
        parts.append(html.Span(t(lang, "generated"), className="generated", title=t(lang, "generated.long")))
    return html.Header(
        [
            *parts,
            html.Div(id="fresh", role="status", children=[html.I(), html.B(), html.Span()]),
            html.Span(id="date"),
            html.Span(id="clock"),
        ]
    )


def _tile(key: str, lang: str, value: Component, unit: str, foot: str) -> Component:
    late = key == "overdue"
    return html.Div(
        className="kpi late" if late else "kpi",
        children=[
            html.Div([t(lang, f"kpi.{key}"), html.Small(t(lang, f"kpi.{key}.of"))], className="label"),
            html.Div(
                [html.I("\u25b2", className="mark") if late else None, value, html.Small(unit)],
                className="value",
            ),
            html.Div(className="foot", **{"data-bind": key, "data-format": foot}),
        ],
    )


def _tiles(lang: str) -> list[Component]:
    unit = t(lang, "unit.ticket")

    def number(path: str) -> Component:
        return html.B(**{"data-bind": path, "data-format": "int"})

    def rate(path: str) -> Component:
        return html.B(**{"data-bind": path, "data-format": "pct"})

    return [
        _tile("intake", lang, number("intake.now"), unit, "than-last-week"),
        _tile("open", lang, number("open.now"), unit, "due-soon"),
        _tile("overdue", lang, number("overdue.now"), unit, "overdue"),
        _tile("closed", lang, number("closed.now"), unit, "than-last-week"),
        _tile("on_time", lang, rate("on_time"), "%", "on-time"),
        _tile("closure", lang, rate("closure"), "%", "closure"),
    ]


def _panel(name: str, title: Any, aside: Any, *body: Any) -> Component:
    return html.Section(
        [html.H2([title, html.Small(aside)]), *body], className=f"panel {name}", **{"aria-label": str(title)}
    )


def _trend(lang: str) -> Component:
    key = [
        html.I(className="line now"), t(lang, "trend.today"),
        html.I(className="line past"), html.Span(**{"data-bind": "day", "data-format": "last-weekday"}),
    ]  # fmt: skip
    return _panel("trend", t(lang, "trend.title"), key, html.Div(id="trend"))


def _matters(lang: str) -> Component:
    aside = html.Span(**{"data-bind": "day", "data-format": "tick-is"})
    rows = _rows("matters", MATTERS, "name", "bar", "count", "change")
    return _panel("matters", t(lang, "matters.title"), aside, rows)


def _shares(lang: str) -> Component:
    rows = [("patrol", "patrol"), ("shift", "shift"), ("video", "video"), ("satisfaction", "satisfaction")]
    return html.Section(
        className="panel shares",
        **{"aria-label": t(lang, "shares.title")},
        children=[
            html.Div(
                className="share",
                **{"data-share": path},
                children=[
                    html.Div(
                        [
                            html.Span(t(lang, f"share.{name}")),
                            html.Span(className="of"),
                            html.B(className="percent"),
                        ],
                        className="text",
                    ),
                    html.Div(html.I(), className="gauge"),
                ],
            )
            for name, path in rows
        ],
    )


def _map(config: Config, lang: str) -> Component:
    return html.Section(
        [
            html.Div(map_view(config), id="map-place"),
            html.Div(id="tour", role="status", children=[html.B(), html.Span(), html.I()]),
        ],
        className="map",
        **{"aria-label": t(lang, "map.title")},
    )


def _strip(lang: str) -> Component:
    worst = _rows("worst", WORST, "name", "count", "late")
    ticker = _rows("ticker", LINES, "time", "place", "matter", "what")
    return html.Div(
        [
            _panel("worst", t(lang, "worst.title"), _open_and_late(lang), worst),
            _panel("ticker", t(lang, "ticker.title"), "", ticker),
        ],
        className="strip",
    )


def _ranking(config: Config, lang: str) -> Component:
    level = config["levels"].get(_child_level(config["area"]["level"], config), "")
    rows = _rows("ranking", RANKS, "name", "bar", "count", "late")
    return _panel("ranking", t(lang, "ranking.title", level=level.lower()), _open_and_late(lang), rows)


def _open_and_late(lang: str) -> list[Component]:
    """Heads of the two columns of figures."""
    return [html.Span(t(lang, "open.short")), html.Span(t(lang, "overdue.short"))]


def _inset(config: Config, lang: str) -> Component:
    return html.Section(
        [
            html.H2(t(lang, "inset.title")),
            html.Div(map_view(config, "inset", config["core"]), id="inset-place"),
        ],
        className="panel inset",
        **{"aria-label": t(lang, "inset.title")},
    )


def _child_level(level: str, config: Config) -> str:
    levels = [name for name in ("city", "county", "town", "community", "grid") if name in config["levels"]]
    at = levels.index(level) if level in levels else 0
    return levels[min(at + 1, len(levels) - 1)]


def _rows(name: str, count: int, *cells: str) -> Component:
    """Rows of a list, empty until the figures arrive; each cell is named by its class."""
    return html.Ol(
        [html.Li([html.Span(className=cell) for cell in cells], className="row") for _ in range(count)],
        id=f"{name}-rows",
        className="rows",
    )
