"""The page of a wall that is not paired: a code as large as the screen, and what to do with it."""

import json
from html import escape

from screens.icon import ICON
from screens.words import t
from services.access.walls import CODE_S

ASSETS = "/wall/assets"
WORDS = ("starting", "left", "paired", "away", "busy")  # of assets/pages/pairing.js


def page(lang: str) -> str:
    """The whole page; its script gets the code by itself, so that the page holds nothing worth keeping."""
    told = {"life_s": CODE_S, "words": {name: t(lang, f"pairing.{name}") for name in WORDS}}
    where = f"<b>{escape(t(lang, 'pairing.where'))}</b>"
    places = "".join("<i></i>" if place == 4 else "<span></span>" for place in range(9))
    return f"""<!DOCTYPE html>
<html lang="{lang}" class="dark" data-screen="wall">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(t(lang, "pairing.title"))}</title>
{ICON}
<link rel="stylesheet" href="{ASSETS}/tokens.css">
<link rel="stylesheet" href="{ASSETS}/base.css">
<link rel="stylesheet" href="{ASSETS}/pages/pairing.css">
</head>
<body class="pairing">
<main>
<h1>{escape(t(lang, "pairing.title"))}</h1>
<p class="do">{escape(t(lang, "pairing.do")).replace("{where}", where)}</p>
<p class="code none" role="img" aria-label="{escape(t(lang, "pairing.starting"))}">{places}</p>
<div class="life" aria-hidden="true"><i></i></div>
<p class="state">{escape(t(lang, "pairing.starting"))}</p>
<noscript>{escape(t(lang, "pairing.noscript"))}</noscript>
</main>
<footer>{escape(t(lang, "pairing.note"))}</footer>
<script type="application/json" id="told">{_inside_script(told)}</script>
<script src="{ASSETS}/pages/pairing.js"></script>
</body>
</html>"""


def _inside_script(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
