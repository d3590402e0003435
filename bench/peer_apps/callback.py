"""The barest Dash callback on Flask, and the same on Starlette alone: `python -m bench.peer_apps.callback PORT`."""

import sys

import uvicorn
from a2wsgi import WSGIMiddleware
from dash import Dash, Input, Output, html
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route


def create() -> Starlette:
    """Dash below /dash/, mounted as the product mounts it; POST /bare answers like a callback without Dash."""
    app = Dash(__name__, requests_pathname_prefix="/dash/", routes_pathname_prefix="/", assets_folder="none")
    app.layout = html.Div([html.Button("+", id="button"), html.Div(id="text")])

    @app.callback(Output("text", "children"), Input("button", "n_clicks"))
    def count(clicks: int | None) -> str:
        return f"{clicks or 0} clicks"

    async def bare(request: Request) -> JSONResponse:
        asked = await request.json()
        return JSONResponse({"response": {"text": {"children": f"{asked['inputs'][0]['value']} clicks"}}})

    return Starlette(
        routes=[
            Route("/bare", bare, methods=["POST"]),
            Mount("/dash", WSGIMiddleware(app.server, workers=16)),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(create(), port=int(sys.argv[1]), log_level="warning", access_log=False)
