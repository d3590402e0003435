"""GET /demo-camera/…: a real HLS stream for the demo, from six segments on disk and the clock."""

import time
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import Path, Response
from fastapi.responses import FileResponse

from api.router import Router
from services.demo_camera import SEGMENTS, demo_playlist
from services.runtime import Runtime

FOLDER = FilePath(__file__).resolve().parent.parent / "assets" / "demo_camera"


def router(runtime: Runtime) -> Router:
    """The routes, below /demo-camera."""
    routes = Router(prefix="/demo-camera", tags=["Video"])

    @routes.get("/segment/{index}.ts")
    def segment(index: Annotated[int, Path(ge=0, lt=SEGMENTS)]) -> Response:
        """Two seconds of MPEG-TS."""
        return FileResponse(
            FOLDER / f"{index}.ts",
            media_type="video/mp2t",
            headers={"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"},
        )

    @routes.get("/{name}/live.m3u8")
    def playlist(name: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,60}$")]) -> Response:
        """The live playlist; the picture says that it is a demo."""
        return Response(
            demo_playlist(name, time.time(), "../segment/{index}.ts"),
            media_type="application/vnd.apple.mpegurl",
            headers={"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"},
        )

    return routes
