"""GET /sign-in: the page on which people come in; whoever is in already goes on to where they wanted."""

from typing import Annotated

import psycopg
from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from psycopg_pool import PoolTimeout

from api.router import Router
from screens.sign_in import Visit, in_language, page, way_back
from screens.words import LANGUAGES, language_of
from services.access.sign_in import Door, Person
from services.access.unknown_logins import UnknownLogins
from services.access.viewer import Viewer
from services.runtime import Runtime

NO_STORE = {"Cache-Control": "no-store"}


def router(runtime: Runtime) -> Router:
    """The page; it stands with the screens."""
    routes = Router(include_in_schema=False)
    door = Door(runtime.pool, runtime.settings, UnknownLogins(runtime.redis, runtime.stores.key_prefix))

    @routes.get("/sign-in")
    def sign_in(
        request: Request,
        to: Annotated[str, Query(max_length=2000)] = "",
        lang: Annotated[str, Query(max_length=10)] = "",
        error: Annotated[str, Query(max_length=40)] = "",
    ) -> Response:
        """The page at the step that the visitor has reached."""
        viewer: Viewer | None = request.scope["state"]["viewer"]
        person: Person | None = None
        away = bool(request.scope["state"]["away"])
        if viewer is not None and viewer.kind == "account":
            try:
                person = door.person(viewer)
            except (psycopg.OperationalError, PoolTimeout):
                away = True
        to = way_back(to)
        if person is not None and not person.pending and to and not error:
            return RedirectResponse(in_language(to, lang), 303, NO_STORE)
        visit = Visit(
            lang=language_of(lang, runtime.settings.language),
            to=to,
            chosen=lang if lang in LANGUAGES else "",
            error=error,
            viewer=viewer if person else None,
            person=person,
            away=away,
        )
        return HTMLResponse(page(runtime, visit), headers=NO_STORE)

    return routes
