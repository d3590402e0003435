"""People around a ticket, as the table of situations tells them, put into a database."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

import profiles
from geodata.queries.tickets import Ticket, read_ticket
from geodata.scope import Db
from services.dispatch import candidates
from services.dispatch.found import Found
from tests.small_place import centre, grid_no

PROFILE = profiles.load("zoucheng")
ZONE = ZoneInfo(PROFILE.time_zone)
NOW = datetime.now(ZONE).replace(hour=10, minute=0, second=0, microsecond=0)
SPOT = centre(1, 1, 5)  # of the ticket, in the middle of its grid
OWN, WIDER, COMMUNITY, TOWN, FAR = (1, 1, 5), (1, 1, 0), (1, 1, 4), (1, 2, 4), (2, 1, 4)
TOWN_WIDE = (1, 0, 0)
SHIFT, NIGHT, EARLY = ("07:00", "19:00"), ("22:00", "06:00"), ("02:00", "10:10")


@dataclass
class Who:
    """A worker: the area of duty, metres east of the ticket (None: no position), and what is in hand."""

    code: str
    area: tuple[int, int, int] = OWN
    m: float | None = 300
    load: int = 0
    today: int = 0
    age_s: int = 10
    kind: str = "full_time"
    skills: list[str] = field(default_factory=list)
    shift: tuple[str, str] = SHIFT
    rests: bool = False  # has the day off
    away: bool = False  # on leave
    refused_h: float | None = None  # hours ago


@dataclass
class Post:
    """A holder of a post; `duty` is None where no roster knows the post."""

    code: str
    area: tuple[int, int, int] = WIDER
    role: str = "mediator"
    m: float = 500
    duty: bool | None = None


def place(conn: Db, people: list[Who | Post], now: datetime = NOW) -> None:
    """Put them there, and nobody else."""
    conn.execute("UPDATE worker SET active = false")
    for one in people:
        (_worker if isinstance(one, Who) else _post)(conn, one, now)  # type: ignore[operator]


def ticket(
    conn: Db, category: str = "01001", *, area: tuple[int, int, int] = OWN, location: str = "exact",
    status: str = "accepted", worker: str | None = None,
) -> Ticket:  # fmt: skip
    """A ticket at the spot."""
    row = conn.execute(
        """
        INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status, worker_id)
        SELECT %s, 1, k.id, 't', CASE WHEN %s <> 'none' THEN ST_SetSRID(ST_MakePoint(%s, %s), 4326) END,
               %s::location_quality, %s, %s::ticket_status,
               (SELECT id FROM worker WHERE code = %s)
        FROM category k WHERE k.code = %s RETURNING id
        """,
        (NOW - timedelta(hours=1), location, *SPOT, location, grid_no(*area), status, worker, category),
    ).fetchone()
    assert row is not None
    found = read_ticket(conn, row[0])
    assert found is not None
    return found


def refuse(
    conn: Db, one: Ticket, code: str, hours: float, now: datetime = NOW, field: str = "worker"
) -> None:
    """The worker of that code sent the ticket back so long ago."""
    conn.execute(
        """
        INSERT INTO ticket_event (ticket_id, at, kind, status, version, actor, actor_role, area_no, before, after)
        VALUES (%s, %s, 'send_back', 'returned', 2, 'phone', 'client', %s, %s, '{}')
        """,
        (one.id, now - timedelta(hours=hours), one.area.no, Jsonb({field: code})),
    )


def asked(conn: Db, one: Ticket, people: list[Who | Post], now: datetime = NOW, limit: int = 5) -> Found:
    """The candidates of the ticket; refusals of the people are written down first."""
    for who in people:
        if isinstance(who, Who) and who.refused_h is not None:
            refuse(conn, one, who.code, who.refused_h, now)
    return candidates.find(conn, PROFILE, one.id, now.astimezone(UTC), limit=limit)


def east(metres: float) -> tuple[float, float]:
    """Degrees of a place so many metres east of the ticket."""
    return SPOT[0] + metres / (111_195 * math.cos(math.radians(SPOT[1]))), SPOT[1]


def _worker(conn: Db, one: Who, now: datetime) -> None:
    days = 127 - (1 << now.weekday()) if one.rests else 127
    row = conn.execute(
        """
        INSERT INTO worker (code, name, kind, area_no, skills, shift_from, shift_to, shift_days, generated)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, true) RETURNING id
        """,
        (one.code, f"Name {one.code}", one.kind, grid_no(*one.area), one.skills, *one.shift, days),
    ).fetchone()
    assert row is not None
    if one.m is not None:
        conn.execute(
            "INSERT INTO worker_position VALUES (%s, %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), %s)",
            (row[0], now - timedelta(seconds=one.age_s), *east(one.m), grid_no(*one.area)),
        )
    if one.away:
        conn.execute(
            "INSERT INTO worker_leave (worker_id, area_no, during, entered_by) VALUES (%s, %s, tstzrange(%s, %s), 't')",
            (row[0], grid_no(*one.area), now - timedelta(hours=1), now + timedelta(days=2)),
        )
    before = now - timedelta(days=2)
    for status, dispatched, times in (
        ("signed", before, one.load),
        ("handled", now - timedelta(hours=1), one.today),
    ):
        conn.execute(
            """
            INSERT INTO ticket (reported_at, channel_id, category_id, title, location, area_no, status, dispatched_at,
                                handled_at, worker_id)
            SELECT %s, 1, (SELECT id FROM category WHERE code = '01001'), 'other', 'none', %s, %s::ticket_status, %s,
                   CASE WHEN %s = 'handled' THEN %s END, %s FROM generate_series(1, %s)
            """,
            (before, grid_no(*one.area), status, dispatched, status, dispatched, row[0], times),
        )


def _post(conn: Db, one: Post, now: datetime) -> None:
    no = grid_no(*one.area)
    conn.execute(
        """
        INSERT INTO key_person (kind, code, name, role, area_no, geom, generated)
        VALUES ('post', %s, %s, %s, %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), true)
        """,
        (one.code, f"Name {one.code}", one.role, no, *east(one.m)),
    )
    if one.duty is not None:
        conn.execute(
            """
            INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, source, generated)
            VALUES (%s, %s, %s, %s, %s, %s, 'tests', true)
            """,
            (
                no,
                one.role,
                now.date(),
                *(("08:00", "18:00") if one.duty else ("18:00", "22:00")),
                f"Name {one.code}",
            ),
        )
