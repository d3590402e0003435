"""Names of codes in ledgers, from the profile and the catalogues."""

from profiles import Profile
from profiles.part import Named
from screens.words import t
from services.desks.ledgers import Say


def say_of(profile: Profile, lang: str) -> Say:
    """What a ledger says for a code of a vocabulary, for a column ("column") and for its watermark."""

    def names(rows: list[Named]) -> dict[str, str]:
        return {row.code: row.name_en if lang == "en" else row.name for row in rows}

    own = {
        "channel": names(list(profile.channels)),
        "category": names([kind for category in profile.categories for kind in category.kinds]),
        "department": names(profile.departments),
        "supervision": names(profile.loop.supervisions),
        "tier": names(list(profile.desks.mediation.tiers)),
        "status": {
            code: label.name_en if lang == "en" else label.name for code, label in profile.statuses.items()
        },
    }

    def say(vocabulary: str, code: str | None) -> str:
        if code is None:
            return ""
        if vocabulary in own:
            return own[vocabulary].get(code, code)
        return t(lang, f"desk.{vocabulary}.{code}")

    return say
