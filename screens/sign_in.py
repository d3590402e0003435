"""The page at /sign-in: password, second factor, first password, one's own account; each step a form of one page."""

import json
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, urlencode

from screens.icon import ICON
from screens.latin import latin
from screens.words import LANGUAGES, t, words
from services.access import Viewer
from services.access.demo import DemoAccount, demo_accounts
from services.access.oidc import SENTENCES
from services.access.sign_in import Person
from services.runtime import Runtime
from settings import ROOT

ASSETS = "/area/assets"
PICTURE = (ROOT / "assets" / "pages" / "sign-in.svg").read_text()  # drawn, of no real place
MARK = (
    '<svg class="mark" viewBox="0 0 16 16" aria-hidden="true"><path class="a" d="M2 2h5.5v5.5H2z"/>'
    '<path class="b" d="M8.5 2H14v5.5H8.5z"/><path class="c" d="M2 8.5h5.5V14H2z"/>'
    '<path class="d" d="M8.5 8.5H14V14H8.5z"/></svg>'
)
EYE = (
    '<svg viewBox="0 0 20 20" aria-hidden="true">'
    '<path d="M1.5 10S4.5 4.5 10 4.5 18.5 10 18.5 10 15.5 15.5 10 15.5 1.5 10 1.5 10z"/>'
    '<circle cx="10" cy="10" r="2.6"/></svg>'
)


@dataclass(frozen=True)
class Visit:
    """What a visit of the page asks for, and who comes."""

    lang: str
    to: str  # a path of this site, or empty
    chosen: str = ""  # the language that the address names
    error: str = ""  # why coming back from a provider failed
    viewer: Viewer | None = None
    person: Person | None = None
    away: bool = False


def way_back(to: str) -> str:
    """The path to go on to after signing in; empty unless it is one of this site's own."""
    if not to.isprintable() or "\\" in to or not to.startswith("/") or to.startswith("//"):
        return ""
    return "" if to.partition("?")[0].startswith(("/sign-in", "/api/")) else to


def home_of(viewer: Viewer) -> str:
    """The page that somebody begins with."""
    return "/area/" if viewer.scope.county or not viewer.areas else f"/area/{viewer.areas[0]}"


def in_language(path: str, lang: str) -> str:
    """That path, in the language that was chosen while signing in; as it is when none was."""
    if lang not in LANGUAGES:
        return path
    before, _, query = path.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "lang"]
    return f"{before}?{urlencode([*kept, ('lang', lang)])}"


def page(runtime: Runtime, visit: Visit) -> str:
    """The whole page, open at the step that the visitor has reached."""
    lang, settings = visit.lang, runtime.settings
    accounts = demo_accounts() if settings.demo else []
    step = _step(visit)
    told = {
        "step": step,
        "to": in_language(visit.to, visit.chosen) if visit.to else "",
        "lang": visit.chosen,
        "pending": visit.person.pending if visit.person else [],
        "login": visit.viewer.name if visit.viewer else "",
        "min": settings.password_min_length,
        "words": {key: word for key, word in words(lang).items() if key.startswith("sign_in.")},
    }
    centre = runtime.profile.centre_name_en if lang == "en" else runtime.profile.centre_name
    steps = "".join((
        _password(runtime, visit), _code(lang), _change(lang, settings.password_min_length), _enrol(lang),
        _account(visit),
    ))  # fmt: skip
    return f"""<!DOCTYPE html>
<html lang="{lang}" class="light" data-screen="sign-in">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<title>{_t(lang, "title")} · {escape(centre)}</title>
{ICON}
<link rel="stylesheet" href="{ASSETS}/tokens.css">
<link rel="stylesheet" href="{ASSETS}/base.css">
<link rel="stylesheet" href="{ASSETS}/pages/sign-in.css">
</head>
<body class="sign-in">
<header><p class="centre">{MARK}<span>{escape(centre)}</span></p></header>
<div class="picture" aria-hidden="true">{PICTURE}</div>
<main>
{_language(visit)}
<div class="steps">
<p id="error" role="alert">{escape(_said(visit))}</p>
<noscript><p class="warn">{_t(lang, "noscript")}</p></noscript>
{steps}
{_demo(lang, accounts)}
</div>
<footer>{_t(lang, "footer")}</footer>
</main>
<script type="application/json" id="told">{_inside_script(told)}</script>
<script src="{ASSETS}/pages/sign-in.js"></script>
</body>
</html>"""


def _step(visit: Visit) -> str:
    if visit.viewer is None or visit.person is None:
        return "password"
    if not visit.person.pending:
        return "own"
    return "enrol" if visit.person.pending[0] == "second_factor" else "change"


def _said(visit: Visit) -> str:
    if visit.away:
        return t(visit.lang, "sign_in.away")
    return t(visit.lang, f"sign_in.error.{visit.error}") if visit.error in SENTENCES else ""


def _language(visit: Visit) -> str:
    other = "zh-CN" if visit.lang == "en" else "en"
    query = urlencode({"lang": other, **({"to": visit.to} if visit.to else {})})
    return f'<a class="language" lang="{other}" href="/sign-in?{query}">{_t(visit.lang, "language")}</a>'


def _password(runtime: Runtime, visit: Visit) -> str:
    lang, provider = visit.lang, ""
    if runtime.settings.oidc_issuer:
        query = urlencode({name: value for name, value in (("to", visit.to), ("lang", lang)) if value})
        word = escape(t(lang, "sign_in.provider", name=runtime.settings.oidc_name))
        provider = (
            f'<p class="or"><span>{_t(lang, "or")}</span></p>'
            f'<a class="button quiet" href="/api/session/oidc?{query}">{word}</a>'
        )
    fields = (
        _field("login", _t(lang, "login"), "text", 'autocomplete="username" autocapitalize="none" spellcheck="false"')
        + _secret(lang, "password", "password", "current-password")
    )  # fmt: skip
    return _form("password", _t(lang, "title"), "", fields, _t(lang, "enter"), provider)


def _code(lang: str) -> str:
    fields = _digits(lang, "code")
    return _form(
        "code", _t(lang, "code.title"), _t(lang, "code.do"), fields, _t(lang, "code.enter"), _back(lang)
    )


def _change(lang: str, least: int) -> str:
    login = '<input name="login" autocomplete="username" hidden readonly>'  # for password managers
    fields = (
        login
        + _secret(lang, "current", "change.current", "current-password")
        + _secret(lang, "new", "change.new", "new-password", escape(t(lang, "sign_in.change.rule", n=least)))
        + _secret(lang, "again", "change.again", "new-password")
    )  # fmt: skip
    return _form(
        "change",
        _t(lang, "change.title"),
        _t(lang, "change.do"),
        fields,
        _t(lang, "change.enter"),
        _back(lang),
    )


def _enrol(lang: str) -> str:
    login = '<input name="login" autocomplete="username" hidden readonly>'
    asks = login + _secret(lang, "password", "password", "current-password")
    begin = _form(
        "enrol", _t(lang, "enrol.title"), _t(lang, "enrol.do"), asks, _t(lang, "enrol.begin"), _back(lang)
    )
    shown = (
        f'<img id="qr" alt="{_t(lang, "enrol.picture")}">'
        f'<p class="key">{_t(lang, "enrol.key")}<code id="key"></code></p>' + _digits(lang, "first")
    )  # fmt: skip
    scan = _form(
        "scan", _t(lang, "enrol.title"), _t(lang, "enrol.scan"), shown, _t(lang, "enrol.enter"), _back(lang)
    )
    return begin + scan


def _account(visit: Visit) -> str:
    lang, viewer, person = visit.lang, visit.viewer, visit.person
    if viewer is None or person is None:
        return ""
    areas = " · ".join(escape(latin(lang, name)) for _, name in person.areas)
    role, there = (
        escape(t(lang, f"role.{viewer.role}")),
        in_language(visit.to or home_of(viewer), visit.chosen),
    )
    own = "" if person.oidc else (
        f'<button type="button" class="quiet" data-step="change">{_t(lang, "account.password")}</button>'
        + (
            f'<p class="t2">{_t(lang, "account.factor_done")}</p>' if person.has_factor
            else f'<button type="button" class="quiet" data-step="enrol">{_t(lang, "account.factor")}</button>'
        )
    )  # fmt: skip
    return f"""<section id="own" hidden>
<h1 tabindex="-1">{_t(lang, "account.title")}</h1>
<p class="person"><b>{escape(person.name)}</b><span>{escape(viewer.name)} · {role}</span>
<span>{areas}</span></p>
<a class="button" id="go" href="{escape(there)}">{_t(lang, "account.go")}</a>
{own}
<button type="button" class="quiet" id="out">{_t(lang, "account.out")}</button>
</section>
"""


def _demo(lang: str, accounts: list[DemoAccount]) -> str:
    if not accounts:
        return ""
    rows = "".join(_demo_row(lang, account) for account in accounts)
    heads = "".join(
        f'<th scope="col">{word}</th>'
        for word in (_t(lang, "demo.role"), _t(lang, "login"), _t(lang, "password"))
    )
    return f"""<section class="demo" aria-labelledby="demo-title">
<h2 id="demo-title">{_t(lang, "demo.title")}</h2><p>{_t(lang, "demo.note")}</p>
<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
</section>"""


def _demo_row(lang: str, account: DemoAccount) -> str:
    role = t(lang, f"role.{account.role}")
    label = escape(t(lang, "sign_in.demo.fill", role=role))
    return (
        f'<tr data-login="{account.login}" data-password="{account.password}">'
        f'<td><button type="button" aria-label="{label}">{escape(role)}</button></td>'
        f"<td>{account.login}</td><td>{account.password}</td></tr>"
    )


def _form(name: str, title: str, lead: str, fields: str, button: str, after: str) -> str:
    lead = f'<p class="lead">{lead}</p>' if lead else ""
    return f"""<form id="{name}" method="post" action="/sign-in" aria-labelledby="{name}-title" hidden novalidate>
<h1 id="{name}-title" tabindex="-1">{title}</h1>{lead}
{fields}
<button type="submit">{button}</button>
{after}
</form>
"""


def _field(
    name: str, label: str, kind: str, attributes: str, hint: str = "", id_: str = "", after: str = ""
) -> str:
    id_ = id_ or name
    described = f' aria-describedby="{id_}-hint"' if hint else ""
    hint = f'<small id="{id_}-hint">{hint}</small>' if hint else ""
    return (
        f'<div class="field"><label for="in-{id_}">{label}</label>'
        f'<span><input id="in-{id_}" name="{name}" type="{kind}" required {attributes}{described}>{after}</span>'
        f"{hint}</div>"
    )


def _secret(lang: str, name: str, word: str, autocomplete: str, hint: str = "") -> str:
    show_word = _t(lang, "show")
    named = f'aria-pressed="false" aria-label="{show_word}" title="{show_word}"'
    show = f'<button type="button" class="eye" {named}>{EYE}</button>'
    id_ = f"{word.replace('.', '-')}-{name}"
    return _field(
        name, _t(lang, word), "password", f'autocomplete="{autocomplete}" maxlength="256"', hint, id_, show
    )


def _digits(lang: str, id_: str) -> str:
    attributes = 'inputmode="numeric" autocomplete="one-time-code" maxlength="8" class="digits"'
    return _field("code", _t(lang, "code.label"), "text", attributes, "", id_)


def _back(lang: str) -> str:
    return f'<button type="button" class="plain" data-step="password">{_t(lang, "back")}</button>'


def _t(lang: str, key: str) -> str:
    return escape(t(lang, f"sign_in.{key}"))


def _inside_script(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
