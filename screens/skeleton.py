"""A layout as plain HTML: what is seen before the scripts have loaded, so that nothing jumps when they have."""

from html import escape
from typing import Any

from dash import html
from dash.development.base_component import Component

ATTRIBUTES = {
    "className": "class",
    "id": "id",
    "href": "href",
    "title": "title",
    "role": "role",
    "type": "type",
}
VOID = {"img", "input", "br", "hr"}
HTML = html.__name__


def to_html(node: Any) -> str:
    """HTML of dash.html components and text; any other component is an empty box that its own script fills."""
    if node is None or isinstance(node, bool):
        return ""
    if isinstance(node, list | tuple):
        return "".join(to_html(child) for child in node)
    if not isinstance(node, Component):
        return escape(str(node))
    own = type(node).__module__.startswith(HTML)
    tag = type(node).__name__.lower() if own else "div"
    props = node.to_plotly_json()["props"]
    head = "".join(f' {name}="{escape(str(value))}"' for name, value in _attributes(props, own))
    if tag in VOID:
        return f"<{tag}{head}>"
    return f"<{tag}{head}>{to_html(props.get('children')) if own else ''}</{tag}>"


def _attributes(props: dict[str, Any], own: bool) -> list[tuple[str, Any]]:
    found = [
        (ATTRIBUTES[name], value) for name, value in props.items() if name in ATTRIBUTES and value is not None
    ]
    if own:
        found += [(name, value) for name, value in props.items() if name.startswith(("data-", "aria-"))]
        style = props.get("style") or {}
        if style:
            found.append(("style", ";".join(f"{_kebab(name)}:{value}" for name, value in style.items())))
    return found


def _kebab(name: str) -> str:
    return name if name.startswith("--") else "".join(f"-{c.lower()}" if c.isupper() else c for c in name)
