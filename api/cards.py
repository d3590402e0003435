"""GET /api/cards/…: what a click on the map tells of one area, ticket, worker, station or post."""

from typing import Annotated, Any

from fastapi import Path, Query

from api.gate import Seer
from api.router import Router
from services import cards
from services.access import Right, Viewer, opened
from services.runtime import Runtime

Number = Annotated[int, Path(ge=0, le=10**14, description="Its number in the feeds.")]
People = Annotated[
    bool,
    Query(
        description="Also names, phones and words of people, for roles that may see them; ignored for a wall."
    ),
]
Card = dict[str, Any]


def may(viewer: Viewer) -> bool:
    """Whether a card may tell of people, if it is asked to."""
    return viewer.may(Right.PEOPLE)


def router(runtime: Runtime) -> Router:
    """The routes, below /api/cards; times are milliseconds since 1970."""
    routes = Router(prefix="/api/cards", tags=["Map"])

    @routes.get("/area/{no}")
    def area(no: Number, viewer: Seer, people: People = False) -> Card:
        """An area's place in the tree, its numbers now, and who is on duty in it and above it."""
        with opened(runtime.pool, viewer) as (conn, _):
            return cards.area_card(conn, no, runtime.profile, people=people and may(viewer))

    @routes.get("/ticket/{ticket_id}")
    def ticket(ticket_id: Number, viewer: Seer, people: People = False) -> Card:
        """A ticket's course, and how its deadline came about."""
        with opened(runtime.pool, viewer) as (conn, _):
            return cards.ticket_card(conn, ticket_id, runtime.profile, people=people and may(viewer))

    @routes.get("/worker/{worker_id}")
    def worker(worker_id: Number, viewer: Seer, people: People = False) -> Card:
        """A worker's duty and shift."""
        with opened(runtime.pool, viewer) as (conn, _):
            return cards.worker_card(conn, worker_id, people=people and may(viewer))

    @routes.get("/station/{station_id}")
    def station(station_id: Annotated[str, Path(pattern=r"^\d{20}$")], viewer: Seer) -> Card:
        """A video station with the state of its stream."""
        with opened(runtime.pool, viewer) as (conn, _):
            return cards.station_card(conn, station_id, runtime.profile)

    @routes.get("/post/{post_id}")
    def post(post_id: Number, viewer: Seer, people: People = False) -> Card:
        """A post and its duty."""
        with opened(runtime.pool, viewer) as (conn, _):
            return cards.post_card(conn, post_id, runtime.profile, people=people and may(viewer))

    return routes
