"""/api/audit: the record of who did or looked at what, in pages and as lines of JSON, in the reader's scope."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.gate import Seer
from api.router import Router
from geodata.scope import scoped
from services import audit
from services.audit import Action
from services.runtime import Runtime

Moment = Annotated[
    datetime | None,
    Query(
        description="A time, or a day such as 2026-05-01; without a zone it is the place's.",
        examples=["2026-05-01"],
    ),
]


class RowOut(BaseModel):
    """One row; docs/reference/audit.md explains each field."""

    id: int
    at: datetime
    actor_kind: str
    actor_id: int | None
    actor_name: str
    actor_role: str | None
    ip: str | None
    action: str
    object_kind: str | None
    object_id: str | None
    area_no: int | None
    area_code: str | None
    area_name: str | None
    reason: str | None
    detail: dict[str, Any]
    request_id: str | None


class PageOut(BaseModel):
    """Rows, newest first."""

    rows: list[RowOut]
    next_before_id: int | None = Field(
        description="Ask with before_id=… for the rows before these; null at the end."
    )


def router(runtime: Runtime) -> Router:
    """The routes, below /api/audit."""
    routes = Router(prefix="/api/audit", tags=["Audit"])
    zone = ZoneInfo(runtime.profile.time_zone)

    def local(moment: datetime | None) -> datetime | None:
        return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=zone)

    @routes.get("")
    def page(
        viewer: Seer,
        since: Moment = None,
        until: Moment = None,
        action: Annotated[list[Action] | None, Query(description="Any of these actions.")] = None,
        actor: Annotated[str | None, Query(max_length=100, description="Whole name of who did it.")] = None,
        text: Annotated[
            str | None, Query(max_length=100, description="Part of a reason, object, detail, name, address.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before_id: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    ) -> PageOut:
        """Rows that meet all conditions, newest first."""
        with scoped(runtime.pool, viewer.scope, "audit") as conn:
            found = audit.search(
                conn,
                since=local(since),
                until=local(until),
                action=[str(one) for one in action or ()],
                actor=actor,
                text=text,
                limit=limit,
                before_id=before_id,
            )
        rows = [RowOut.model_validate(row._asdict()) for row in found]
        return PageOut(rows=rows, next_before_id=rows[-1].id if len(rows) == limit else None)

    @routes.get("/lines", response_class=StreamingResponse)
    def lines(viewer: Seer, since: Moment = None, until: Moment = None) -> StreamingResponse:
        """All rows as lines of JSON with their hashes, oldest first; recorded as an export."""
        first, last = local(since), local(until)
        with scoped(runtime.pool, viewer.scope, "audit") as conn:
            end = audit.newest(conn)
            detail = {"since": first, "until": last}
            audit.record(conn, viewer, Action.export, object_kind="audit", detail=detail)

        def stream() -> Iterator[bytes]:
            after: int | None = 0
            while after is not None:  # a transaction a batch: a slow reader keeps no connection
                with scoped(runtime.pool, viewer.scope, "audit") as conn:
                    batch, after = audit.some_lines(conn, first, last, after, end)
                yield batch

        name = f"audit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingResponse(stream(), media_type="application/x-ndjson", headers=headers)

    return routes
