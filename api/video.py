"""GET /api/video/{station}: the state of one stream and, while it runs, its address."""

from typing import Annotated, Any

from fastapi import Path

from api.gate import Seer
from api.router import Router
from services.access import opened
from services.cards import station_card
from services.runtime import Runtime


def router(runtime: Runtime) -> Router:
    """The route, below /api."""
    routes = Router(prefix="/api", tags=["Video"])

    @routes.get("/video/{station_id}")
    def video(
        station_id: Annotated[str, Path(pattern=r"^\d{20}$", description="GB/T 28181 id")],
        viewer: Seer,
    ) -> dict[str, Any]:
        """State (live, no_signal, unknown), why there is no signal, when it was checked, and the HLS address."""
        with opened(runtime.pool, viewer) as (conn, _):
            card = station_card(conn, station_id, runtime.profile)
        return {
            key: card[key]
            for key in ("id", "name", "state", "state_reason", "checked_at", "stream_url", "generated")
        }

    return routes
