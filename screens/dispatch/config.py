"""What the scripts of the dispatcher's screen are told: a map of lines only, vocabularies of its forms, its pane."""

from typing import Any

from profiles import Profile
from profiles.part import Named
from screens.config import Config, page_config
from services.access import Right, Viewer
from services.runtime import Runtime

PANES = ("queue", "map")  # a window that shows only that; any other address shows all
# Weights and leaves alone: all that there is for who sees to the rules and dispatches nothing.
RULES = "rules"
HIDDEN = frozenset({"stations", "posts", "care", "tickets"})  # the queue draws its own tickets
NUMBERS = {"names": {"grid_from": 16.0, "community_from": 13.5}}  # here names are a ground for markers
NOT_OFFERED = frozenset({"visits"})  # belongs to those who visit


def dispatch_config(
    runtime: Runtime, viewer: Viewer, lang: str, code: str | None, parameters: dict[str, str]
) -> Config:
    """The config of the page, narrowed to the area of that code; raises UnknownArea."""
    config = page_config(runtime, viewer, "dispatch", lang, code, parameters)
    pane = parameters.get("pane") if viewer.may(Right.TICKETS_DISPATCH) else RULES
    return {
        **config,
        "pane": pane if pane in (*PANES, RULES) else "both",
        "layers": [_layer(layer) for layer in config["layers"] if layer["id"] not in NOT_OFFERED],
        "map": {**config["map"], "mode": "lines"},
        "account": viewer.id,
        **_vocabulary(runtime.profile, lang),
    }


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    own = NUMBERS.get(layer["id"], {})
    shown = layer["shown"] and layer["id"] not in HIDDEN
    return {**layer, "shown": shown, "numbers": {**layer["numbers"], **own}}


def _vocabulary(profile: Profile, lang: str) -> dict[str, Any]:
    def named(rows: list[Named]) -> list[dict[str, str]]:
        return [{"code": row.code, "name": row.name_en if lang == "en" else row.name} for row in rows]

    return {
        "departments": named(profile.departments),
        "severities": named(profile.loop.severities),
        "supervisions": named(profile.loop.supervisions),
        "posts": named(list(profile.posts)),
        "commands": {
            code: word.name_en if lang == "en" else word.name for code, word in profile.loop.words.items()
        },
    }
