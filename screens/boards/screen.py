"""The Dash apps of the boards, each at /<name>/ and, narrowed to an area, at /<name>/<code>."""

from flask import Flask

from screens.boards.boards import BOARDS, Board
from screens.boards.config import board_config
from screens.boards.page import layout
from screens.config import Config
from screens.page import NOT_ON_AREA, Screen
from services.access import Viewer
from services.runtime import Runtime

NOT_ON_BOARDS = (*NOT_ON_AREA, "/dash/dcc/", "/dash_leaflet/", "/dash_ag_grid/")


def make_boards(runtime: Runtime, server: Flask) -> list[Screen]:
    """All boards; they have no callbacks: their scripts read and write /api/desks and /api/mediation."""
    return [BoardScreen(board, runtime, server) for board in BOARDS.values()]


class BoardScreen(Screen):
    """A board of the areas that the viewer may see; who lacks its right is told so."""

    def __init__(self, board: Board, runtime: Runtime, server: Flask) -> None:
        """Serve it on that server."""
        self.board = board
        super().__init__(board.name, runtime, server, layout, NOT_ON_BOARDS)

    def may(self, viewer: Viewer) -> bool:
        """Whether the viewer is a person with the board's right; other systems have the interfaces."""
        return viewer.kind == "account" and viewer.may(self.board.right)

    def config_of(self, viewer: Viewer, lang: str, code: str | None, parameters: dict[str, str]) -> Config:
        """What the page's scripts are told."""
        return board_config(self.runtime, viewer, self.board, lang, code, parameters)
