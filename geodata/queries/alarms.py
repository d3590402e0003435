"""Alarms: raising one, acknowledging it, letting it go up, and reading what is open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class NewAlarm(NamedTuple):
    """What is to be heard."""

    area_no: int
    kind: str
    severity: str | None
    ticket_id: int | None
    incident_id: int | None
    data: dict[str, Any]
    key: str
    raised_at: datetime
    escalates_at: datetime | None


class Alarm(NamedTuple):
    """An alarm as it stands, with what is shown of its ticket; words only where they were asked for."""

    id: int
    area_no: int
    kind: str
    severity: str | None
    ticket_id: int | None
    incident_id: int | None
    data: dict[str, Any]
    raised_at: datetime
    level: int
    escalates_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_name: str | None
    how: str | None
    note: str | None
    area: str | None
    town: str | None
    reported_at: datetime | None
    ticket_version: int | None
    status: str | None
    category: str | None
    due_at: datetime | None
    title: str | None
    lon: float | None
    lat: float | None
    incident: str | None  # its title


class Held(NamedTuple):
    """An open alarm that nobody else can change until the transaction ends."""

    area_no: int
    kind: str
    severity: str | None
    level: int
    escalates_at: datetime | None


def add(conn: Db, alarm: NewAlarm) -> int | None:
    """Insert it and return its id; None while one of its key is open."""
    row = conn.execute(
        """
        INSERT INTO alarm (area_no, kind, severity, ticket_id, incident_id, data, key, raised_at, escalates_at)
        VALUES (%(area_no)s, %(kind)s, %(severity)s, %(ticket_id)s, %(incident_id)s, %(data)s, %(key)s, %(raised_at)s,
                %(escalates_at)s)
        ON CONFLICT (key) WHERE acknowledged_at IS NULL DO NOTHING
        RETURNING id
        """,
        alarm._asdict() | {"data": Jsonb(alarm.data)},
    ).fetchone()
    return None if row is None else int(row[0])


def settle(
    conn: Db, ticket_id: int, kinds: Sequence[str], who: str, how: str, at: datetime
) -> list[tuple[int, int]]:
    """Acknowledge the open alarms of a ticket that are of these kinds, by what was done; their ids and areas."""
    return conn.execute(
        """
        UPDATE alarm SET acknowledged_at = greatest(%(at)s, raised_at), acknowledged_by = %(who)s, how = %(how)s,
                         acknowledged_name = coalesce(account_name(%(who)s), %(who)s), escalates_at = NULL
        WHERE ticket_id = %(ticket)s AND kind = ANY(%(kinds)s) AND acknowledged_at IS NULL
        RETURNING id, area_no
        """,
        {"ticket": ticket_id, "kinds": list(kinds), "who": who, "how": how, "at": at},
    ).fetchall()


def acknowledge(conn: Db, alarm_id: int, who: str, note: str | None, at: datetime) -> int | None:
    """Acknowledge one; its area. None when it is not there, or was acknowledged before."""
    row = conn.execute(
        """
        UPDATE alarm SET acknowledged_at = greatest(%(at)s, raised_at), acknowledged_by = %(who)s, note = %(note)s,
                         acknowledged_name = coalesce(account_name(%(who)s), %(who)s), how = 'acknowledged',
                         escalates_at = NULL
        WHERE id = %(id)s AND acknowledged_at IS NULL
        RETURNING area_no
        """,
        {"id": alarm_id, "who": who, "note": note, "at": at},
    ).fetchone()
    return None if row is None else int(row[0])


def hold(conn: Db, alarm_id: int) -> Held | None:
    """The alarm if it is still open."""
    with conn.cursor(row_factory=class_row(Held)) as cursor:
        return cursor.execute(
            "SELECT area_no, kind, severity, level, escalates_at FROM alarm"
            " WHERE id = %s AND acknowledged_at IS NULL FOR UPDATE",
            (alarm_id,),
        ).fetchone()


def raise_level(conn: Db, alarm_id: int, level: int, escalates_at: datetime | None) -> None:
    """Let it go up, and say when it does so again."""
    conn.execute(
        "UPDATE alarm SET level = %s, escalates_at = %s WHERE id = %s", (level, escalates_at, alarm_id)
    )


_READ = """
    SELECT l.id, l.area_no, l.kind, l.severity, l.ticket_id, l.incident_id, l.data, l.raised_at, l.level,
           l.escalates_at, l.acknowledged_at, l.acknowledged_by, l.acknowledged_name, l.how, l.note,
           a.name AS area, town.name AS town, t.reported_at, t.version AS ticket_version, t.status::text AS status,
           k.code AS category, t.due_at, t.title, ST_X(t.geom) AS lon, ST_Y(t.geom) AS lat, i.title AS incident
    FROM alarm l
    LEFT JOIN area a ON a.no = l.area_no  -- what concerns several counties lies in none
    LEFT JOIN area town ON town.level = 'town' AND town.no = l.area_no - l.area_no %% 1000000
    LEFT JOIN ticket t ON t.id = l.ticket_id
    LEFT JOIN category k ON k.id = t.category_id
    LEFT JOIN incident i ON i.id = l.incident_id
"""


def one(conn: Db, alarm_id: int) -> Alarm | None:
    """The alarm of that id, if it is in scope."""
    with conn.cursor(row_factory=class_row(Alarm)) as cursor:
        return cursor.execute(f"{_READ} WHERE l.id = %s", (alarm_id,)).fetchone()


def open_alarms(conn: Db, least_level: int, limit: int) -> list[Alarm]:
    """Those that nobody acknowledged, which went up furthest first, then the oldest."""
    with conn.cursor(row_factory=class_row(Alarm)) as cursor:
        return cursor.execute(
            f"{_READ} WHERE l.acknowledged_at IS NULL AND l.level >= %s"
            " ORDER BY l.level DESC, l.raised_at, l.id LIMIT %s",
            (least_level, limit),
        ).fetchall()


def raised_since(conn: Db, since: datetime, least_level: int, limit: int) -> list[Alarm]:
    """All that were raised since then, the newest first."""
    with conn.cursor(row_factory=class_row(Alarm)) as cursor:
        return cursor.execute(
            f"{_READ} WHERE l.raised_at >= %s AND l.level >= %s ORDER BY l.raised_at DESC, l.id DESC LIMIT %s",
            (since, least_level, limit),
        ).fetchall()


def counts(conn: Db, least_level: int) -> tuple[int, int]:
    """How many are open, and how many of these went up."""
    row = conn.execute(
        "SELECT count(*)::int, count(*) FILTER (WHERE level > 0)::int FROM alarm"
        " WHERE acknowledged_at IS NULL AND level >= %s",
        (least_level,),
    ).fetchone()
    assert row is not None
    return row[0], row[1]
