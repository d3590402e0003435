"""What the scripts of a board are told: its table row, the vocabularies of its forms, and nothing that a map needs."""

from typing import Any

from profiles import Profile
from profiles.part import Named
from screens.boards.boards import Board
from screens.config import Config, page_config
from services.access import Viewer
from services.mediation import kinds
from services.runtime import Runtime


def board_config(
    runtime: Runtime, viewer: Viewer, board: Board, lang: str, code: str | None, parameters: dict[str, str]
) -> Config:
    """The config of a board, narrowed to the area of that code; raises UnknownArea."""
    config = page_config(runtime, viewer, board.name, lang, code, parameters)
    return {
        **config,
        "names": config["names"] if lang == "en" else {},
        "layers": [],
        "core": None,
        "feeds": {"snapshot": config["feeds"]["snapshot"]},
        "board": {"tiles": board.tiles, "tabs": board.tabs, "ledgers": board.ledgers},
        **_vocabulary(runtime.profile, lang),
    }


def _vocabulary(profile: Profile, lang: str) -> dict[str, Any]:
    def named(rows: list[Named]) -> list[dict[str, str]]:
        return [{"code": row.code, "name": row.name_en if lang == "en" else row.name} for row in rows]

    disputes = set(kinds(profile))
    return {
        "departments": named(profile.departments),
        "supervisions": named(profile.loop.supervisions),
        "severities": named(profile.loop.severities),
        "levels_of_escalation": named(list(profile.clock.escalation.levels)),
        "tiers": named(list(profile.desks.mediation.tiers)),
        "posts": named(list(profile.posts)),
        "disputes": [
            row
            for row in named([kind for category in profile.categories for kind in category.kinds])
            if row["code"] in disputes
        ],
        "limits": {
            "most_redos": profile.clock.escalation.most_redos,
            "most_transfers": profile.clock.escalation.most_transfers,
            "most_attempts": profile.desks.call_back.most_attempts,
            "within_days": profile.desks.call_back.within_days,
        },
    }
