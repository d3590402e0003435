"""Import of tickets: read, checked and placed as whole columns, written in one go or refused as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, LiteralString
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from psycopg import sql

from geodata import jobs
from geodata.datum import Datum, to_wgs84
from geodata.importing import words
from geodata.importing.bulk import copy_table
from geodata.importing.deadlines import with_deadlines
from geodata.importing.fields import Choice, Fields
from geodata.importing.masking import masked
from geodata.importing.months import add_month, without_indexes_while_empty
from geodata.importing.place import Place, ask_reload, read_place, required_root
from geodata.importing.placing import place_points
from geodata.importing.report import Progress, Report, refusal, silent
from geodata.importing.sheets import Sheet, read_sheet
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
SHARED_AT_LEAST = 50
SHARED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class TicketOptions:
    """How to read the files."""

    columns: Mapping[str, str] = field(default_factory=dict)  # field → heading
    constants: Mapping[str, str] = field(default_factory=dict)  # field → one value for all rows
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field → value in the file → ours
    time_zone: str = "Asia/Shanghai"  # of times that name none
    datum: Datum = "wgs84"
    known: Literal["refuse", "skip"] = (
        "refuse"  # tickets whose channel and source_id are in the database already
    )
    generated: bool = False


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Ids by the words that files may use."""

    channel: Choice
    category: Choice
    department: Choice
    status: Choice
    satisfaction: Choice
    worker: Choice
    area: Choice


def import_tickets(
    conn: Db, paths: Sequence[Path] | Path, options: TicketOptions | None = None, progress: Progress = silent
) -> Report:
    """Add all tickets of the files, in the caller's transaction, each with an event and the area of its point.

    Points are longitude and latitude in degrees of the named datum; they are stored as EPSG:4326. A ticket outside of
    all grids, without a point, or on a point that very many share is kept with the smallest area known and counted.
    Raises ImportRefused, with row and column, when anything in any file is wrong; then nothing was written.
    """
    options = options or TicketOptions()
    files = [paths] if isinstance(paths, Path) else list(paths)
    report = Report(SUBJECT, [path.name for path in files])
    place = read_place(conn, SUBJECT, files[0].name if files else "")
    root_no = required_root(place, SUBJECT, files[0].name if files else "")
    zone = _zone(options.time_zone, report.files[0] if files else "")
    vocabulary = _vocabulary(conn, place)
    parts = []
    for number, path in enumerate(files):
        progress("read", number, len(files))
        parts.append(_parse(read_sheet(path, SUBJECT), options, zone, vocabulary, report))
    progress("read", len(files), len(files))
    rows = pa.concat_tables(parts)
    report.counts["read"] = rows.num_rows
    if not rows.num_rows and not report.fault_total:
        raise refusal(
            SUBJECT, ", ".join(report.files), "at least one ticket", "The file has a heading but no rows."
        )
    _check_swapped(conn, rows, report)
    _check_repeated(rows, report)
    report.refuse_if_faulty()

    rows = with_deadlines(conn, place, rows, report)
    rows = _shared_points(rows, report).sort_by(
        "reported_at"
    )  # ids follow time, so that a month is a range of ids
    conn.execute(_INCOMING)
    copy_table(conn, "incoming_ticket", rows, lambda done: progress("write", done, rows.num_rows))
    _known(conn, options, report)
    progress("place", 0, 1)
    _place(conn, place, root_no)
    progress("place", 1, 1)
    _store(conn, options, progress)
    _counts(conn, report)
    _remark(report)
    _forget(conn)
    ask_reload(conn, "reload", root_no, {"tickets": report.counts["added"]})
    jobs.plan(conn, "work", jobs.SWEEP, jobs.SWEEP, {}, None)  # the open ones get a job for their next moment
    return report


def _zone(name: str, file: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refusal(
            SUBJECT, file, "a time zone such as Asia/Shanghai", "Correct --time-zone.", name
        ) from None


def _vocabulary(conn: Db, place: Place) -> _Vocabulary:
    statuses = words.values("status")
    statuses |= {words.key(label.name): code for code, label in place.profile.statuses.items()}
    statuses |= {words.key(label.name_en): code for code, label in place.profile.statuses.items()}
    codes = [code for code in place.profile.statuses if code not in NEED_MORE]
    statuses = {word: code for word, code in statuses.items() if code not in NEED_MORE}
    return _Vocabulary(
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


def _parse(
    sheet: Sheet, options: TicketOptions, zone: ZoneInfo, vocabulary: _Vocabulary, report: Report
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


def _statuses(fields: Fields, vocabulary: _Vocabulary, times: dict[str, pa.Array]) -> list[str | None]:
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


def _check_swapped(conn: Db, rows: pa.Table, report: Report) -> None:
    """Complain once when the points make sense here only with longitude and latitude changed over."""
    box = conn.execute(
        "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"
        " FROM (SELECT ST_Extent(geom) AS e FROM area_now WHERE parent_no IS NULL) AS x"
    ).fetchone()
    if box is None or box[0] is None:
        return
    lon, lat = (rows[name].drop_null().to_numpy() for name in ("lon", "lat"))
    if not len(lon):
        return
    west, south, east, north = box[0] - 0.1, box[1] - 0.1, box[2] + 0.1, box[3] + 0.1
    here = np.mean((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    there = np.mean((lat >= west) & (lat <= east) & (lon >= south) & (lon <= north))
    if there > 0.5 and there > here:
        report.fault(
            None, "lon", f"{lon[0]:.4f}, {lat[0]:.4f}", "longitude in lon, latitude in lat",
            "They are swapped: give --column lon=… and --column lat=… the other way round.", ", ".join(report.files),
        )  # fmt: skip


def _check_repeated(rows: pa.Table, report: Report) -> None:
    """A channel's source ids must be unique within the files."""
    given = rows.select(["channel_id", "source_id", "row_no"]).filter(pc.is_valid(rows["source_id"]))
    if not given.num_rows:
        return
    counted = given.group_by(["channel_id", "source_id"]).aggregate([("row_no", "count"), ("row_no", "min")])
    repeated = counted.filter(pc.greater(counted["row_no_count"], 1))
    total = sum(repeated["row_no_count"].to_pylist()) - repeated.num_rows
    if total:
        twice = repeated["source_id"].slice(0, 20)
        where = given.filter(pc.is_in(given["source_id"], twice))
        firsts = set(repeated["row_no_min"].to_pylist())
        pairs = zip(where["row_no"].to_pylist(), where["source_id"].to_pylist(), strict=True)
        cases = [(row, source) for row, source in pairs if row not in firsts][:20]
        hint = "Remove the repeated rows; if each row is one step of a ticket, export one row a ticket."
        report.faults_of(
            cases, total, "source_id", "each source_id once a channel", hint, ", ".join(report.files)
        )


_INCOMING = """
    CREATE TEMP TABLE incoming_ticket (
        id bigint DEFAULT nextval('ticket_id'), row_no bigint, source_id text, reported_at timestamptz,
        channel_id smallint, category_id smallint, department_id smallint, title text, description text, address text,
        lon double precision, lat double precision, status ticket_status,
        dispatched_at timestamptz, signed_at timestamptz, handled_at timestamptz, closed_at timestamptz,
        due_at timestamptz, satisfaction satisfaction, worker_id bigint, given_area_no bigint, shared boolean
    ) ON COMMIT DROP
"""


def _known(conn: Db, options: TicketOptions, report: Report) -> None:
    """Tickets that are in the database already: refused, or left as they are."""
    conn.execute("ANALYZE incoming_ticket (channel_id, source_id)")
    if options.known == "skip":
        skipped = conn.execute(
            """
            DELETE FROM incoming_ticket i USING ticket t
            WHERE i.source_id IS NOT NULL AND t.channel_id = i.channel_id AND t.source_id = i.source_id
            """
        ).rowcount
        report.counts["skipped"] = skipped
        return
    known = conn.execute(
        """
        SELECT i.row_no, i.source_id FROM incoming_ticket i
        WHERE i.source_id IS NOT NULL
          AND EXISTS (SELECT FROM ticket t WHERE t.channel_id = i.channel_id AND t.source_id = i.source_id)
        ORDER BY i.row_no
        """
    ).fetchall()
    if known:
        hint = "Use --known skip to leave those as they are and add the rest."
        report.faults_of(
            known, len(known), "source_id", "a ticket that is not here yet", hint, ", ".join(report.files)
        )
    report.refuse_if_faulty()


def _shared_points(rows: pa.Table, report: Report) -> pa.Table:
    """Mark the points that so many tickets share that they are no place of their own (a default, the city hall)."""
    least = max(SHARED_AT_LEAST, int(np.ceil(rows.num_rows * SHARED_SHARE)))
    lon, lat = (np.array(rows[name].to_numpy(), dtype=np.float64) for name in ("lon", "lat"))
    points, first, which, tickets = np.unique(
        np.where(np.isnan(lon), np.nan, lon + 1j * lat),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    shared = (tickets >= least) & ~np.isnan(points)
    for index in sorted(np.flatnonzero(shared), key=lambda index: -tickets[index])[:10]:
        place = f"{lon[first[index]]:.6f}, {lat[first[index]]:.6f}"
        report.notes.append(
            f"{tickets[index]} tickets share the point {place}: kept, as shared_point, not counted to its grid."
        )
    return rows.append_column("shared", pa.array(shared[which]))


def _place(conn: Db, place: Place, root_no: int) -> None:
    """Fill incoming_area: the area of each ticket, and how well its place is known."""
    conn.execute("CREATE TEMP TABLE incoming_found (id bigint, area_no bigint) ON COMMIT DROP")
    conn.execute(
        """
        CREATE TEMP TABLE incoming_point ON COMMIT DROP AS
        SELECT id, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom, (reported_at AT TIME ZONE %s)::date AS day
        FROM incoming_ticket WHERE lon IS NOT NULL AND NOT shared
        """,
        (place.zone.key,),
    )
    place_points(conn, "incoming_point", "incoming_found", list(reversed(place.levels())))
    # The point decides; where it is none of its own, the area that the file names; else the whole place.
    conn.execute(
        """
        CREATE TEMP TABLE incoming_area ON COMMIT DROP AS
        SELECT i.id, coalesce(f.area_no, i.given_area_no, %s) AS area_no,
               CASE WHEN i.lon IS NULL THEN 'none' WHEN i.shared THEN 'shared_point'
                    WHEN f.area_no %% 1000 <> 0 THEN 'exact' ELSE 'outside' END::location_quality AS location
        FROM incoming_ticket i LEFT JOIN incoming_found f USING (id)
        """,
        (root_no,),
    )
    for table in ("incoming_area", "incoming_ticket"):
        conn.execute(sql.SQL("CREATE INDEX ON {} USING brin (id)").format(sql.Identifier(table)))
        conn.execute(sql.SQL("ANALYZE {} (id)").format(sql.Identifier(table)))


_COLUMNS = """
    id, reported_at, source_id, channel_id, category_id, department_id, title, description, address, geom, location,
    area_no, status, dispatched_at, signed_at, handled_at, closed_at, due_at, satisfaction, worker_id, generated
"""
_ROWS = """
    SELECT i.id, i.reported_at, i.source_id, i.channel_id, i.category_id, i.department_id, i.title, i.description,
           i.address, ST_SetSRID(ST_MakePoint(i.lon, i.lat), 4326), n.location, n.area_no, i.status, i.dispatched_at,
           i.signed_at, i.handled_at, i.closed_at, i.due_at, i.satisfaction, i.worker_id, {generated}
    FROM incoming_ticket i JOIN incoming_area n USING (id)
    WHERE i.id BETWEEN {lowest} AND {highest} AND n.id BETWEEN {lowest} AND {highest}
"""


def _store(conn: Db, options: TicketOptions, progress: Progress) -> None:
    """Write the tickets month by month, and their events. A new month is filled before it gets its indexes."""
    months = conn.execute(
        """
        SELECT month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC',
               'ticket_' || to_char(month, 'YYYYMM'), to_regclass('ticket_' || to_char(month, 'YYYYMM')) IS NULL,
               lowest, highest
        FROM (
            SELECT date_trunc('month', reported_at AT TIME ZONE 'UTC') AS month, min(id) AS lowest, max(id) AS highest
            FROM incoming_ticket GROUP BY 1
        ) AS months
        ORDER BY 1
        """
    ).fetchall()
    for done, (first, following, partition, new, lowest, highest) in enumerate(months):
        progress("store", done, len(months))
        values = {"generated": options.generated, "lowest": lowest, "highest": highest}
        rows = sql.SQL(_ROWS).format(**{name: sql.Literal(value) for name, value in values.items()})
        target = sql.Identifier(partition if new else "ticket")
        insert = sql.SQL("INSERT INTO {} ({}) ").format(target, sql.SQL(_COLUMNS)) + rows
        if new:
            add_month(conn, partition, first, following, insert)
        else:
            conn.execute(insert)
    with without_indexes_while_empty(conn, "ticket_event"):
        conn.execute(
            """
            INSERT INTO ticket_event (ticket_id, at, kind, status, version, actor, source, area_no)
            SELECT i.id, now(), 'imported', i.status, 1, 'import', 'import', n.area_no
            FROM incoming_ticket i JOIN incoming_area n USING (id)
            """
        )
    progress("store", len(months), len(months))


def _counts(conn: Db, report: Report) -> None:
    for quality, number in conn.execute("SELECT location, count(*) FROM incoming_area GROUP BY 1 ORDER BY 1"):
        report.counts[quality] = number
    report.counts["added"] = sum(
        report.counts.get(name, 0) for name in ("exact", "shared_point", "outside", "none")
    )


def _remark(report: Report) -> None:
    sentences = {
        "outside": "tickets lie outside of all grids: kept, with the smallest area that holds them, or the whole place",
        "none": "tickets have no point: kept, with the area named in the file, or the whole place",
    }
    for quality, sentence in sentences.items():
        if report.counts.get(quality):
            report.notes.append(f"{report.counts[quality]} {sentence}.")


def _forget(conn: Db) -> None:
    """Drop the temporary tables, so that a second import may follow in the same transaction."""
    for (name,) in conn.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
        " AND relname LIKE 'incoming%'"
    ).fetchall():
        conn.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
