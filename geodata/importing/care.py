"""Import of people owed care, sealed before they reach the database."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, LiteralString, Protocol

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from geodata.importing import words
from geodata.importing.care_shapes import EVERY_DAYS, ID_NUMBER, PHONE
from geodata.importing.fields import Fields
from geodata.importing.report import Progress, Report, silent
from geodata.importing.rows import POINT, Kind, PeopleOptions, Reading, import_rows
from geodata.scope import Db


class Sealer(Protocol):
    """Seals what identifies a person, with a key that is not in the database."""

    @property
    def key_id(self) -> int:
        """Which key that is."""
        ...

    def seal(self, text: str) -> bytes:
        """The text, readable with the key alone."""
        ...

    def masked_name(self, name: str) -> str:
        """What may be shown of a name."""
        ...


def import_care(
    conn: Db,
    path: Path,
    options: PeopleOptions | None = None,
    *,
    sealer: Sealer,
    generated: bool = False,
    progress: Progress = silent,
) -> Report:
    """People owed care by code, all of the file or nothing of it.

    Fields: code, name, phone, id_number, category, area (a grid's code), lon, lat, building, contacts, every_days,
    last_visit_on, next_visit_on, started_on, ended_on. Raises ImportRefused; a file with a column for belief,
    ethnicity, opinion, petitions, trajectories, biometrics or scores is refused, naming the column.
    """
    kind = replace(_CARE, parse=partial(_care, sealer=sealer))
    return import_rows(conn, path, kind, options, generated, progress)


def _care(read: Reading, sealer: Sealer) -> dict[str, pa.Array]:
    fields = read.fields
    lon, lat = read.point()
    last, following, started, ended = (
        fields.date(name, read.zone) for name in ("last_visit_on", "next_visit_on", "started_on", "ended_on")
    )
    _ordered(fields, "next_visit_on", last, following, "a day after the last visit", "last_visit_on")
    _ordered(fields, "ended_on", started, ended, "a day not before started_on", "started_on")
    today = pa.scalar(read.place.today, pa.date32())
    for name, days in (("last_visit_on", last), ("started_on", started), ("ended_on", ended)):
        fields.complain(
            name,
            np.asarray(pc.greater(days, today).fill_null(False)),
            "a day that has come",
            "It lies ahead.",
        )
    every = fields.number("every_days", least=1, most=366, whole=True)
    name = fields.text("name", required=True, longest=100)
    seal = partial(_sealed, sealer.seal)
    return {
        "code": fields.text("code", required=True, longest=60),
        "name_masked": pa.array(
            [None if text is None else sealer.masked_name(text) for text in name.to_pylist()], pa.string()
        ),
        "name_sealed": seal(name),
        "phone_sealed": seal(
            _like(fields, "phone", PHONE, "a telephone number of digits", "Write one number and nothing else.")
        ),
        "id_number_sealed": seal(
            _like(fields, "id_number", ID_NUMBER, "an ID number of 18 digits",
                  "Excel rounds long numbers: format the column as text and paste again.", exact=True)
        ),
        "contacts_sealed": seal(_contacts(fields)),
        "key_id": pa.array([sealer.key_id] * len(name), pa.int16()),
        "category": read.named("category", read.place.profile.care, "a care category of this place"),
        "area_no": read.area(required=True, level="grid"),
        "lon": pa.array(lon, from_pandas=True),
        "lat": pa.array(lat, from_pandas=True),
        "building": fields.text("building", longest=200),
        "every_days": pa.array(np.where(np.isnan(every), EVERY_DAYS, every).astype(np.int16)),
        "last_visit_on": last,
        "next_visit_on": following,
        "started_on": started,
        "ended_on": ended,
        "today": pa.array([read.place.today] * len(name), pa.date32()),
    }  # fmt: skip


def _ordered(fields: Fields, name: str, first: pa.Array, then: pa.Array, expected: str, other: str) -> None:
    early = np.asarray(pc.less(then, first).fill_null(False))
    fields.complain(name, early, expected, f"It lies before {other}.")


def _like(
    fields: Fields, name: str, pattern: str, expected: str, hint: str, *, exact: bool = False
) -> pa.Array:
    """Text of a pattern; `exact` digits may not come out of a column of numbers, which rounds them."""
    column = fields.text(name, longest=60, formulas=False)
    odd = ~np.asarray(pc.match_substring_regex(column, pattern).fill_null(True))
    if exact and not pa.types.is_string(fields.raw(name).type):
        odd = np.asarray(column.is_valid())
    fields.complain(name, odd, expected, hint)
    return column


def _sealed(seal: Callable[[str], bytes], column: pa.Array) -> pa.Array:
    """Each text sealed, in the form in which COPY reads bytea."""
    texts = [None if text is None else "\\x" + seal(text).hex() for text in column.to_pylist()]
    return pa.array(texts, pa.string())


def _contacts(fields: Fields) -> pa.Array:
    """At most five contacts: a JSON list of {role, name, phone}, or names and numbers separated by semicolons."""
    texts = fields.text("contacts", longest=2000).to_pylist()
    result: list[str | None] = []
    bad = np.zeros(len(texts), bool)
    for index, text in enumerate(texts):
        contacts: Any = None
        if text is not None:
            try:
                contacts = orjson.loads(text) if text[:1] in "[{" else _spoken(text)
            except orjson.JSONDecodeError:
                bad[index] = True
            bad[index] |= contacts is not None and not _are_contacts(contacts)
        result.append(None if contacts is None else orjson.dumps(contacts).decode())
    hint = 'Write [{"role": "…", "name": "…", "phone": "…"}] or: name phone; name phone.'
    fields.complain("contacts", bad, "at most five contacts with role, name and phone", hint)
    return pa.array(result, pa.string())


def _spoken(text: str) -> list[dict[str, str]]:
    contacts = []
    for part in re.split(words.words()["separators"]["contact"], text):
        name, _, phone = part.strip().rpartition(" ")
        if part.strip():
            contacts.append({"name": name or phone, "phone": phone if name else ""})
    return contacts


def _are_contacts(contacts: Any) -> bool:
    return (
        isinstance(contacts, list)
        and len(contacts) <= 5
        and all(
            isinstance(one, dict)
            and set(one) <= {"role", "name", "phone"}
            and all(isinstance(v, str) and len(v) <= 100 for v in one.values())
            for one in contacts
        )
    )


_FACTS: LiteralString = """category, area_no, building, name_masked, name_sealed, phone_sealed, id_number_sealed,
    contacts_sealed, key_id, every_days"""

_CARE = Kind(
    "care",
    ("code", "name", "phone", "id_number", "category", "area", "lon", "lat", "building", "contacts", "every_days",
     "last_visit_on", "next_visit_on", "started_on", "ended_on"),
    True,
    lambda read: {},
    "code text, name_masked text, name_sealed bytea, phone_sealed bytea, id_number_sealed bytea, contacts_sealed bytea,"
    " key_id smallint, category text, area_no bigint, lon double precision, lat double precision, building text,"
    " every_days smallint, last_visit_on date, next_visit_on date, started_on date, ended_on date, today date",
    "SELECT count(*) FROM incoming_row JOIN care_record USING (code)",
    (
        # A file older than the visits that were written down since does not take them back.
        f"""
        UPDATE care_record c SET
            category = i.category, area_no = i.area_no, building = i.building, geom = {POINT},
            name_masked = i.name_masked, name_sealed = i.name_sealed, phone_sealed = i.phone_sealed,
            id_number_sealed = i.id_number_sealed, contacts_sealed = i.contacts_sealed, key_id = i.key_id,
            every_days = i.every_days,
            last_visit_on = greatest(c.last_visit_on, i.last_visit_on),
            next_visit_on = CASE
                WHEN c.last_visit_on > coalesce(i.last_visit_on, '-infinity') THEN c.next_visit_on
                ELSE coalesce(i.next_visit_on, i.last_visit_on + i.every_days, c.next_visit_on) END,
            started_on = coalesce(i.started_on, c.started_on), ended_on = i.ended_on, generated = %(generated)s,
            updated_at = now()
        FROM incoming_row i WHERE i.code = c.code
        """,  # nosec B608 # joined from constants alone
        f"""
        INSERT INTO care_record (code, {_FACTS}, geom, last_visit_on, next_visit_on, started_on, ended_on,
                                 generated)
        SELECT code, {_FACTS}, {POINT}, last_visit_on,
               coalesce(next_visit_on, last_visit_on + every_days, started_on, today),
               coalesce(started_on, least(last_visit_on, today)), ended_on, %(generated)s
        FROM incoming_row i WHERE NOT EXISTS (SELECT FROM care_record c WHERE c.code = i.code) ORDER BY row_no
        """,  # nosec B608 # joined from constants alone
        """
        UPDATE care_visit v SET area_no = c.area_no
        FROM care_record c WHERE c.id = v.care_id AND c.area_no <> v.area_no
        """,
        """
        DELETE FROM care_grant g USING care_record c WHERE c.id = g.care_id AND c.area_no <> g.area_no
        """,
    ),
    "code",
)  # fmt: skip
