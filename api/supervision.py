"""/api/desks/supervision and /api/desks/consultations: what to look at next and why, what was done, who decides."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AwareDatetime, Field

from api.care import REFUSALS, Body, Within, _not_kept
from api.desks import FIGURE_DAYS, Card, Code, From, Some, TicketId, attempt_told, facts_of, ms
from api.gate import Seer
from api.router import Router
from geodata.queries import desks as queries
from geodata.queries import supervision as watch_queries
from geodata.scope import Db
from services.access import Right, Viewer, opened
from services.desks import consultations, supervision
from services.desks.supervision import ALL, Board, Case, Filters
from services.runtime import Runtime
from services.tickets import allowed, number, read

HISTORY = 40


class MeetingIn(Body):
    """What is known of a consultation's meeting."""

    version: int = Field(ge=1, lt=2**31, description="The version that the sender has seen.")
    people: list[Annotated[str, Field(max_length=60)]] = Field([], max_length=30)
    meets_at: AwareDatetime | None = None
    minutes: str | None = Field(None, max_length=4000)


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(
        prefix="/api/desks", tags=["Desks"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool = runtime.profile, runtime.pool

    def measured(conn: Db, now: datetime, filters: Filters = ALL) -> tuple[Board, Card]:
        since = now - timedelta(days=FIGURE_DAYS)
        board = supervision.board(conn, profile, filters, now)
        figures = watch_queries.figures(conn, since)._asdict()
        more = {
            "watched": board.supervised,
            "watched_late": board.late,
            "since": ms(since),
            "days": FIGURE_DAYS,
        }
        return board, figures | more

    @routes.get("/supervision")
    def supervision_board(
        viewer: Seer, within: Within = None, reason: Code = None, supervision_class: Code = None,
        level: Annotated[int | None, Query(ge=0, le=9)] = None, department: Code = None, town: Code = None,
        age: Code = None, limit: Some = 100, offset: From = 0,
    ) -> Card:  # fmt: skip
        """What is to be supervised, what presses most first; facets count each filter's values under the others."""
        now = datetime.now(UTC)
        filters = Filters(reason, supervision_class, level, department, town, age)
        with opened(pool, viewer, within) as (conn, _):
            board, figures = measured(conn, now, filters)
            shown = board.cases[offset : offset + limit]
            urged = watch_queries.urges(conn, [case.ticket.id for case in shown])
        return {
            "as_of": ms(now),
            "rows": [_watched(profile.time_zone, viewer, case, urged.get(case.ticket.id)) for case in shown],
            "total": len(board.cases),
            "whole": board.total,
            "reasons": board.reasons,
            "facets": board.facets,
            "figures": figures,
        }

    @routes.get("/supervision/{ticket_id}")
    def supervision_case(ticket_id: TicketId, viewer: Seer) -> Card:
        """A ticket as the board sees it: facts, who was urged, history, consultations, and what the viewer may do."""
        now = datetime.now(UTC)
        with opened(pool, viewer) as (conn, _):
            told = facts_of(profile.time_zone, viewer, queries.facts(conn, ticket_id), ticket_id)
            happened = watch_queries.history(conn, ticket_id, HISTORY)
            held = queries.consultations(conn, ticket_id=ticket_id)
            calls = queries.attempts(conn, ticket_id)
            may = allowed(profile, viewer, read(conn, ticket_id))
        return {
            "as_of": ms(now),
            "ticket": told,
            "history": [
                {
                    **one._asdict(),
                    "at": ms(one.at),
                    **({} if viewer.may(Right.PEOPLE) else {"note": None, "data": None}),
                }
                for one in happened
            ],
            "consultations": [_meeting(profile.time_zone, viewer, one) for one in held],
            "attempts": [attempt_told(viewer, one) for one in calls],
            "commands": [{"command": one.command, "needs": list(one.needs)} for one in may],
        }

    @routes.get("/consultations")
    def all_consultations(viewer: Seer, within: Within = None, limit: Some = 100) -> Card:
        """Consultations that wait for a decision, by their meeting, then those decided in the last 30 days."""
        now = datetime.now(UTC)
        with opened(pool, viewer, within) as (conn, _):
            found = queries.consultations(conn, since=now - timedelta(days=FIGURE_DAYS), limit=limit)
            board, figures = measured(conn, now)
        rows = [_meeting(profile.time_zone, viewer, one) for one in found]
        return {
            "as_of": ms(now),
            "rows": rows,
            "whole": board.total,
            "reasons": board.reasons,
            "figures": figures,
        }

    @routes.patch("/consultations/{consultation_id}")
    def change_consultation(consultation_id: TicketId, body: MeetingIn, viewer: Seer) -> Card:
        """Write who sits there, when, and the minutes; asked and decided by the ticket's commands consult, conclude."""
        with opened(pool, viewer) as (conn, _):
            after = consultations.change(
                conn, consultation_id, body.version, people=body.people, meets_at=body.meets_at,
                minutes=body.minutes,
            )  # fmt: skip
        return _meeting(profile.time_zone, viewer, after)

    return routes


def _watched(time_zone: str, viewer: Viewer, case: Case, urged: tuple[int, datetime] | None) -> Card:
    told = case.ticket._asdict()
    for name in ("reported_at", "due_at", "supervised_at"):
        told[name] = ms(told[name])
    if not viewer.may(Right.PEOPLE):
        told |= {"title": None, "worker": None}
    return told | {
        "number": number(case.ticket.id, case.ticket.reported_at, time_zone),
        "reason": case.reason,
        "due": ms(case.due),
        "late": case.is_late,
        "age": case.age,
        "urges": urged[0] if urged else 0,
        "last_urge": ms(urged[1]) if urged else None,
    }


def _meeting(time_zone: str, viewer: Viewer, one: queries.Consultation) -> Card:
    told = one._asdict()
    for name in ("reported_at", "meets_at", "asked_at", "decided_at"):
        told[name] = ms(told[name])
    if not viewer.may(Right.PEOPLE):
        told |= {"people": [], "minutes": None, "question": None, "decision": None}
    return told | {"number": number(one.ticket_id, one.reported_at, time_zone)}
