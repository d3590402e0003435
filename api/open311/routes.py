"""The routes of Open311: what is offered where, services, requests and tokens."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.open311 import posting
from api.open311.asker import Askers
from api.open311.errors import Route
from api.open311.formats import Form, answer
from api.router import Router
from services.access import opened
from services.open311 import catalogue, discovery, requests
from services.open311.catalogue import Lang, check_jurisdiction
from services.open311.errors import Refused
from services.runtime import Runtime

Code = Annotated[str, Path(description="service_code", max_length=40)]
Number = Annotated[str, Path(description="service_request_id", max_length=40)]
Token = Annotated[
    str, Path(description="The Idempotency-Key that the request was sent with.", max_length=120)
]
Jurisdiction = Annotated[
    str | None, Query(max_length=100, description="Code of the place; it may be left out.")
]
Key = Annotated[str | None, Query(description="Token of a client; or as a bearer token.", max_length=200)]


class Fault(BaseModel):
    """What went wrong: the status again, and a sentence."""

    code: int
    description: str


BOTH: dict[str, Any] = {"application/json": {}, "text/xml": {}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "As GeoReport v2 describes it.", "content": BOTH},
    "4XX": {"model": list[Fault], "description": "Refused; each fault in a sentence.", "content": BOTH},
    "5XX": {"model": list[Fault], "description": "Not possible at the moment.", "content": BOTH},
}


def router(runtime: Runtime) -> Router:
    """The routes, below /open311."""
    routes = Router(prefix="/open311", tags=["Open311"], route_class=Route, responses=ANSWERS)
    profile, askers = runtime.profile, Askers(runtime)

    def lang_of(request: Request) -> Lang:
        """The language that the client prefers among ours, else that of the settings."""
        first = request.headers.get("accept-language", "").lower()[:2]
        return "en" if first == "en" else "zh-CN" if first == "zh" else runtime.settings.language

    @routes.get("/discovery.{form}")
    async def discover(request: Request, form: Form) -> Response:
        """Where GeoReport v2 is offered, and in which formats."""
        scheme = "https" if runtime.settings.secure_cookies else request.url.scheme
        base = f"{scheme}://{request.headers.get('host', '')}"
        return answer(form, "discovery", discovery.document(profile, base, demo=runtime.settings.demo))

    @routes.get("/v2/services.{form}")
    async def services(
        request: Request, form: Form, jurisdiction_id: Jurisdiction = None, api_key: Key = None
    ) -> Response:
        """What anybody may report here."""
        check_jurisdiction(profile, jurisdiction_id)
        await askers.reader(request, api_key)
        return answer(form, "services", catalogue.services(profile, lang_of(request)))

    @routes.get("/v2/services/{service_code}.{form}")
    async def service(
        request: Request,
        service_code: Code,
        form: Form,
        jurisdiction_id: Jurisdiction = None,
        api_key: Key = None,
    ) -> Response:
        """What a report of that service is asked."""
        check_jurisdiction(profile, jurisdiction_id)
        await askers.reader(request, api_key)
        found = catalogue.definition(profile, service_code, lang_of(request))
        return answer(form, "service_definition", found)

    @routes.get("/v2/requests.{form}")
    async def all_requests(
        request: Request,
        form: Form,
        jurisdiction_id: Jurisdiction = None,
        service_request_id: Annotated[str, Query(description="One or several, with commas.")] = "",
        service_code: Annotated[str, Query(description="One or several, with commas.")] = "",
        start_date: Annotated[
            str, Query(description="Reported from then on; 90 days before the end without.")
        ] = "",
        end_date: Annotated[str, Query(description="Reported up to then; now without.")] = "",
        status: Annotated[str, Query(description="open, closed.")] = "",
        page: Annotated[str, Query(description="From 1.")] = "",
        page_size: Annotated[str, Query(description="1 to 1,000; 1,000 without.")] = "",
        api_key: Key = None,
    ) -> Response:
        """Public requests, the latest first; `Link` leads to the next page where there is one."""
        check_jurisdiction(profile, jurisdiction_id)
        viewer = await askers.reader(request, api_key)
        given = {
            "service_request_id": service_request_id, "service_code": service_code, "start_date": start_date,
            "end_date": end_date, "status": status, "page": page, "page_size": page_size,
        }  # fmt: skip
        wanted = requests.wanted(profile, given, datetime.now(UTC))

        def found() -> Response:
            with opened(runtime.pool, viewer) as (conn, _):
                answers, more = requests.requests(conn, profile, wanted, lang_of(request))
            headers = {}
            if more:
                following = request.url.include_query_params(page=int(page or 1) + 1)
                headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
            return answer(form, "service_requests", answers, headers=headers)

        return await run_in_threadpool(found)  # a thousand requests take a moment to write down, too

    @routes.get("/v2/requests/{service_request_id}.{form}")
    async def one_request(
        request: Request,
        service_request_id: Number,
        form: Form,
        jurisdiction_id: Jurisdiction = None,
        api_key: Key = None,
    ) -> Response:
        """One public request, as a list of one."""
        check_jurisdiction(profile, jurisdiction_id)
        viewer = await askers.reader(request, api_key)

        def found() -> list[dict[str, Any]]:
            with opened(runtime.pool, viewer) as (conn, _):
                return requests.request(conn, profile, service_request_id, lang_of(request))

        return answer(form, "service_requests", await run_in_threadpool(found))

    @routes.get("/v2/tokens/{token}.{form}")
    async def token_of(
        request: Request, token: Token, form: Form, jurisdiction_id: Jurisdiction = None, api_key: Key = None
    ) -> Response:
        """The request that was sent with this Idempotency-Key: for who never got its answer."""
        check_jurisdiction(profile, jurisdiction_id)
        viewer = await askers.reader(request, api_key)

        def found() -> list[dict[str, Any]]:
            with opened(runtime.pool, viewer) as (conn, _):
                return requests.of_token(conn, profile, viewer, token)

        return answer(form, "service_requests", await run_in_threadpool(found))

    posting.add(routes, runtime, askers)

    @routes.get("/{path:path}", include_in_schema=False)
    @routes.post("/{path:path}", include_in_schema=False)
    async def unknown(path: str) -> Response:
        """What is not of GeoReport v2."""
        raise Refused(404, f"There is nothing at /open311/{path[:80]}; see /open311/discovery.json.")

    return routes
