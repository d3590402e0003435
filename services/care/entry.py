"""What may be entered for a person owed care, and what is wrong with it when it may not."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from geodata.importing.care_shapes import EVERY_DAYS, ID_NUMBER, PHONE
from profiles import Profile
from services.care.contents import Contact
from services.care.errors import BadCare, Details

MOST_CONTACTS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as somebody enters it; `area` is a grid's code, lon and lat are degrees (EPSG:4326)."""

    name: str
    category: str
    area: str
    phone: str | None = None
    id_number: str | None = None
    building: str | None = None
    lon: float | None = None
    lat: float | None = None
    contacts: tuple[Contact, ...] = ()
    every_days: int = EVERY_DAYS
    last_visit_on: date | None = None
    next_visit_on: date | None = None


def check(told: dict[str, Any], profile: Profile, today: date) -> None:
    """Raise BadCare naming every field of an entry, or of a change, that cannot stand."""
    wrong: Details = []

    def expect(good: object, where: str, message: str) -> None:
        if not good:
            wrong.append({"where": where, "message": message})

    if "name" in told:
        expect(told["name"] and told["name"].strip(), "name", "a name")
    if told.get("category") is not None or "category" in told:
        known = [one.code for one in profile.care]
        expect(told["category"] in known, "category", f"one of: {', '.join(known)}")
    for field, pattern, message in (
        ("phone", PHONE, "a telephone number of digits"),
        ("id_number", ID_NUMBER, "an ID number of 18 digits"),
    ):
        if told.get(field):
            expect(re.match(pattern, told[field]), field, message)
    if (told.get("lon") is None) != (told.get("lat") is None):
        expect(False, "lon", "both longitude and latitude, or neither")
    for number, contact in enumerate(told.get("contacts") or ()):
        expect(
            not contact.phone or re.match(PHONE, contact.phone),
            f"contacts.{number}",
            "a telephone number of digits",
        )
    expect(len(told.get("contacts") or ()) <= MOST_CONTACTS, "contacts", f"at most {MOST_CONTACTS} contacts")
    last, following, ended = (told.get(name) for name in ("last_visit_on", "next_visit_on", "ended_on"))
    expect(last is None or last <= today, "last_visit_on", "a day that has come")
    expect(ended is None or ended <= today, "ended_on", "a day that has come")
    expect(not (last and following) or following >= last, "next_visit_on", "a day after the last visit")
    if wrong:
        raise BadCare(wrong)
