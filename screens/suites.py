"""What Dash's suites fetch by themselves, put into the page from the start."""

import re
from functools import cache
from pathlib import Path

import dash_ag_grid
from dash.fingerprint import build_fingerprint

# The table's second half, which its first half would fetch once it runs: at an address that never changes, so that
# each page would fetch, unpack and compile its 870 KB again. As a script of the page it is loaded beside the others,
# at an address that changes with it, and is there when the first half asks.
TABLE = "/dash_ag_grid/"
LATER = "async-community.js"


def with_later(tags: list[str]) -> list[str]:
    """Script tags of a page, with the table's second half before its first where there is a table."""
    found: list[str] = []
    for tag in tags:
        if TABLE in tag and (src := re.search(r'src="([^"]*/)[^"/]+"', tag)):
            found.append(f'<script src="{src[1]}{_marked()}"></script>')
        found.append(tag)
    return found


@cache
def _marked() -> str:
    """Its name with the mark by which Dash knows a file that may be kept for ever."""
    changed = int((Path(dash_ag_grid.__file__).parent / LATER).stat().st_mtime)
    return build_fingerprint(LATER, dash_ag_grid.__version__, changed)
