"""The menu of the signed-in account: who it is, its areas, the way to administration, the way out."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from screens.config import Config
from screens.words import t


def menu(config: Config) -> Component | None:
    """A disclosure for the header of a desk screen; none where nobody is signed in. assets/12-account.js works it."""
    viewer, lang = config["viewer"], config["language"]
    if viewer["kind"] != "account":
        return None
    query = f"?lang={lang}" if config["parameters"].get("lang") else ""
    rows: list[Any] = [
        html.Div([html.B(viewer["name"]), html.Small(t(lang, f"role.{viewer['role']}"))], className="who")
    ]
    if len(viewer["areas"]) > 1:
        rows += [
            html.A(name, href=f"/area/{code}{query}")
            for code, name in zip(viewer["areas"], viewer["area_names"], strict=True)
        ]
    if {"admin", "audit"} & set(config["rights"]):
        rows.append(html.A(t(lang, "nav.admin"), href=f"/admin/{query}"))
    rows += [
        html.A(t(lang, "account.password"), href=f"/sign-in{query}"),
        html.Button(t(lang, "account.sign_out"), type="button", id="sign-out"),
    ]
    return html.Details([html.Summary(viewer["name"]), html.Div(rows)], id="account")
