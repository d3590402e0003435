"""A layout as HTML, and what of it Dash is given."""

import json

from dash import dcc, html

from screens.skeleton import mark_still, to_html, without_still

DEPENDENCIES = json.dumps(
    [{"output": "..tiles.children...span.children..", "inputs": [{"id": "tick"}], "state": []}]
)


def layout() -> html.Div:
    return html.Div(
        [
            html.Header([html.A("away", href="/?a=1&b=2"), None, html.Nav([html.B(1)])]),
            html.Section([html.H2(["figures", html.Small(id="span")]), html.Div(id="tiles")]),
            html.Main([dcc.Input(id="search"), html.Ul([html.Li("<one>"), html.Li("two")])]),
            html.Footer("end", id="foot"),
        ],
        id="root",
    )


def told(page: html.Div) -> str:
    return json.dumps(without_still(json.loads(json.dumps(page, default=lambda node: node.to_plotly_json()))))


def test_what_no_callback_names_is_in_the_html_alone() -> None:
    page = layout()
    mark_still(page, DEPENDENCIES)
    shown, given = to_html(page), told(page)
    assert '<header data-still="0"><a href="/?a=1&amp;b=2">away</a><nav><b>1</b></nav></header>' in shown
    assert '<ul data-still="1"><li>&lt;one&gt;</li><li>two</li></ul>' in shown
    for still in ("away", "Nav", "Li", "two"):
        assert still not in given
    for moving in ("tiles", "span", "figures", "search", "foot", "end"):
        assert moving in given and moving in shown
    assert given.count("data-still") == 2


def test_without_callbacks_dash_makes_the_root_alone() -> None:
    page = html.Div([html.P([html.I()]), html.P("text")], id="root", className="wide")
    mark_still(page, "[]")
    assert json.loads(told(page))["props"] == {
        "id": "root",
        "className": "wide",
        "children": None,
        "data-still": "0",
    }
    assert to_html(page) == '<div id="root" class="wide" data-still="0"><p><i></i></p><p>text</p></div>'


def test_attributes_are_those_that_react_would_set() -> None:
    node = html.Td(
        id="x", colSpan=2, hidden=True, tabIndex=-1, spellCheck=False, n_clicks=3, title='"quoted"',
        style={"marginTop": "2px", "--u": 1}, **{"aria-hidden": "true", "data-at": 0},
    )  # fmt: skip
    shown = to_html(node)
    for part in (
        'id="x"', 'colspan="2"', " hidden", 'tabindex="-1"', 'spellcheck="false"', 'title="&quot;quoted&quot;"',
        'style="margin-top:2px;--u:1"', 'aria-hidden="true"', 'data-at="0"',
    ):  # fmt: skip
        assert part in shown, part
    assert "clicks" not in shown and 'hidden="' not in shown.replace('aria-hidden="', "")
    assert to_html(html.Label("a", htmlFor="b", hidden=False)) == '<label for="b">a</label>'
