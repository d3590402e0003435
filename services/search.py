"""Search for areas by name, code or pinyin initials, for a map to fly to."""

import unicodedata

from geodata.queries.areas import Found, find
from geodata.scope import Db

LONGEST = 40


def search_areas(conn: Db, text: str, limit: int = 12) -> list[Found]:
    """Areas in scope that the text names, best first; an empty text finds nothing.

    Full-width letters and digits count as ordinary ones, as they come from Chinese keyboards.
    """
    wanted = unicodedata.normalize("NFKC", text).strip()[:LONGEST].replace("\x00", "")
    return find(conn, wanted, limit) if wanted else []
