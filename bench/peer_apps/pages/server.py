"""Serves the peers' pages: `python -m bench.peer_apps.pages.server PORT GRIDS_GZ LEAFLET_DIST`."""

import sys
from pathlib import Path

import dash_leaflet as dl
import uvicorn
from a2wsgi import WSGIMiddleware
from dash import Dash, html
from dash_extensions.enrich import DashProxy
from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).resolve().parent
PAGES = ("grids", "dots", "marks")


def page(name: str) -> Dash:
    """dash-leaflet with all grids; `dots` and `marks` add workers, drawn as canvas dots or as DOM markers."""
    app = DashProxy(__name__, requests_pathname_prefix=f"/dash/{name}/", assets_folder=str(HERE / "assets"))
    layers = [
        dl.GeoJSON(
            id="grids",
            url="/grids.json",
            style={"variable": "benchPeer.style"},
            hideout={},
            zoomToBounds=True,
        )
    ]
    if name != "grids":
        shape = {"dots": "benchPeer.dot", "marks": "benchPeer.mark"}[name]
        nobody = {"type": "FeatureCollection", "features": []}
        layers.append(dl.GeoJSON(id="workers", data=nobody, pointToLayer={"variable": shape}))
    app.layout = html.Div(
        # without the glide to the grids, which would be on its way yet when all of them are there
        dl.Map(
            layers,
            preferCanvas=True,
            center=(41, 123),
            zoom=8,
            zoomAnimation=False,
            style={"height": "100vh"},
        )
    )
    return app


def create(grids: Path, leaflet: Path) -> Starlette:
    """The server of all the pages."""
    body = grids.read_bytes()
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}

    async def grids_json(_: object) -> Response:
        return Response(body, media_type="application/geo+json", headers=headers)

    async def bare(_: object) -> FileResponse:
        return FileResponse(HERE / "leaflet.html")

    return Starlette(
        routes=[
            Route("/bare", bare),
            Route("/grids.json", grids_json),
            Mount("/leaflet", StaticFiles(directory=leaflet)),
            *(Mount(f"/dash/{name}", WSGIMiddleware(page(name).server)) for name in PAGES),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        create(Path(sys.argv[2]), Path(sys.argv[3])),
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
    )
