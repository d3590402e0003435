"""The tabs of the admin screen: which right opens each, and the columns of its table."""

from dataclasses import dataclass
from typing import Any

from screens.words import t
from services.access import Right, Viewer

Column = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab at /admin/<name>."""

    name: str
    right: Right
    columns: tuple[Column, ...]
    add: str | None = None  # the dialog behind the button above the table
    whole: bool = False  # only for who sees the whole place


def _column(field: str, width: int = 0, flex: float = 0, **more: Any) -> Column:
    sized: Column = {"flex": flex, "minWidth": width} if flex else {"width": width}
    return {"field": field, **sized, **more}


def _moment(field: str, width: int = 128, **more: Any) -> Column:
    """A column of times in milliseconds since 1970, newest first at the first click."""
    told = {"valueFormatter": {"function": "wanggeMoment(params.value)"}, "sortingOrder": ["desc", "asc"]}
    return _column(field, width, **told, **more)


_QUIET = ["ag-right-aligned-cell", "number"]
_STATE = _column("state", 132, cellRenderer="WanggeState")

TABS: dict[str, Tab] = {
    tab.name: tab
    for tab in (
        Tab(
            "accounts", Right.ADMIN, add="account_add",
            columns=(
                _column("name", 96, 1, cellRenderer="WanggeName"), _column("login", 120, 1), _column("role_name", 132),
                _column("places", 120, 1.4), _moment("last_at"), _STATE,
            ),
        ),
        Tab(
            "walls", Right.ADMIN, add="wall_pair",
            columns=(
                _column("name", 140, 1.2, cellRenderer="WanggeName"), _column("place", 110, 1), _column("view", 132),
                _moment("created_at"), _column("created_by", 110, 0.6), _STATE,
            ),
        ),
        Tab(
            "devices", Right.ADMIN, add="device_add",
            columns=(
                _column("name", 120, 1, cellRenderer="WanggeName"), _column("worker", 130, 1),
                _column("place", 170, 1.6), _moment("created_at"), _STATE,
            ),
        ),
        Tab(
            "clients", Right.ADMIN, add="client_add", whole=True,
            columns=(
                _column("name", 160, 1.4, cellRenderer="WanggeName"), _column("created_by", 120, 0.7),
                _moment("created_at"), _moment("expires_at", 132), _STATE,
            ),
        ),
        Tab(
            "sessions", Right.ADMIN,
            columns=(
                _column("name", 130, 1, cellRenderer="WanggeName"), _column("role_name", 132), _column("agent", 150, 1),
                _column("ip", 128), _moment("opened_at"), _moment("seen_at", sort="desc"),
            ),
        ),
        Tab(
            "audit", Right.AUDIT,
            columns=(
                _column("number", 74, sortable=False, type="rightAligned", cellClass=_QUIET),
                _moment("at", 132, sortable=False),
                _column("action_name", 164, sortable=False),
                _column("actor", 130, sortable=False), _column("object", 150, 1, sortable=False),
                _column("place", 120, 0.6, sortable=False), _column("reason", 110, 1, sortable=False),
            ),
        ),
    )
}  # fmt: skip


def open_tabs(viewer: Viewer) -> list[str]:
    """The tabs that the viewer may open, in order; none: the screen is not for them."""
    return [
        tab.name
        for tab in TABS.values()
        if viewer.kind == "account" and viewer.may(tab.right) and (viewer.scope.county or not tab.whole)
    ]


def may_open(viewer: Viewer) -> bool:
    """Whether the admin screen has anything for the viewer."""
    return bool(open_tabs(viewer))


def columns_of(tab: Tab, lang: str) -> list[Column]:
    """The columns with their headings in that language; a tab may call a column by a word of its own."""
    columns = []
    for column in tab.columns:
        field = column["field"]
        own = f"admin.column.{tab.name}.{field}"
        heading = t(lang, own)
        plain = "valueFormatter" not in column and "cellRenderer" not in column
        columns.append(
            {
                **column,
                "headerName": t(lang, f"admin.column.{field}") if heading == own else heading,
                **({"tooltipField": field} if plain else {}),  # what is cut off can still be read
            }
        )
    return columns
