"""/api/mediation…: disputes, masked; opened for a reason; one route a command; figures from the rows."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, Header, HTTPException, Path, Query

from api.care import OPENINGS, PRINTED, REFUSALS, TOO_MANY, Reason, Within, _not_kept
from api.errors import Error
from api.gate import Seer
from api.router import Router
from geodata.queries import mediation as queries
from geodata.queries import mediation_board as board
from geodata.queries import mediation_near
from geodata.scope import Db
from services import mediation
from services.access import Viewer, opened
from services.access.limits import Limits
from services.care.sealing import Seals
from services.mediation import ORDERS, Order, Receive
from services.mediation.cases import MEDIATES
from services.mediation.states import commands_from
from services.runtime import Runtime

FIGURE_DAYS = 365
CaseId = Annotated[int, Path(ge=1, lt=2**63, description="Number of the case in the register.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=80,
        pattern=PRINTED,
        description="The same key again does nothing.",
    ),
]
View = Literal["queue", "open", "ended", "all"]
Card = dict[str, Any]
STALE: dict[int | str, dict[str, Any]] = {
    409: {"model": Error, "description": "Somebody was quicker, or the command is not allowed in this state."}
}


class OpenLimit:
    """A dependency of the route: who opens one case after another copies the register unseen by its watermark."""

    def __init__(self, runtime: Runtime) -> None:
        self._limits = Limits(runtime.redis, runtime.stores.key_prefix)

    def __call__(self, viewer: Seer) -> None:
        """Raises HTTPException 429 with Retry-After (seconds)."""
        if wait_s := self._limits.take("mediation-open", f"{viewer.kind} {viewer.id}", *OPENINGS):
            words = f"Too many cases opened; try again in {wait_s} seconds."
            raise HTTPException(429, words, {"Retry-After": str(wait_s)})


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970, days are local (YYYY-MM-DD)."""
    routes = Router(
        prefix="/api/mediation", tags=["Mediation"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool, settings = runtime.profile, runtime.pool, runtime.settings
    zone, seals = ZoneInfo(profile.time_zone), Seals.of(settings)

    def card(conn: Db, viewer: Viewer, case: queries.Case) -> Card:
        return _card(conn, viewer, case, seals) | {"open_minutes": settings.care_open_minutes}

    @routes.get("")
    def listed(
        viewer: Seer, within: Within = None, view: View = "queue",
        tier: Annotated[int | None, Query(ge=1, le=3)] = None,
        category: Annotated[str | None, Query(max_length=40, pattern=PRINTED)] = None,
        reason: Annotated[str | None, Query(max_length=40, pattern=PRINTED)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100, offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
    ) -> Card:  # fmt: skip
        """Cases, masked: what is to be gone on with next first; figures of the last 365 days."""
        now = datetime.now(UTC)
        today, since = now.astimezone(zone).date(), now - timedelta(days=FIGURE_DAYS)
        asked = board.Asked(now, today, view, tier, category, reason)
        with opened(pool, viewer, within, "care") as (conn, _):
            rows = board.page(conn, asked, limit, offset)
            reasons = board.reasons(conn, asked)
            figures = board.figures(conn, since, now, today)
            tiers = board.by_tier(conn, since)
            names = mediation_near.place_names(conn, [row.area_no for row in rows])
        return {
            "as_of": _ms(now),
            "rows": [_row(row, names) for row in rows],
            "total": sum(reasons.values()) if reason is None else reasons.get(reason, 0),
            "reasons": reasons,
            "figures": {**figures._asdict(), "since": _ms(since), "days": FIGURE_DAYS},
            "tiers": [one._asdict() for one in tiers],
        }

    @routes.post("", status_code=201)
    def receive(body: Receive, viewer: Seer, key: Key = None) -> Card:
        """Enter a dispute; the answer shows its parties masked."""
        with opened(pool, viewer, hat="care") as (conn, _):
            return card(conn, viewer, mediation.receive(conn, profile, viewer, body, seals, key=key))

    @routes.get("/{case_id}")
    def seen(case_id: CaseId, viewer: Seer) -> Card:
        """One case, masked; open while a grant of one's own lasts, and each such look stands in the audit."""
        with opened(pool, viewer, hat="care") as (conn, _):
            return card(conn, viewer, _case(conn, case_id))

    @routes.get("/{case_id}/mediators")
    def mediators(case_id: CaseId, viewer: Seer) -> Card:
        """Who may mediate a case, those who are nearest first, and rooms that were used for such cases."""
        with opened(pool, viewer, hat="care") as (conn, _):
            case = _case(conn, case_id)
            found = mediation_near.mediators(conn, case.area_no, MEDIATES, 30)
            rooms = mediation_near.rooms(conn, case.area_no, case.tier, 12)
        named = [room.name for room in profile.desks.mediation.rooms]
        return {
            "mediators": [one._asdict() for one in found],
            "rooms": [*named, *(room for room in rooms if room not in named)],
        }

    @routes.post("/{case_id}/open", responses=TOO_MANY, dependencies=[Depends(OpenLimit(runtime))])
    def open_case(case_id: CaseId, body: Reason, viewer: Seer) -> Card:
        """Open a case to oneself for some minutes (setting care_open_minutes). The reason stands in the audit."""
        with opened(pool, viewer, hat="care") as (conn, _):
            mediation.open_case(conn, viewer, case_id, body.reason, settings.care_open_minutes)
            return card(conn, viewer, _case(conn, case_id))

    def perform(viewer: Viewer, case_id: int, order: Order, key: str | None) -> Card:
        with opened(pool, viewer, hat="care") as (conn, _):
            case = mediation.perform(conn, profile, viewer, case_id, order, seals, key=key)
            return card(conn, viewer, case)

    for name, kind in ORDERS.items():
        routes.post(f"/{{case_id}}/{name}", responses=STALE, name=f"mediation {name}")(_route(kind, perform))
    return routes


def _route(
    kind: type[Order], perform: Callable[[Viewer, int, Order, str | None], Card]
) -> Callable[..., Card]:
    """The route of one command; its body is the command's own model."""

    def route(case_id: CaseId, body: Order, viewer: Seer, key: Key = None) -> Card:
        return perform(viewer, case_id, body, key)

    route.__annotations__["body"] = kind
    route.__doc__ = kind.__doc__
    return route


def _case(conn: Db, case_id: int) -> queries.Case:
    case = queries.one(conn, case_id)
    if case is None:
        raise mediation.UnknownCase(case_id)
    return case


def _row(row: board.QueueRow, names: dict[int, tuple[str, str | None]]) -> Card:
    area, town = names.get(row.area_no, (str(row.area_no), None))
    return _plain(row._asdict()) | {"area": area, "town": town}


def _card(conn: Db, viewer: Viewer, case: queries.Case, seals: Seals) -> Card:
    sight = mediation.seen(conn, viewer, case, seals)
    area, town = mediation_near.place_names(conn, [case.area_no]).get(case.area_no, (str(case.area_no), None))
    return {
        **_plain(case._asdict()),
        "area": area,
        "town": town,
        "parties": sight.parties,
        "matter": sight.matter,
        "agreement": sight.agreement,
        "open_until": None if sight.until is None else _ms(sight.until),
        "reason": sight.reason,
        "sessions": [_plain(one._asdict()) for one in queries.sessions(conn, case.id)],
        "history": [
            _plain({name: getattr(one, name) for name in ("at", "kind", "state", "actor", "data")})
            for one in queries.events(conn, case.id)
        ],
        "commands": list(commands_from(case.state)),
        "as_of": _ms(datetime.now(UTC)),
    }


def _plain(told: dict[str, Any]) -> Card:
    """Moments as milliseconds, days as they are."""
    return {
        name: _ms(value)
        if isinstance(value, datetime)
        else value.isoformat()
        if isinstance(value, date)
        else value
        for name, value in told.items()
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
