"""The shell of a page: its address, language and theme, what its scripts are told, and what is loaded early."""

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import psycopg
from dash import Dash
from dash.development.base_component import Component
from flask import Flask, Response, g, request
from psycopg_pool import PoolTimeout

from screens import area, wall
from screens.config import Config, page_config, title_of
from screens.skeleton import to_html
from screens.words import language_of, t, words
from services.access import UnknownArea
from services.breadcrumb import NoPlace
from services.runtime import Runtime
from settings import ROOT

# Suites that Dash puts on every page whether its layout uses them or not; a wall is light without them.
NOT_ON_WALL = ("/dash/dcc/", "/dash/dash_table/", "/dash_ag_grid/", "/dash_extensions/", "/dash_svg/")
NOT_ON_AREA = ("/dash/dash_table/", "/dash_extensions/", "/dash_svg/")
NOT_NEEDED = ("/dash/deps/polyfill",)
THEME = {"wall": "dark", "area": "light"}
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%23161D25'/%3E%3Cg fill='%2359B6B6'%3E"
    "%3Cpath d='M3 3h4.5v4.5H3z' fill='%232F818E'/%3E%3Cpath d='M8.5 3H13v4.5H8.5z'/%3E"
    "%3Cpath d='M3 8.5h4.5V13H3z' fill='%2328586A'/%3E%3Cpath d='M8.5 8.5H13V13H8.5z' fill='%23B8EFDF'/%3E"
    "%3C/g%3E%3C/svg%3E"
)

# Stands in the page itself: as a file it would wait behind thirty others for one of a browser's six connections.
FIRST_MAP = (ROOT / "assets" / "early" / "first-map.js").read_text()

Layout = Callable[[Config], Component]


def make_wall(runtime: Runtime, server: Flask) -> Dash:
    """The wall of the whole place at /wall/, and of one area at /wall/<code>."""
    return Screen("wall", runtime, server, wall.layout, NOT_ON_WALL)


def make_area(runtime: Runtime, server: Flask) -> Dash:
    """The page of an area at /area/<code>; /area/ is the whole place. Its callbacks are registered by app.py."""
    return Screen("area", runtime, server, area.layout, NOT_ON_AREA)


class Screen(Dash):
    """A Dash app with our own page around it; `window.wangge` of the page holds its config and words."""

    def __init__(
        self, name: str, runtime: Runtime, server: Flask, layout: Layout, unused: Sequence[str]
    ) -> None:
        """Serve /<name>/… on that server; `layout` makes the components from the page's config."""
        self.screen = name
        self.runtime = runtime
        self.make_layout = layout
        self.unused = (*unused, *NOT_NEEDED)
        other = "area" if name == "wall" else "wall"
        super().__init__(
            name=f"wangge_{name}",
            server=server,
            url_base_pathname=f"/{name}/",
            assets_folder=str(ROOT / "assets"),
            assets_ignore=rf"^{other}\.css$|^30-{other}",
            assets_path_ignore=["vendor", "early"],
            update_title="",
            suppress_callback_exceptions=True,
            add_log_handler=False,
        )
        self.layout = self._alone

    def index(self, *_args: Any, **_kwargs: Any) -> Any:
        """The page; a page in the same style says so when there is no such area (404) or no database (503)."""
        lang = language_of(request.args.get("lang"), self.runtime.settings.language)
        code = request.path.removeprefix(f"/{self.screen}/").strip("/")
        try:
            g.config = page_config(self.runtime, self.screen, lang, code or None, request.args.to_dict())
            return super().index()
        except (psycopg.OperationalError, PoolTimeout):
            return self._notice(lang, "away", 503, code)
        except (UnknownArea, NoPlace):
            return (
                self._notice(lang, "unknown", 404, code) if code else self._notice(lang, "empty", 503, code)
            )

    def interpolate_index(self, **parts: Any) -> str:
        """Our page: the layout is in it twice, as HTML to be seen at once and as JSON to spare Dash a request."""
        config: Config = g.config
        lang, prefix = config["language"], self.config.requests_pathname_prefix
        given = {
            f"{prefix}_dash-layout": json.loads(self.serve_layout().get_data()),
            f"{prefix}_dash-dependencies": json.loads(self.dependencies().get_data()),
        }
        told = {"config": config, "words": words(lang), "given": given}
        return f"""<!DOCTYPE html>
<html lang="{lang}" class="{THEME[self.screen]}" data-screen="{self.screen}">
<head>
{parts["metas"]}
<title>{escape(title_of(config))}</title>
<link rel="icon" href="{ICON}">
{_preloads(config["feeds"])}
{parts["css"]}
<script>window.wangge={for_script(told)}</script>
<script>{FIRST_MAP}</script>
</head>
<body>
<div id="react-entry-point">{to_html(self.make_layout(config))}</div>
<footer>{parts["config"]}{parts["scripts"]}{parts["renderer"]}</footer>
</body>
</html>"""

    def _alone(self) -> Component:
        """For a request of Dash's own, outside of a page: the whole place in the default language."""
        if "config" not in g:
            g.config = page_config(self.runtime, self.screen, self.runtime.settings.language, None, {})
        return self.make_layout(g.config)

    def _generate_scripts_html(self) -> str:
        """Dash's list without the suites that this screen does not use: they weigh 3 MB."""
        tags = super()._generate_scripts_html().split("\n")
        return "\n".join(tag for tag in tags if not any(suite in tag for suite in self.unused))

    def _notice(self, lang: str, kind: str, status: int, code: str) -> Response:
        """A page that says what is wrong and what to do; when the database is away it tries again by itself."""
        retry = '<meta http-equiv="refresh" content="5">' if status == 503 else ""
        home = "/wall/" if self.screen == "wall" else "/area/"
        query = f"?lang={lang}" if request.args.get("lang") else ""
        link = f'<a href="{home}{query}">{escape(t(lang, "notice.home"))}</a>' if status == 404 else ""
        page = f"""<!DOCTYPE html>
<html lang="{lang}" class="{THEME[self.screen]}" data-screen="{self.screen}">
<head><meta charset="utf-8">{retry}<title>{escape(t(lang, f"notice.{kind}"))}</title>
<link rel="icon" href="{ICON}">
<link rel="stylesheet" href="{home}assets/tokens.css"><link rel="stylesheet" href="{home}assets/base.css"></head>
<body class="notice"><main role="alert"><h1>{escape(t(lang, f"notice.{kind}"))}</h1>
<p>{escape(t(lang, f"notice.{kind}.do", code=code))}</p>{link}</main></body></html>"""
        return Response(page, status, {"Cache-Control": "no-store"}, mimetype="text/html")


def _preloads(feeds: dict[str, str]) -> str:
    link = '<link rel="preload" as="fetch" crossorigin="anonymous" href="{}">'
    return "".join(link.format(escape(url)) for url in feeds.values())


def for_script(value: Any) -> str:
    """JSON that may stand inside a script tag, whatever text is in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
