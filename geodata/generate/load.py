"""Loads a generated place through the same import as anybody's data, and brings its history up to the present."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from geodata.generate import desks, files, mediation, rounds, tickets
from geodata.generate.files import Files, Progress
from geodata.generate.matters import days_between
from geodata.generate.patrols import patrols
from geodata.generate.recipe import recipe_of
from geodata.generate.roster import ROSTER_DAYS
from geodata.importing import people
from geodata.importing.areas import AreaOptions, import_areas
from geodata.importing.bulk import copy_table
from geodata.importing.care import Sealer, import_care
from geodata.importing.roster import import_roster
from geodata.importing.tickets import TicketOptions, import_tickets
from geodata.outbox import add_event
from geodata.scope import Db
from geodata.vocabulary import sync_place, sync_vocabulary
from profiles import Profile

MONTHS_AHEAD = 62  # days for which partitions are made ready
_ORDER = ("accepted", "dispatched", "signed", "in_progress", "handled", "closed", "cancelled")
_IMPORTS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("org", people.import_org),
    ("workers", people.import_workers),
    ("posts", people.import_posts),
    ("roster", import_roster),
    ("stations", people.import_stations),
    ("patrols", people.import_patrols),
)


class Added(NamedTuple):
    """What bringing a place up to date did."""

    tickets: int
    advanced: int
    patrols: int


def load_place(
    conn: Db,
    profile: Profile,
    generated: Files,
    seed: int,
    until: datetime,
    progress: Progress,
    sealer: Sealer,
) -> None:
    """Load everything into an empty, migrated database, in the caller's transaction; `progress` as in files.

    The sealer seals care records, as it does those of anybody's file.

    The place row, with the moment that the history reaches, comes with it: no row, no place.
    """
    sync_place(conn, profile, generated=True, seed=seed)
    sync_vocabulary(conn, profile)
    for number, (level, path) in enumerate(generated.areas.items()):
        import_areas(conn, path, AreaOptions(level, generated=True))
        progress("areas", (number + 1) / len(generated.areas))
    for number, (name, load) in enumerate(_IMPORTS):
        load(conn, getattr(generated, name), generated=True)
        progress("people", (number + 1) / (len(_IMPORTS) + 1))
    import_care(conn, generated.care, sealer=sealer, generated=True)
    progress("people", 1.0)
    import_tickets(
        conn,
        generated.tickets,
        TicketOptions(generated=True, time_zone=profile.time_zone),
        lambda step, done, total: progress(f"tickets:{step}", done / max(total, 1)),
    )
    _make_room(conn, until)
    desks.fill(conn, profile, seed, until)
    rounds.fill(conn, profile, seed, until)
    mediation.fill(conn, profile, seed, None, until, sealer)
    _reached(conn, until)


def _make_room(conn: Db, until: datetime) -> None:
    day = until.date()
    conn.execute("SELECT ensure_months('ticket', %s, %s)", (day, day + timedelta(days=MONTHS_AHEAD)))
    conn.execute("SELECT ensure_position_days(%s, %s)", (day - timedelta(days=1), day + timedelta(days=2)))


def _reached(conn: Db, until: datetime) -> None:
    conn.execute("UPDATE place SET generated_until = %s", (until,))


def top_up(
    conn: Db,
    profile: Profile,
    folder: Path,
    seed: int,
    since: datetime,
    until: datetime,
    progress: Progress,
    sealer: Sealer,
) -> Added:
    """Make what happened between two moments: new tickets, progress of open ones, patrols, visits.

    `folder` holds the generated ground (files.generate_place). Runs in the caller's transaction.
    """
    ground = files.read_ground(profile, folder)
    model = files.model_from(profile, ground, seed)
    zone = ZoneInfo(profile.time_zone)
    first, last = (at.astimezone(zone).date() for at in (since, until))
    _make_room(conn, until)
    progress("tickets", 0.0)
    fresh = pa.concat_tables(tickets.as_of(model, days_between(first, last), until, since))
    advanced = _advance(conn, model, until)
    if fresh.num_rows:
        path = folder / "tickets-since.parquet"
        pq.write_table(fresh, path)
        import_tickets(conn, [path], TicketOptions(generated=True, known="skip", time_zone=profile.time_zone))
        path.unlink()
        _mark_default_point(conn, profile, since)
    progress("tickets", 1.0)
    days = days_between(max(first, last - timedelta(days=files.PATROL_DAYS - 1)), last)
    added = _patrol(
        conn, pa.Table.from_pandas(patrols(ground.workers, seed, days, until, zone), preserve_index=False)
    )
    _care(conn, profile, ground, folder, seed, last, sealer)
    _visit(conn, last)
    _roster(conn, profile, ground, folder, seed, last)
    desks.fill(conn, profile, seed, until)
    rounds.fill(conn, profile, seed, until)
    mediation.fill(conn, profile, seed, since, until, sealer)
    _reached(conn, until)
    progress("patrols", 1.0)
    root = conn.execute("SELECT no FROM area WHERE parent_no IS NULL").fetchone()
    if root:
        add_event(conn, "reload", root[0], {"tickets": fresh.num_rows, "advanced": advanced})
    return Added(fresh.num_rows, advanced, added)


def _mark_default_point(conn: Db, profile: Profile, since: datetime) -> None:
    """A few tickets are too few for the import to see that they share the default point."""
    lon, lat = recipe_of(profile).city_hall
    conn.execute(
        """
        UPDATE ticket SET location = 'shared_point', area_no = (SELECT no FROM area WHERE parent_no IS NULL)
        WHERE reported_at > %s AND generated AND location = 'exact'
          AND geom && ST_SetSRID(ST_MakePoint(%s, %s), 4326) AND ST_X(geom) = %s AND ST_Y(geom) = %s
        """,
        (since, lon, lat, lon, lat),
    )


def _advance(conn: Db, model: tickets.TicketModel, until: datetime) -> int:
    """Move open generated tickets on to where they are by now; never backwards, and never one of somebody else's."""
    days: list[date] = [
        row[0]
        for row in conn.execute(
            """
            SELECT DISTINCT (reported_at AT TIME ZONE %s)::date FROM ticket
            WHERE closed_at IS NULL AND generated AND source_id IS NOT NULL ORDER BY 1
            """,
            (model.profile.time_zone,),
        ).fetchall()
    ]
    if not days:
        return 0
    lives = pa.concat_tables(tickets.as_of(model, days, until))
    columns = ["source_id", "channel", "reported_at", "status", "dispatched_at", "signed_at", "handled_at",
               "closed_at", "due_at", "satisfaction", "worker"]  # fmt: skip
    conn.execute(
        """
        CREATE TEMP TABLE life (
            source_id text, channel text, reported_at timestamptz, status ticket_status, dispatched_at timestamptz,
            signed_at timestamptz, handled_at timestamptz, closed_at timestamptz, due_at timestamptz,
            satisfaction satisfaction, worker text
        ) ON COMMIT DROP
        """
    )
    copy_table(conn, "life", lives.select(columns))
    done = conn.execute(
        """
        WITH ahead AS (
            SELECT t.id, t.reported_at AS at, l.* FROM life l
            JOIN channel c ON c.code = l.channel
            JOIN ticket t ON t.channel_id = c.id AND t.source_id = l.source_id AND t.reported_at = l.reported_at
            WHERE t.closed_at IS NULL AND t.generated
              AND array_position(%(order)s::text[], l.status::text) > array_position(%(order)s::text[], t.status::text)
        ), moved AS (
            UPDATE ticket t SET
                status = a.status, version = t.version + 1,
                dispatched_at = coalesce(t.dispatched_at, a.dispatched_at),
                signed_at = coalesce(t.signed_at, a.signed_at), handled_at = coalesce(t.handled_at, a.handled_at),
                closed_at = a.closed_at, due_at = coalesce(t.due_at, a.due_at),
                satisfaction = coalesce(t.satisfaction, a.satisfaction),
                worker_id = coalesce(t.worker_id, (SELECT w.id FROM worker w WHERE w.code = a.worker))
            FROM ahead a WHERE t.id = a.id AND t.reported_at = a.at
            RETURNING t.id, t.status, t.version, t.area_no,
                      coalesce(t.closed_at, t.handled_at, t.signed_at, t.dispatched_at) AS at
        )
        INSERT INTO ticket_event (ticket_id, at, kind, status, version, actor, source, area_no)
        SELECT id, coalesce(at, %(until)s), 'imported', status, version, 'generator', 'import', area_no FROM moved
        """,
        {"order": list(_ORDER), "until": until},
    ).rowcount
    conn.execute("DROP TABLE life")
    return done


def _patrol(conn: Db, rows: pa.Table) -> int:
    """Patrols of days that may be there in part."""
    conn.execute(
        """
        CREATE TEMP TABLE walked (
            area text, day date, worker text, first_at timestamptz, last_at timestamptz
        ) ON COMMIT DROP
        """
    )
    times = {name: pa.timestamp("us", "UTC") for name in ("first_at", "last_at")}
    kept = pa.schema([field.with_type(times.get(field.name, field.type)) for field in rows.schema])
    copy_table(conn, "walked", rows.cast(kept).replace_schema_metadata(None))
    return conn.execute(
        """
        INSERT INTO patrol (area_no, day, worker_id, first_at, last_at)
        SELECT a.no, p.day, w.id, p.first_at, p.last_at FROM walked p
        JOIN area a ON a.code = p.area AND a.level = 'grid' JOIN worker w ON w.code = p.worker
        ON CONFLICT (area_no, day, worker_id) DO UPDATE SET
            first_at = least(patrol.first_at, excluded.first_at), last_at = greatest(patrol.last_at, excluded.last_at)
        WHERE excluded.last_at > patrol.last_at OR excluded.first_at < patrol.first_at
        """
    ).rowcount


def _care(
    conn: Db,
    profile: Profile,
    ground: files.GroundFiles,
    folder: Path,
    seed: int,
    today: date,
    sealer: Sealer,
) -> None:
    """Care records of a place that was generated before they were sealed: migration 0008 took the old ones away."""
    if conn.execute("SELECT FROM care_record LIMIT 1").fetchone() is None:
        files.write_care(profile, ground, folder, seed, today)
        import_care(conn, folder / "care.csv", sealer=sealer, generated=True)


def _visit(conn: Db, today: date) -> None:
    """Most visits that fell due were made; one in thirty was not."""
    conn.execute(
        """
        WITH made AS (
            UPDATE care_record SET last_visit_on = next_visit_on, next_visit_on = next_visit_on + every_days
            WHERE ended_on IS NULL AND generated AND next_visit_on < %s AND id %% 30 <> 0
            RETURNING id, area_no, last_visit_on
        )
        INSERT INTO care_visit (care_id, area_no, visited_on, outcome, visited_by)
        SELECT id, area_no, last_visit_on, 'ok', 'generator' FROM made
        """,
        (today,),
    )


def _roster(
    conn: Db, profile: Profile, ground: files.GroundFiles, folder: Path, seed: int, today: date
) -> None:
    """The coming days that the roster lacks; a duty that somebody entered for one of them stays as it is."""
    row = conn.execute("SELECT max(on_date) + 1 FROM roster WHERE generated").fetchone()
    earliest, last = (today + timedelta(days=days) for days in (-ROSTER_DAYS, ROSTER_DAYS))
    first = max((row and row[0]) or earliest, earliest)
    taken = {
        (code, role, on_date.isoformat())
        for code, role, on_date in conn.execute(
            "SELECT DISTINCT a.code, r.role, r.on_date FROM roster r JOIN area a ON a.no = r.area_no"
            " WHERE r.on_date >= %s",
            (first,),
        )
    }
    fresh = files.turns(profile, ground, folder, seed, days_between(first, last))
    duties = zip(fresh["area"], fresh["role"], fresh["on_date"], strict=True)
    fresh = fresh[[duty not in taken for duty in duties]]
    if len(fresh):
        path = folder / "roster-since.csv"
        fresh.to_csv(path, index=False)
        import_roster(conn, path, generated=True)
        path.unlink()


def now() -> datetime:
    """This moment, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
