"""The services of a place in the terms of GeoReport v2: its public subclasses of category and what they ask."""

from typing import Any, Literal

from profiles import Kind, Profile
from profiles.part import Named
from services.open311.errors import Refused, unknown_service

Lang = Literal["zh-CN", "en"]


def services(profile: Profile, lang: Lang) -> list[dict[str, Any]]:
    """GET services: what anybody may report here, in the order of the profile."""
    return [
        {
            "service_code": kind.code,
            "service_name": named(kind, lang),
            "description": f"{named(category, lang)} · {named(kind, lang)}",
            "metadata": bool(profile.open311.questions(kind.code)),
            "type": "realtime",
            "keywords": ", ".join(dict.fromkeys((kind.name, kind.name_en, category.name, category.name_en))),
            "group": named(category, lang),
        }
        for category in profile.categories
        for kind in category.kinds
        if profile.open311.offers(kind.code)
    ]


def definition(profile: Profile, code: str, lang: Lang) -> dict[str, Any]:
    """GET services/{code}: its attributes. Raises Refused 404."""
    kind = public_kind(profile, code)
    attributes = [
        {
            "variable": True,
            "code": one.code,
            "datatype": one.datatype,
            "required": one.required,
            "datatype_description": one.hint if lang == "zh-CN" else one.hint_en,
            "order": order,
            "description": named(one, lang),
            "values": [{"key": value.code, "name": named(value, lang)} for value in one.values],
        }
        for order, one in enumerate(profile.open311.questions(code), start=1)
    ]
    return {"service_code": kind.code, "attributes": attributes}


def public_kind(profile: Profile, code: str) -> Kind:
    """The public subclass of that code. Raises Refused 404."""
    kind = profile.kind(code)
    if kind is None or not profile.open311.offers(code):
        raise unknown_service(code)
    return kind


def public_codes(profile: Profile) -> list[str]:
    """Codes of all public subclasses."""
    return [
        kind.code
        for category in profile.categories
        for kind in category.kinds
        if profile.open311.offers(kind.code)
    ]


def channels(profile: Profile) -> list[str]:
    """Codes of the channels whose tickets are answered."""
    own = profile.open311.channel
    return [*profile.open311.channels, *([own] if own else [])]


def check_jurisdiction(profile: Profile, given: str | None) -> None:
    """Whether a jurisdiction_id means this place: its code, or its profile's key; one place needs none.

    Raises Refused 404.
    """
    if given and given not in (profile.root_code, profile.key):
        raise Refused(
            404, f"jurisdiction_id provided was not found: {given[:40]}; here it is {profile.root_code}"
        )


def named(thing: Named, lang: Lang) -> str:
    """The name in the asker's language."""
    return thing.name if lang == "zh-CN" else thing.name_en
