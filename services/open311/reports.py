"""Turns what GeoReport v2 posts into a report: its fields, and the answers to what its service asks."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from profiles import Profile
from profiles.open311 import Attribute
from services.intake.reporter import Reporter
from services.intake.title import title_of
from services.open311.catalogue import public_kind
from services.open311.errors import Refused
from services.tickets import Report

LONGEST = 3000  # characters of a description; the answers to attributes stand below it
Fields = Mapping[str, Sequence[str]]  # a form: each name with its values


def report_of(profile: Profile, fields: Fields) -> Report:
    """The report that a form makes. Raises Refused 400 or 404 with the field's name."""
    channel = profile.open311.channel
    if channel is None:
        raise Refused(403, "This place takes no requests through Open311.")
    code = _one(fields, "service_code")
    if code is None:
        raise Refused(400, "service_code was not provided")
    kind = public_kind(profile, code)
    lon, lat = _degrees(fields, "long"), _degrees(fields, "lat")
    address, address_id = _one(fields, "address_string"), _one(fields, "address_id")
    if (lon is None) != (lat is None):
        raise Refused(400, "lat, long: both or neither")
    if lon is None and address is None and address_id is None:
        raise Refused(400, "lat and long, address_string or address_id: one of them is needed")
    words = _one(fields, "description") or ""
    if len(words) > LONGEST:
        raise Refused(400, f"description: {LONGEST} characters at most")
    lines = [words, *_answers(profile, kind.code, fields), *_media(fields)]
    try:
        reporter = _reporter(fields)
        return Report(
            channel=channel,
            category=kind.code,
            title=title_of(words, reporter) or kind.name,
            description="\n".join(line for line in lines if line) or None,
            address=address,
            lon=lon,
            lat=lat,
            area=address_id if lon is None else None,
            reporter=reporter,
        )
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise Refused(400, f"{_NAMES.get(str(fault['loc'][-1]), fault['loc'][-1])}: {fault['msg']}") from None


_NAMES = {"address": "address_string", "lon": "long", "area": "address_id"}


def _reporter(fields: Fields) -> Reporter | None:
    first, last = _one(fields, "first_name") or "", _one(fields, "last_name") or ""
    latin = (first + last).isascii()
    name = f"{first} {last}".strip() if latin else last + first  # the family name first, as in Chinese
    given = {
        "name": name or None,
        **{field: _one(fields, field) for field in ("phone", "email", "device_id", "account_id")},
    }
    return Reporter(**given) if any(given.values()) else None


def _answers(profile: Profile, code: str, fields: Fields) -> list[str]:
    """One line for each attribute that was answered, in the place's words."""
    questions = profile.open311.questions(code)
    known = {f"attribute[{one.code}]" for one in questions}
    for field in fields:
        if field.startswith("attribute[") and field.removesuffix("[]") not in known:
            raise Refused(400, f"{field[:80]}: service {code} asks {', '.join(sorted(known)) or 'nothing'}")
    lines = []
    for one in questions:
        name = f"attribute[{one.code}]"
        values = [
            value.strip() for given in (name, f"{name}[]") for value in fields.get(given, ()) if value.strip()
        ]
        if values:
            lines.append(f"{one.name}: {', '.join(_answer(one, name, values))}")
        elif one.required:
            raise Refused(400, f"{name} is required by service {code}")
    return lines


def _answer(question: Attribute, name: str, values: list[str]) -> list[str]:
    """The values in words. Raises Refused 400 for what is not of the attribute's kind."""
    if len(values) > 1 and question.datatype != "multivaluelist":
        raise Refused(400, f"{name}: one value, not {len(values)}")
    if question.values:
        offered = {value.code: value.name for value in question.values}
        if unknown := [value for value in values if value not in offered]:
            raise Refused(400, f"{name}: one of {', '.join(offered)}, not {unknown[0][:40]}")
        return [offered[value] for value in dict.fromkeys(values)]
    value = values[0]
    if len(value) > 300:
        raise Refused(400, f"{name}: 300 characters at most")
    if question.datatype == "number" and not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,6})?", value, re.ASCII):
        raise Refused(400, f"{name}: a number")
    if question.datatype == "datetime":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise Refused(400, f"{name}: a date and time such as 2026-11-22T08:30:00+08:00") from None
    return [value]


def _media(fields: Fields) -> list[str]:
    """The address of a picture that lies elsewhere: kept as words, as nothing is fetched for a stranger."""
    url = _one(fields, "media_url")
    if url is None:
        return []
    if len(url) > 500 or not re.fullmatch(r"https?://[^\s<>\"']+", url):
        raise Refused(
            400, "media_url: an address that begins with http:// or https://, 500 characters at most"
        )
    return [url]


def _degrees(fields: Fields, name: str) -> float | None:
    text = _one(fields, name)
    if text is None:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{1,15})?", text, re.ASCII):
        raise Refused(400, f"{name}: degrees in WGS 84, such as 35.405")
    return float(text)


def _one(fields: Fields, name: str) -> str | None:
    """The last value of a field without space around it; None where it is empty or missing."""
    values = fields.get(name, ())
    return (values[-1].strip() or None) if values else None


def posted(number: str) -> list[dict[str, Any]]:
    """The answer to POST requests."""
    return [{"service_request_id": number, "service_notice": None, "account_id": None}]
