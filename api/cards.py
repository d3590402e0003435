"""GET /api/cards/…: what a click on the map tells of one area, ticket, worker, station or post."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from geodata.scope import EVERYTHING, scoped
from services import cards
from services.runtime import Runtime

Number = Annotated[int, Path(ge=0, le=10**14, description="Its number in the feeds.")]
People = Annotated[
    bool, Query(description="Also names, phones and words of people: for desk screens, never for a wall.")
]
Card = dict[str, Any]


def router(runtime: Runtime) -> APIRouter:
    """The routes, below /api/cards; times are milliseconds since 1970."""
    routes = APIRouter(prefix="/api/cards", tags=["Map"])

    @routes.get("/area/{no}")
    def area(no: Number) -> Card:
        """An area's place in the tree and its numbers now."""
        with scoped(runtime.pool, EVERYTHING) as conn:
            return cards.area_card(conn, no, runtime.profile)

    @routes.get("/ticket/{ticket_id}")
    def ticket(ticket_id: Number, people: People = False) -> Card:
        """A ticket's course."""
        with scoped(runtime.pool, EVERYTHING) as conn:
            return cards.ticket_card(conn, ticket_id, people=people)

    @routes.get("/worker/{worker_id}")
    def worker(worker_id: Number, people: People = False) -> Card:
        """A worker's duty and shift."""
        with scoped(runtime.pool, EVERYTHING) as conn:
            return cards.worker_card(conn, worker_id, people=people)

    @routes.get("/station/{station_id}")
    def station(station_id: Annotated[str, Path(pattern=r"^\d{20}$")]) -> Card:
        """A video station with the state of its stream."""
        with scoped(runtime.pool, EVERYTHING) as conn:
            return cards.station_card(conn, station_id, runtime.profile)

    @routes.get("/post/{post_id}")
    def post(post_id: Number, people: People = False) -> Card:
        """A post and its duty."""
        with scoped(runtime.pool, EVERYTHING) as conn:
            return cards.post_card(conn, post_id, runtime.profile, people=people)

    return routes
