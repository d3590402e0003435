"""The log of a shift: commands of tickets, acknowledged alarms, notes and signatures, in the order of time."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from geodata.scope import Db


class Line(NamedTuple):
    """A line of the log: a command of a ticket, an alarm acknowledged, a note, a handover."""

    at: datetime
    what: str  # of which kind: command, alarm, note, handover
    code: str  # which command, kind of alarm …
    ticket_id: int | None
    reported_at: datetime | None
    category: str | None
    area: str | None
    town: str | None
    status: str | None
    worker: str | None
    department: str | None
    actor: str
    note: str | None


def log(conn: Db, since: datetime, until: datetime, actors: Sequence[str] | None, limit: int) -> list[Line]:
    """What was done in [since, until), in order: by these accounts, or by all people and systems (None)."""
    rows = conn.execute(
        """
        WITH line AS (
            SELECT e.at, 'command' AS what, e.kind AS code, e.ticket_id, e.status::text AS status,
                   e.after->>'worker' AS worker, e.after->>'department' AS department, e.actor, e.note
            FROM ticket_event e
            WHERE e.at >= %(since)s AND e.at < %(until)s AND e.kind NOT IN ('imported', 'tick')
              AND (%(actors)s::text[] IS NULL OR e.actor = ANY(%(actors)s))
            UNION ALL
            SELECT acknowledged_at, 'alarm', kind, ticket_id, NULL, NULL, NULL, acknowledged_by, note FROM alarm
            WHERE acknowledged_at >= %(since)s AND acknowledged_at < %(until)s AND how = 'acknowledged'
              AND (%(actors)s::text[] IS NULL OR acknowledged_by = ANY(%(actors)s))
            UNION ALL
            SELECT at, 'note', kind, ticket_id, NULL, NULL, NULL, actor, words FROM handover_note
            WHERE at >= %(since)s AND at < %(until)s AND (%(actors)s::text[] IS NULL OR actor = ANY(%(actors)s))
            UNION ALL
            SELECT until, 'handover', 'given', NULL, NULL, NULL, NULL, given_by, words FROM handover
            WHERE until >= %(since)s AND until < %(until)s AND state <> 'withdrawn'
              AND (%(actors)s::text[] IS NULL OR given_by = ANY(%(actors)s))
            UNION ALL
            SELECT taken_at, 'handover', 'taken', NULL, NULL, NULL, NULL, taken_by, taken_words FROM handover
            WHERE taken_at >= %(since)s AND taken_at < %(until)s
              AND (%(actors)s::text[] IS NULL OR taken_by = ANY(%(actors)s))
            ORDER BY 1 LIMIT %(limit)s
        )
        SELECT l.at, l.what, l.code, l.ticket_id, t.reported_at, k.code, a.name, town.name, l.status, l.worker,
               l.department, l.actor, l.note
        FROM line l
        LEFT JOIN LATERAL (
            SELECT * FROM ticket WHERE ticket.id = l.ticket_id LIMIT 1
        ) t ON true
        LEFT JOIN category k ON k.id = t.category_id
        LEFT JOIN area a ON a.no = t.area_no
        LEFT JOIN area town ON town.level = 'town' AND town.no = t.area_no - t.area_no %% 1000000
        ORDER BY l.at
        """,
        {"since": since, "until": until, "actors": None if actors is None else list(actors), "limit": limit},
    ).fetchall()
    return [Line._make(row) for row in rows]
