"""A layout as plain HTML: what is seen before the scripts have loaded, so that nothing jumps when they have.

Most of a layout is never changed by a callback. Such parts stay this HTML: Dash is given their outermost elements,
empty, and assets/00-core.js carries over what is in them. Each element that Dash need not make saves milliseconds.
"""

import re
from collections.abc import Iterator
from html import escape
from itertools import count
from typing import Any

from dash import html
from dash.development.base_component import Component

NAMES = {"className": "class", "htmlFor": "for"}
SHOWN_OF_OTHERS = {"id", "className", "title", "role"}  # of components that their own script makes
NOT_SHOWN = {"children", "key", "style", "n_clicks", "n_clicks_timestamp", "disable_n_clicks"}
# These say "true" or "false", and never stand bare.
SAID_IN_WORDS = ("data-", "aria-", "spellcheck", "draggable", "contenteditable")
VOID = {"img", "input", "br", "hr"}
HTML = html.__name__
STILL = "data-still"


def mark_still(layout: Component, dependencies: str) -> None:
    """Number the outermost elements of the parts that no callback names; `dependencies` is Dash's JSON of them all."""
    moving, numbers = set(re.findall(r"[\w-]+", dependencies)), count()

    def mark(node: Any) -> None:
        if isinstance(node, list | tuple):
            for child in node:
                mark(child)
        elif isinstance(node, Component):
            if _is_still(node, moving) and _holds_elements(node):
                setattr(node, STILL, str(next(numbers)))
            elif _is_ours(node):
                mark(_children(node))

    mark(layout)


def without_still(told: Any) -> Any:
    """The JSON of a marked layout without what is inside of the parts that stand still."""
    if isinstance(told, list):
        return [without_still(child) for child in told]
    if not isinstance(told, dict) or "props" not in told:
        return told
    props = told["props"]
    children = None if STILL in props else without_still(props.get("children"))
    return {**told, "props": {**props, "children": children}}


def to_html(node: Any) -> str:
    """HTML of dash.html components and text; any other component is an empty box that its own script fills."""
    if node is None or isinstance(node, bool):
        return ""
    if isinstance(node, list | tuple):
        return "".join(to_html(child) for child in node)
    if not isinstance(node, Component):
        return escape(str(node))
    own = _is_ours(node)
    tag = type(node).__name__.lower() if own else "div"
    props = node.to_plotly_json()["props"]
    head = "".join(_attributes(props, own))
    if tag in VOID:
        return f"<{tag}{head}>"
    return f"<{tag}{head}>{to_html(props.get('children')) if own else ''}</{tag}>"


def _is_ours(node: Component) -> bool:
    return type(node).__module__.startswith(HTML)


def _children(node: Component) -> Any:
    return getattr(node, "children", None)


def _holds_elements(node: Component) -> bool:
    children = _children(node)
    listed = children if isinstance(children, list | tuple) else [children]
    return any(isinstance(child, Component) for child in listed)


def _is_still(node: Any, moving: set[str]) -> bool:
    if isinstance(node, list | tuple):
        return all(_is_still(child, moving) for child in node)
    if not isinstance(node, Component):
        return True
    named = getattr(node, "id", None) in moving
    return _is_ours(node) and not named and _is_still(_children(node), moving)


def _attributes(props: dict[str, Any], own: bool) -> Iterator[str]:
    for name, value in props.items():
        if value is None or name in NOT_SHOWN or (not own and name not in SHOWN_OF_OTHERS):
            continue
        shown = NAMES.get(name, name.lower())
        if isinstance(value, bool) and not shown.startswith(SAID_IN_WORDS):
            yield f" {shown}" if value else ""
        else:
            yield f' {shown}="{escape(str(value).lower() if isinstance(value, bool) else str(value))}"'
    style = props.get("style") or {}
    if own and style:
        yield f' style="{";".join(f"{_kebab(name)}:{value}" for name, value in style.items())}"'


def _kebab(name: str) -> str:
    return name if name.startswith("--") else "".join(f"-{c.lower()}" if c.isupper() else c for c in name)
