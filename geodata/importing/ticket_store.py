"""Incoming tickets in the database: left out when known, placed in their areas, written month by month."""

from typing import Literal

from psycopg import sql

from geodata.importing.months import add_month, without_indexes_while_empty
from geodata.importing.place import Place
from geodata.importing.placing import place_points
from geodata.importing.report import Progress, Report
from geodata.scope import Db

INCOMING = """
    CREATE TEMP TABLE incoming_ticket (
        id bigint DEFAULT nextval('ticket_id'), row_no bigint, source_id text, reported_at timestamptz,
        channel_id smallint, category_id smallint, department_id smallint, title text, description text, address text,
        lon double precision, lat double precision, status ticket_status,
        dispatched_at timestamptz, signed_at timestamptz, handled_at timestamptz, closed_at timestamptz,
        due_at timestamptz, satisfaction satisfaction, worker_id bigint, given_area_no bigint, shared boolean
    ) ON COMMIT DROP
"""


def leave_out_known(conn: Db, known_are: Literal["refuse", "skip"], report: Report) -> None:
    """Tickets that are in the database already: refused, or left as they are."""
    conn.execute("ANALYZE incoming_ticket (channel_id, source_id)")
    if known_are == "skip":
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


def place(conn: Db, here: Place, root_no: int) -> None:
    """Fill incoming_area: the area of each ticket, and how well its place is known."""
    conn.execute("CREATE TEMP TABLE incoming_found (id bigint, area_no bigint) ON COMMIT DROP")
    conn.execute(
        """
        CREATE TEMP TABLE incoming_point ON COMMIT DROP AS
        SELECT id, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom, (reported_at AT TIME ZONE %s)::date AS day
        FROM incoming_ticket WHERE lon IS NOT NULL AND NOT shared
        """,
        (here.zone.key,),
    )
    place_points(conn, "incoming_point", "incoming_found", list(reversed(here.levels())))
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


def store(conn: Db, generated: bool, progress: Progress) -> None:
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
        values = {"generated": generated, "lowest": lowest, "highest": highest}
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


def forget(conn: Db) -> None:
    """Drop the temporary tables, so that a second import may follow in the same transaction."""
    for (name,) in conn.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
        " AND relname LIKE 'incoming%'"
    ).fetchall():
        conn.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
