"""The shell of a page: its address, language and theme, what its scripts are told, and what is loaded early."""

import json
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

import psycopg
from dash import Dash, html
from dash.development.base_component import Component
from flask import Flask, Response, g, request
from psycopg_pool import PoolTimeout

from screens import area, pairing, wall
from screens.bundle import bundle
from screens.config import Config, page_config, title_of
from screens.icon import ICON
from screens.skeleton import mark_still, to_html, without_still
from screens.suites import with_later
from screens.viewer import found, is_away, nonce
from screens.words import language_of, t, words
from services.access import Right, UnknownArea, Viewer, walls
from services.breadcrumb import NoPlace
from services.runtime import Runtime
from settings import ROOT

# Suites that Dash puts on every page whether its layout uses them or not; a wall is light without them.
NOT_ON_WALL = ("/dash/dcc/", "/dash/dash_table/", "/dash_ag_grid/", "/dash_extensions/", "/dash_svg/")
NOT_ON_AREA = ("/dash/dash_table/", "/dash_extensions/", "/dash_svg/")
NOT_NEEDED = ("/dash/deps/polyfill",)
RENDERER = "/dash/dash-renderer/"
BOARDS = ("callbacks", "supervision", "mediation")  # their scripts: 6x-boards*
THEME = {
    "wall": "dark",
    "area": "light",
    "admin": "light",
    "tickets": "light",
    "dispatch": "dark",
    **dict.fromkeys(BOARDS, "light"),
}
# Files of assets/ that a screen does not load: those of other screens, and of the map where there is none.
NOT_LOADED = {
    "wall": r"^(area|admin)\.css$|^13|^3\d-(area|admin)|^5\d-tickets|^[67]\d|^14|^form\.css",
    "area": r"^(wall|admin)\.css$|^3\d-(wall|admin)|^5\d-tickets|^[67]\d",
    "admin": r"^(area|wall|map)\.css$|^1[01]|^2|^30-(area|wall|bind)|^5\d-tickets|^[67]\d|^14|^form\.css",
    "tickets": r"^(area|admin|wall|map)\.css$|^13|^2|^3\d-(area|admin|wall)|^[67]\d",
    "dispatch": r"^(area|admin|wall)\.css$|^13|^2[57]-map-(visits|care|register|roster)|^3\d-(area|admin|wall)"
    r"|^5[0-4]-tickets|^56|^6\d",
    **dict.fromkeys(BOARDS, r"^(area|admin|wall|map)\.css$|^13|^2|^3\d-(area|admin|wall)|^[457]\d"),
}

# Stands in the page itself: as a file it would wait behind thirty others for one of a browser's six connections.
FIRST_MAP = (ROOT / "assets" / "early" / "first-map.js").read_text()

Layout = Callable[[Config], Component]
EXTENSION = "wangge"  # where Flask keeps the screens that it carries, by name


def make_wall(runtime: Runtime, server: Flask) -> "Screen":
    """The wall of the whole place at /wall/, and of one area at /wall/<code>."""
    return Wall("wall", runtime, server, wall.layout, NOT_ON_WALL)


def make_area(runtime: Runtime, server: Flask) -> "Screen":
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
        self.bundle = bundle(name, NOT_LOADED[name])
        super().__init__(
            name=f"wangge_{name}",
            server=server,
            url_base_pathname=f"/{name}/",
            assets_folder=str(ROOT / "assets"),
            include_assets_files=False,  # ours come as one script and one stylesheet, see screens/bundle.py
            update_title="",
            suppress_callback_exceptions=True,
            add_log_handler=False,
        )
        self.layout = self._alone
        server.extensions.setdefault(EXTENSION, {})[name] = self

    def index(self, *_args: Any, **_kwargs: Any) -> Any:
        """The page; a page in the same style says so when there is no such area (404) or no database (503)."""
        lang = language_of(request.args.get("lang"), self.runtime.settings.language)
        code = request.path.removeprefix(f"/{self.screen}/").strip("/")
        if is_away():
            return self._notice(lang, "away", 503, code)
        viewer = found()
        if viewer is None or viewer.must_change or (viewer.kind == "wall" and self.screen != "wall"):
            return self.nobody(lang)
        if not self.may(viewer):
            return self._notice(lang, "forbidden", 403, code)
        try:
            g.config = self.config_of(viewer, lang, code or None, request.args.to_dict())
            return super().index()
        except (psycopg.OperationalError, PoolTimeout):
            return self._notice(lang, "away", 503, code)
        except (UnknownArea, NoPlace):
            return (
                self._notice(lang, "unknown", 404, code) if code else self._notice(lang, "empty", 503, code)
            )

    def nobody(self, lang: str) -> Response:
        """The answer to who is not known: the sign-in, which leads back here."""
        query = {"to": request.full_path.rstrip("?")} | ({"lang": lang} if request.args.get("lang") else {})
        return Response(status=303, headers={"Location": f"/sign-in?{urlencode(query)}"})

    def may(self, viewer: Viewer) -> bool:
        """Whether a viewer may open this screen."""
        return viewer.may(Right.MAP)

    def config_of(self, viewer: Viewer, lang: str, code: str | None, parameters: dict[str, str]) -> Config:
        """What the page's scripts are told."""
        return page_config(self.runtime, viewer, self.screen, lang, code, parameters)

    def interpolate_index(self, **parts: Any) -> str:
        """Our page: the layout stands in it as HTML to be seen at once, and what Dash may change of it as JSON."""
        config: Config = g.config
        lang, prefix = config["language"], self.config.requests_pathname_prefix
        dependencies = self.dependencies().get_data(as_text=True)
        g.layout = self.make_layout(config)
        mark_still(g.layout, dependencies)
        given = {
            f"{prefix}_dash-layout": without_still(json.loads(self.serve_layout().get_data())),
            f"{prefix}_dash-dependencies": json.loads(dependencies),
        }
        told = {"config": config, "words": words(lang), "given": given}
        return f"""<!DOCTYPE html>
<html lang="{lang}" class="{THEME[self.screen]}" data-screen="{self.screen}">
<head>
{parts["metas"]}
<title>{escape(title_of(config))}</title>
{ICON}
{_preloads(config["feeds"])}
{parts["css"]}
<link rel="stylesheet" href="{self.bundle.style.path}">
<script nonce="{nonce()}">window.wangge={for_script(told)}</script>
<script nonce="{nonce()}">{FIRST_MAP}</script>
</head>
<body>
<div id="react-entry-point">{to_html(g.layout)}</div>
<footer>{parts["config"]}{_ours(parts["scripts"])}{_ours(parts["renderer"])}</footer>
</body>
</html>"""

    def _alone(self) -> Component:
        """For a request of Dash's own, outside of a page; empty for who may not open this screen.

        At the first request Dash asks the layouts of all screens, whoever made it and whichever it was for.
        """
        viewer = found()
        if viewer is None or not self.may(viewer) or not request.path.startswith(f"/{self.screen}/"):
            return html.Div()
        if "layout" in g:
            made: Component = g.layout
            return made
        if "config" not in g:
            g.config = self.config_of(viewer, self.runtime.settings.language, None, {})
        return self.make_layout(g.config)

    def _generate_scripts_html(self) -> str:
        """Dash's list without the suites that this screen does not use (3 MB), and ours before its renderer."""
        tags = super()._generate_scripts_html().split("\n")
        needed = with_later([tag for tag in tags if not any(suite in tag for suite in self.unused)])
        at = next((i for i, tag in enumerate(needed) if RENDERER in tag), len(needed))
        needed.insert(at, f'<script src="{self.bundle.script.path}"></script>')
        return "\n".join(needed)

    def _notice(self, lang: str, kind: str, status: int, code: str) -> Response:
        """A page that says what is wrong and what to do; when the database is away it tries again by itself."""
        retry = '<meta http-equiv="refresh" content="5">' if status == 503 else ""
        home = "/wall/" if self.screen == "wall" else "/area/"
        query = f"?lang={lang}" if request.args.get("lang") else ""
        link = f'<a href="{home}{query}">{escape(t(lang, "notice.home"))}</a>' if status == 404 else ""
        page = f"""<!DOCTYPE html>
<html lang="{lang}" class="{THEME[self.screen]}" data-screen="{self.screen}">
<head><meta charset="utf-8">{retry}<title>{escape(t(lang, f"notice.{kind}"))}</title>
{ICON}
<link rel="stylesheet" href="{home}assets/tokens.css"><link rel="stylesheet" href="{home}assets/base.css"></head>
<body class="notice"><main role="alert"><h1>{escape(t(lang, f"notice.{kind}"))}</h1>
<p>{escape(t(lang, f"notice.{kind}.do", code=code))}</p>{link}</main></body></html>"""
        return Response(page, status, {"Cache-Control": "no-store"}, mimetype="text/html")


class Wall(Screen):
    """The wall: a paired screen sees its own area and view, a signed-in account what is its own."""

    def nobody(self, lang: str) -> Response:
        """A code to pair with; nobody ever signs in on a wall. The demo pairs by itself."""
        if found() is not None:
            return super().nobody(lang)  # an account that has to change its password first
        settings = self.runtime.settings
        cookie = ("__Host-" if settings.secure_cookies else "") + "wangge_wall"
        token = (
            walls.demo_token(self.runtime.pool, settings, request.cookies.get(cookie))
            if settings.demo
            else None
        )
        if token is None:
            return Response(pairing.page(lang), headers={"Cache-Control": "no-store"}, mimetype="text/html")
        again = Response(status=303, headers={"Location": request.full_path.rstrip("?")})
        again.set_cookie(
            cookie, token, max_age=settings.wall_token_days * 86400, secure=settings.secure_cookies, httponly=True,
            samesite="Lax",
        )  # fmt: skip
        return again

    def config_of(self, viewer: Viewer, lang: str, code: str | None, parameters: dict[str, str]) -> Config:
        """A paired wall is bound to what the administrator picked; its address cannot widen that."""
        if viewer.kind == "wall":
            code = viewer.first_area
            lang = language_of(request.args.get("lang") or viewer.view.get("lang"), lang)
            if viewer.view.get("tour") is False:
                parameters = {"tour": "off", **parameters}
        return super().config_of(viewer, lang, code, parameters)


def _preloads(feeds: dict[str, str]) -> str:
    link = '<link rel="preload" as="fetch" crossorigin="anonymous" href="{}">'
    return "".join(link.format(escape(url)) for url in feeds.values())


def _ours(tags: str) -> str:
    """Dash's script tags with the nonce that the page's policy asks of inline ones."""
    return re.sub(r"<script(?=[ >])", f'<script nonce="{nonce()}"', tags)


def for_script(value: Any) -> str:
    """JSON that may stand inside a script tag, whatever text is in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
