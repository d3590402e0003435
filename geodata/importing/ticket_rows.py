"""Tickets out of a file: its rows as columns with the ids of the place's own words, every fault with row and column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, LiteralString
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.datum import Datum, to_wgs84
from geodata.importing import words
from geodata.importing.fields import Choice, Fields
from geodata.importing.masking import masked
from geodata.importing.place import Place
from geodata.importing.report import Report
from geodata.importing.sheets import Sheet
from geodata.scope import Db

SUBJECT = "tickets"
FIELDS = (
    "source_id", "reported_at", "channel", "category", "department", "title", "description", "address", "lon", "lat",
    "status", "dispatched_at", "signed_at", "handled_at", "closed_at", "due_at", "satisfaction", "worker", "area",
)  # fmt: skip
NEED_MORE = (
    "suspended",
    "consulted",
    "merged",
)  # statuses that say more than a file can: until when, into which
TIMES = ("dispatched_at", "signed_at", "handled_at", "closed_at")
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
CLOCK_SLACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TicketOptions:
    """How to read the files."""

    columns: Mapping[str, str] = field(default_factory=dict)  # field → heading
    constants: Mapping[str, str] = field(default_factory=dict)  # field → one value for all rows
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field → value in the file → ours
    time_zone: str = "Asia/Shanghai"  # of times that name none
    datum: Datum = "wgs84"
    known: Literal["refuse", "skip"] = "refuse"  # tickets that are there already, by channel and source_id
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Ids by the words that files may use."""

    channel: Choice
    category: Choice
    department: Choice
    status: Choice
    satisfaction: Choice
    worker: Choice
    area: Choice


def vocabulary_of(conn: Db, place: Place) -> Vocabulary:
    """The words of the place, of files in general, and the codes of its workers and areas."""
    statuses = words.values("status")
    statuses |= {words.key(label.name): code for code, label in place.profile.statuses.items()}
    statuses |= {words.key(label.name_en): code for code, label in place.profile.statuses.items()}
    codes = [code for code in place.profile.statuses if code not in NEED_MORE]
    statuses = {word: code for word, code in statuses.items() if code not in NEED_MORE}
    return Vocabulary(
        channel=_table(conn, "SELECT code, id, name, name_en FROM channel ORDER BY id"),
        # a subclass before a class of the same name
        category=_table(
            conn, "SELECT code, id, name, name_en FROM category ORDER BY parent_id IS NOT NULL, id DESC"
        ),
        department=_table(conn, "SELECT code, id, name, name_en FROM department ORDER BY id"),
        status=Choice({code: code for code in codes}, statuses),
        satisfaction=Choice({}, words.values("satisfaction")),
        worker=_table(conn, "SELECT code, id, NULL, NULL FROM worker"),
        area=_table(conn, "SELECT code, no, NULL, NULL FROM area WHERE valid_to IS NULL"),
    )


def _table(conn: Db, query: LiteralString) -> Choice:
    rows = conn.execute(query).fetchall()
    codes = {code: number for code, number, _, _ in rows}
    names = {name: number for _, number, *both in rows for name in both if name}
    return Choice(codes, names, frozenset(len(code) for code in codes if code.isdigit()))


def parsed(
    sheet: Sheet, options: TicketOptions, zone: ZoneInfo, vocabulary: Vocabulary, report: Report
) -> pa.Table:
    """One file as columns of incoming_ticket; faults go to the report."""
    fields = Fields(sheet, report, FIELDS, options.columns, options.constants, options.values)
    if fields.ignored():
        report.notes.append(f"{sheet.file}: columns not used: {', '.join(fields.ignored())}.")
    reported = fields.time("reported_at", zone, required=True)
    channel = fields.choice(
        "channel", vocabulary.channel, "a channel of this place", required=True, hint="Or --set channel=CODE."
    )
    category = fields.choice(
        "category",
        vocabulary.category,
        "a category of this place",
        required=True,
        hint="Or map it in --map FILE.",
    )
    times = {name: fields.time(name, zone) for name in (*TIMES, "due_at")}
    status = _statuses(fields, vocabulary, times)
    description = masked(fields.text("description", longest=20_000))
    lon, lat = _points(fields, options.datum)
    _check_times(fields, reported, times, status)
    columns: dict[str, Any] = {
        "row_no": pa.array(sheet.rows),
        "source_id": fields.text("source_id", longest=200),
        "reported_at": reported,
        "channel_id": pa.array(channel, pa.int16()),
        "category_id": pa.array(category, pa.int16()),
        "department_id": pa.array(
            fields.choice("department", vocabulary.department, "a department of this place"), pa.int16()
        ),
        "title": _titles(fields, description),
        "description": description,
        "address": masked(fields.text("address", longest=1000)),
        "lon": pa.array(lon, from_pandas=True),
        "lat": pa.array(lat, from_pandas=True),
        "status": pa.array(status, pa.string()),
        **times,
        "satisfaction": pa.array(
            fields.choice(
                "satisfaction",
                vocabulary.satisfaction,
                "a degree of satisfaction",
                hint="Map it in --map FILE.",
            ),
            pa.string(),
        ),
        "worker_id": pa.array(
            fields.choice(
                "worker", vocabulary.worker, "the code of a worker", hint="Import the workers first."
            ),
            pa.int64(),
        ),
        "given_area_no": pa.array(
            fields.choice("area", vocabulary.area, "the code of an area of this place"), pa.int64()
        ),
    }
    return pa.table(columns)


def _statuses(fields: Fields, vocabulary: Vocabulary, times: dict[str, pa.Array]) -> list[str | None]:
    """The status as given; where none is, what the times say."""
    given = fields.choice("status", vocabulary.status, "a status", hint="Or map it in --map FILE.")
    derived = np.full(len(fields.sheet), "accepted", dtype=object)
    for name, status in (
        ("dispatched_at", "dispatched"),
        ("signed_at", "signed"),
        ("handled_at", "handled"),
        ("closed_at", "closed"),
    ):
        derived[np.asarray(times[name].is_valid())] = status
    return [own or other for own, other in zip(given, derived, strict=True)]


def _titles(fields: Fields, description: pa.Array) -> pa.Array:
    """A ticket without a title takes the beginning of its description, else the words of its category."""
    title = masked(fields.text("title", longest=500))
    category = fields._as_text(fields.raw("category"))
    start = pc.utf8_slice_codeunits(pc.replace_substring_regex(description, r"\s+", " "), 0, 40)
    return pc.coalesce(title, start, category, pa.scalar("-"))


def _points(fields: Fields, datum: Datum) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon, lat = fields.point()
    nothing = (lon == 0) & (lat == 0)  # how many systems write "unknown"
    lon, lat = np.where(nothing, np.nan, lon), np.where(nothing, np.nan, lat)
    beyond = (np.abs(lon) > 180) | (np.abs(lat) > 90)
    swapped = beyond & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
    swap_hint = "Longitude and latitude look swapped: --column lon=… --column lat=… the other way round."
    fields.complain("lat", swapped, "a latitude from -90 to 90", swap_hint)
    fields.complain(
        "lon", beyond & ~swapped, "longitude and latitude in degrees",
        "These look like projected metres or feet; convert them to degrees first, or drop both columns.",
    )  # fmt: skip
    lon, lat = np.where(beyond, np.nan, lon), np.where(beyond, np.nan, lat)
    return to_wgs84(lon, lat, datum)


def _check_times(
    fields: Fields, reported: pa.Array, times: dict[str, pa.Array], status: list[str | None]
) -> None:
    def number(column: pa.Array) -> NDArray[np.float64]:
        return np.array(
            column.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False),
            dtype=np.float64,
        )

    start = number(reported)
    latest = (datetime.now(UTC) + CLOCK_SLACK).timestamp() * 1e6
    with np.errstate(invalid="ignore"):
        fields.complain(
            "reported_at",
            start > latest,
            "a time in the past",
            "It lies in the future: is --time-zone right?",
        )
        fields.complain(
            "reported_at",
            start < OLDEST.timestamp() * 1e6,
            "a time since 1990",
            "Is this column the right one?",
        )
        for name in TIMES:
            at = number(times[name])
            fields.complain(
                name, at > latest, "a time in the past", "It lies in the future: is --time-zone right?"
            )
            fields.complain(
                name,
                at < start,
                "a time not before the report",
                "It lies before reported_at: are the columns mixed up?",
            )
        due = number(times["due_at"])
        fields.complain("due_at", due < start, "a time not before the report", "It lies before reported_at.")
    ended = np.isin(np.array(status, dtype=object), ["closed", "archived", "rejected", "cancelled"])
    closed = np.asarray(times["closed_at"].is_valid())
    fields.complain(
        "closed_at",
        ended & ~closed,
        "the time at which it was closed",
        "The status says closed, but the time is empty.",
    )
    fields.complain(
        "status",
        closed & ~ended,
        "closed, archived, rejected or cancelled",
        "closed_at is given, but the status is another.",
    )
