"""What the askers of the matrix ask for: a row of each kind in a town, by the placeholder that names it."""

from typing import Any

from psycopg.types.json import Jsonb

import profiles
from geodata.scope import Db
from services.access import ROLES
from tests.small_place import centre, grid_no


def things_of(conn: Db, town: int, at: int) -> dict[str, str]:
    """Rows of a town made for the asker of that number: what stands for each placeholder of the matrix."""
    no, (x, y) = grid_no(town, 1, 1), centre(town, 1, 1)
    mark = "OTHER" if town == 2 else "own"
    point = f"SRID=4326;POINT({x} {y})"

    def one(query: str, *values: Any) -> str:
        row = conn.execute(query, values).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return str(row[0])

    station = f"{town:02d}{at:018d}"
    conn.execute(
        "INSERT INTO video_station (id, name, site_kind, area_no, geom, stream_url, state, generated)"
        " VALUES (%s, %s, 'hall', %s, %s, '/demo-camera/hall/live.m3u8', 'live', true)",
        (station, mark, no, point),
    )
    ticket_id = one(
            "INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status)"
            " SELECT now(), 1, id, %s, %s, 'exact', %s, 'accepted' FROM category WHERE code = '01001' RETURNING id",
            mark, point, no,
        )  # fmt: skip
    return {
        "town": f"37088300{town}",
        "grid": f"37088300{town}001001",
        "area": f"37088300{town}001001",
        "no": str(no),
        "lon": str(x),
        "lat": str(y),
        "level": "grid",
        "care_category": profiles.load("zoucheng").care[0].code,
        "post_role": profiles.load("zoucheng").posts[0].code,
        "form": "json",
        "service_code": "01001",
        "service_request_id": one(
            "SELECT to_char(reported_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD-') || id FROM ticket WHERE id = %s",
            ticket_id,
        ),
        "token": "no-such-token",
        "path": "nothing",
        "index": "1",
        "name": "hall",
        "station_id": station,
        "ticket_id": ticket_id,
        "target_id": "1",
        "notice_id": "00000000-0000-4000-8000-000000000000",
        "picture_id": one(
            "INSERT INTO picture (ticket_id, attached_at, area_no, sha256, width, height, bytes, sender_kind,"
            " sender_id, sent_by) VALUES (%s, now(), %s, sha256(%s), 1, 1, 1, 'account', 1, %s) RETURNING id",
            ticket_id, no, b"no file", mark,
        ),
        "worker_id": one("SELECT id FROM worker WHERE area_no = %s", no),
        "worker_code": f"W{no}",
        "leave_id": one(
            "INSERT INTO worker_leave (worker_id, area_no, during, entered_by) SELECT id, area_no,"
            " tstzrange(now() + make_interval(days => %s), now() + make_interval(days => %s)), %s"
            " FROM worker WHERE area_no = %s RETURNING id",
            100 + at, 101 + at, mark, no,
        ),
        "incident_id": one(
            "WITH made AS (INSERT INTO incident (area_no, title, opened_at, opened_by)"
            " VALUES (%s, %s, now(), 't') RETURNING id, area_no)"
            " INSERT INTO incident_ticket (incident_id, ticket_id, area_no, added_at, added_by)"
            " SELECT id, %s, area_no, now(), 't' FROM made RETURNING incident_id",
            no, mark, ticket_id,
        ),
        "plan_id": one(  # of the asker, who has the same name for both towns
            "INSERT INTO dispatch_plan (area_no, made_kind, made_by, made_at, expires_at, figures)"
            " VALUES (%s, %s, %s, now(), now() + interval '1 hour', '{}') RETURNING id",
            no, *(("account", f"{ROLES[at]}1") if at < len(ROLES) else ("client", "c")),
        ),
        "consultation_id": one(
            "INSERT INTO consultation (ticket_id, area_no, question, asked_at, asked_by)"
            " VALUES (%s, %s, %s, now(), 't') RETURNING id",
            ticket_id, no, mark,
        ),
        "case_id": one(
            "INSERT INTO mediation_case (number, area_no, category, tier, mediator, key_id, received_at)"
            " VALUES (%s, %s, '04001', 1, %s, 1, now()) RETURNING id",
            f"{mark}-{town}-{at}", no, mark,
        ),
        "post_id": one(
            "INSERT INTO key_person (kind, code, name, role, area_no, geom, generated)"
            " VALUES ('post', %s, %s, 'grid_head', %s, %s, true) RETURNING id",
            f"P{town}-{at}", mark, no, point,
        ),
        "filter_id": one(
            "INSERT INTO ticket_filter (account_id, name, query) VALUES (%s, %s, '{}') RETURNING id",
            100 + at % len(ROLES)
            if town == 1
            else one(
                "INSERT INTO account (login, name, role, created_by) VALUES (%s, %s, 'operator', 't') RETURNING id",
                f"of-town-2-{at}", mark,
            ),
            f"{mark} {at}",
        ),
        "item_id": one(
            "INSERT INTO duty_item (area_no, kind, words, every, since, created_by)"
            " VALUES (%s, 'task', %s, 'week', current_date - 1, 't') RETURNING id",
            no, mark,
        ),
        "wall_id": one(
            "INSERT INTO wall_screen (name, area_no, created_by) VALUES (%s, %s, 't') RETURNING id", mark, no
        ),
        "handover_id": one(
            "INSERT INTO handover (area_no, ranges, since, until, given_by, given_name, snapshot, digest)"
            " SELECT a.no, int8multirange(int8range(a.no, a.hi, '[]')), now() - interval '1 hour', now(), %s, %s, '{}',"
            " '' FROM area a WHERE a.no = %s RETURNING id",
            f"{mark}-{town}-{at}", mark, no,
        ),
        "note_id": one(
            "INSERT INTO handover_note (area_no, ranges, kind, words, at, actor, actor_name)"
            " SELECT a.no, int8multirange(int8range(a.no, a.hi, '[]')), 'watched', %s, now(), 't', %s"
            " FROM area a WHERE a.no = %s RETURNING id",
            mark, mark, no,
        ),
        "alarm_id": one(
            "INSERT INTO alarm (area_no, kind, level, data, key, raised_at) VALUES (%s, 'burst', 1, %s, %s, now())"
            " RETURNING id",
            no, Jsonb({"mark": mark}), f"{mark}-{town}-{at}",
        ),
        "turn_id": one(
            "INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, source, generated)"
            " VALUES (%s, 'grid_head', current_date + %s::int, '08:00', '18:00', %s, 'tests', true) RETURNING id",
            no, 30 + at, mark,
        ),
    }  # fmt: skip
