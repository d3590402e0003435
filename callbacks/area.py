"""The page of an area: its address in, six tiles and the rows of its table out."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from screens import area as page
from screens.format import FEW, integer, percent, share, signed
from screens.latin import grid_name, latin
from screens.viewer import current
from screens.words import language_of, t
from services import area_report as report
from services import audit
from services.access import UnknownArea, Viewer, opened
from services.breadcrumb import Step, trail
from services.runtime import Runtime

Address = dict[str, str | None]  # code of the area, lang, period
Rows = list[dict[str, Any]]
Head = tuple[list[Any], Component]  # the value of a tile, and what it is held against


def register(app: Dash, runtime: Runtime) -> None:
    """Register the callbacks of the page on its app."""
    app.callback(
        Output(page.TILES, "children"),
        Output(page.SPAN, "children"),
        Input(page.ADDRESS, "data"),
        Input(page.TICK, "data"),
    )(partial(_quietly, runtime, show_tiles))
    app.callback(
        Output(page.TABLE, "rowData"),
        Output(page.COUNT, "children"),
        Input(page.ADDRESS, "data"),
        Input(page.TICK, "data"),
    )(partial(_quietly, runtime, show_table))
    app.callback(
        Output(page.TABLE, "exportDataAsCsv"),
        Input(page.EXPORT, "n_clicks"),
        State(page.TABLE, "rowData"),
        State(page.ADDRESS, "data"),
        prevent_initial_call=True,
    )(lambda *values: export(runtime, current(), *values))


def export(runtime: Runtime, viewer: Viewer, clicks: int | None, rows: Rows | None, address: Address) -> Any:
    """Have the browser write what the table shows as CSV, and the audit keep who took it."""
    if not (clicks and rows):
        return no_update
    code = address.get("code") or viewer.first_area
    try:
        with opened(runtime.pool, viewer, code) as (conn, scope):
            audit.record(
                conn, viewer, audit.Action.export, object_kind="area", object_id=code, detail={"rows": len(rows)},
                area_no=None if scope.county else scope.lo,
            )  # fmt: skip
    except UnknownArea:
        return no_update
    return True


def show_tiles(runtime: Runtime, viewer: Viewer, address: Address) -> tuple[list[Component], str]:
    """The six tiles and the words for the period."""
    asked = Asked(runtime, viewer, address)
    with opened(runtime.pool, viewer) as (conn, _):
        steps = trail(conn, asked.code)
    here, parent = steps[-1], steps[-2] if len(steps) > 1 else None
    own = (here.no, here.hi) if parent else None
    with opened(runtime.pool, viewer, parent.code if parent else asked.code) as (conn, scope):
        figures, peers = report.tiles_among(conn, (parent or here).no, asked.span, own, scope)
    return tiles(asked, figures, peers, here), span_words(asked)


def show_table(runtime: Runtime, viewer: Viewer, address: Address) -> tuple[Rows, str]:
    """The rows of the children, or of a grid's open tickets, and how many there are."""
    asked = Asked(runtime, viewer, address)
    with opened(runtime.pool, viewer, asked.code) as (conn, scope):
        here = trail(conn, asked.code)[-1]
        if here.level == "grid":
            rows = [ticket_row(asked, ticket) for ticket in report.open_tickets(conn)]
        else:
            rows = [
                child_row(asked, child, here) for child in report.children(conn, here.no, asked.span, scope)
            ]
    return rows, t(asked.lang, "table.count", n=len(rows))


class Asked:
    """What the page's address asks for."""

    def __init__(
        self, runtime: Runtime, viewer: Viewer, address: Address, now: datetime | None = None
    ) -> None:
        """Take what the page holds; an unknown period or language falls back to the first."""
        self.profile = runtime.profile
        self.code = address.get("code") or viewer.first_area
        self.lang = language_of(address.get("lang"), runtime.settings.language)
        period = address.get("period")
        self.period = cast(report.Period, period if period in report.PERIODS else report.PERIODS[0])
        self.now = now or datetime.now(UTC)
        self.span = report.span_of(self.period, self.now, self.profile)
        self.zone = ZoneInfo(self.profile.time_zone)
        self.locale = self.lang.replace("-", "_")


def _quietly(
    runtime: Runtime,
    show: Callable[[Runtime, Viewer, Address], tuple[Any, ...]],
    address: Address,
    _tick: int,
) -> tuple[Any, ...]:
    """An area that vanished while its page was open leaves the page as it is; its reload says so."""
    try:
        return show(runtime, current(), address)
    except UnknownArea:
        return (no_update, no_update)


def span_words(asked: Asked) -> str:
    """The days of the period and what they are held against."""
    start, end = asked.span.start.astimezone(asked.zone).date(), asked.now.astimezone(asked.zone).date()

    def day(value: Any) -> str:
        return str(format_date(value, t(asked.lang, "date.day"), locale=asked.locale))

    days = day(start) if start == end else f"{day(start)}\u2013{day(end)}"
    return t(asked.lang, f"span.{asked.period}", days=days)


def tiles(asked: Asked, figures: report.Tiles, peers: list[report.Row], here: Step) -> list[Component]:
    """The six tiles, each with its comparison and its place among its peers."""
    lang, unit = asked.lang, t(asked.lang, "unit.ticket")
    found = []
    for name in page.TILE_NAMES:
        value = getattr(figures, name)
        standing = report.standing(peers, name, here.no)
        counted = isinstance(value, report.Count)
        head, than = count_head(asked, name, value, unit) if counted else rate_head(asked, value)
        found.append(
            html.Div(
                [
                    html.Div([t(lang, f"tile.{name}"), than], className="label"),
                    html.Div(
                        head,
                        className="value late" if counted and name == "overdue" and value.now else "value",
                    ),
                    *peer_strip(asked, name, standing),
                ],
                className="tile",
            )
        )
    return found


def count_head(asked: Asked, name: str, value: report.Count, unit: str) -> Head:
    """A count with its unit, and what it is held against."""
    mark = html.I("\u25b2") if name == "overdue" and value.now else None
    against = "start" if name in ("open", "overdue") else "before"
    text = t(asked.lang, f"than.{against}.{asked.period}", before=integer(value.before, asked.lang))
    than = html.Span([text, html.B(signed(value.now - value.before))], className="than")
    return [mark, html.B(integer(value.now, asked.lang)), html.Small(unit)], than


def rate_head(asked: Asked, value: report.Rate) -> Head:
    """A rate with its fraction, and by how many points it moved."""
    now, before = percent(value.n, value.d), percent(value.before_n, value.before_d)
    if now is None:
        return [html.B("\u2013", className="none")], html.Span(t(asked.lang, "rate.none"), className="than")
    parts: list[Any] = []
    if before is not None:
        points = 100 * (value.n / value.d - value.before_n / value.before_d)
        parts = [
            t(asked.lang, f"than.before.{asked.period}", before=f"{before}%"),
            html.B(t(asked.lang, "rate.points", change=signed(points, 1))),
        ]
    of = html.Span(share(value.n, value.d, asked.lang), className="of")
    few = "few" if value.d < FEW else None
    return [html.B(now, className=few), html.Small("%"), of], html.Span(parts, className="than")


def peer_strip(asked: Asked, name: str, standing: report.Standing | None) -> list[Component]:
    """Dots of all peers, a tick at their median, and the rank in words; an empty line where there are too few."""
    lang = asked.lang
    if standing is None:
        return [html.Div(className="strip"), html.Div(t(lang, "peers.few"), className="rank")]
    low, high = standing.values[0], standing.values[-1]

    def at(value: float) -> dict[str, str]:
        return {"left": f"{100 * (value - low) / ((high - low) or 1):.1f}%"}

    dots: list[Component] = [html.I(style=at(value)) for value in standing.values]
    dots.append(html.Em(style=at(standing.median)))
    if standing.value is not None:
        dots.append(html.B(style=at(standing.value)))
    rate = name in ("on_time", "satisfaction")
    middle = f"{100 * standing.median:.1f}%" if rate else integer(round(standing.median), lang)
    words = [html.Span(t(lang, "peers.median", value=middle))]
    if standing.rank is not None:
        order = "fewest" if name in report.FEWER_FIRST else "highest" if rate else "most"
        tied = "tied" if standing.tied else "rank"
        words.append(html.Span(t(lang, f"peers.{tied}.{order}", rank=standing.rank, of=len(standing.values))))
    return [html.Div(dots, className="strip", **{"aria-hidden": "true"}), html.Div(words, className="rank")]


def child_row(asked: Asked, row: report.Row, parent: Step) -> dict[str, Any]:
    """A row of the table of children."""
    on_time_n, on_time_d = report.on_time_of(row)
    grid = row.level == "grid"
    name = grid_name(asked.lang, row.name, parent.name) if grid else latin(asked.lang, row.name)
    return {
        "key": row.code,
        "no": row.no,
        "code": row.code,
        "name": name,
        "initials": row.initials,
        "grids": row.grids,
        "open": row.open,
        "change": row.open - row.open_at_start,
        "overdue": row.overdue,
        "reported": row.reported,
        "on_time": report.measure(row, "on_time"),
        "on_time_n": on_time_n,
        "on_time_d": on_time_d,
        "satisfaction": report.measure(row, "satisfaction"),
        "satisfaction_n": row.content,
        "satisfaction_d": row.rated,
    }


def ticket_row(asked: Asked, ticket: report.OpenTicket) -> dict[str, Any]:
    """A row of a grid's open tickets: no title and no address, as either may name a person."""
    english = asked.lang == "en"
    names = {
        part.code: part.name_en if english else part.name
        for whole in asked.profile.categories
        for part in [whole, *whole.kinds]
    }
    channels = {c.code: c.name_en if english else c.name for c in asked.profile.channels}
    status = asked.profile.statuses.get(ticket.status)
    label = (status.name_en if english else status.name) if status else ticket.status

    def moment(at: datetime) -> str:
        return str(
            format_datetime(at.astimezone(asked.zone), t(asked.lang, "date.minute"), locale=asked.locale)
        )

    return {
        "key": str(ticket.id),
        "id": ticket.id,
        "category": names.get(ticket.category, ticket.category),
        "channel": channels.get(ticket.channel, ticket.channel),
        "status": label,
        "reported": moment(ticket.reported_at),
        "due": moment(ticket.due_at) if ticket.due_at else t(asked.lang, "tickets.no_deadline"),
        "late": ticket.due_at is not None and ticket.due_at < asked.now,
    }
