"""Names of codes in an incident's file, from the profile and the catalogues."""

from collections.abc import Sequence

from profiles import Profile
from profiles.part import Named
from screens.words import t
from services.incidents.export import Say


def say_of(profile: Profile, lang: str) -> Say:
    """What the file says for a code of a vocabulary, for a column ("column") and for its watermark."""

    def names(rows: Sequence[Named]) -> dict[str, str]:
        return {row.code: row.name_en if lang == "en" else row.name for row in rows}

    own = {
        "post": names(profile.posts),
        "status": {
            code: label.name_en if lang == "en" else label.name for code, label in profile.statuses.items()
        },
    }

    def say(vocabulary: str, code: str | None) -> str:
        if vocabulary in own:
            return own[vocabulary].get(code or "", code or "")
        return t(lang, f"incident.export.{vocabulary}.{code}" if code else f"incident.export.{vocabulary}")

    return say
