"""What of a ticket tells who could take it: what is asked, who refused it when, and the place's own weights."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from geodata.scope import Db

LATELY = timedelta(days=31)  # most tickets that somebody is sent to were reported since
ALWAYS = (datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC))


class Matter(NamedTuple):
    """What of a ticket tells who could take it; degrees in EPSG:4326, None for a point that is not its own."""

    id: int
    version: int
    reported_at: datetime
    status: str
    category: str
    title: str
    area_no: int
    lon: float | None
    lat: float | None
    worker: str | None
    department: str | None
    parties: list[dict[str, Any]]
    role: str  # of the database, that whoever asks sees by
    fastest_kmh: float | None  # on the place's roads; None without any


_REFUSED = """
    SELECT e.ticket_id, who.code, max(e.at) AS at FROM ticket_event e,
        LATERAL (VALUES (coalesce(e.before->>'worker', e.before->>'department')), (e.data->>'party')) who (code)
"""
_IS_REFUSAL = """
    e.kind IN ('refuse', 'send_back') AND who.code IS NOT NULL
    AND NOT coalesce(e.actor_role, '') = ANY (%(desks)s::text[])
"""
# The plans of a search are made once a connection and kept: they touch many tables, and planning them takes longer than
# running them. The first statement of a search says so, the last takes it back, so that neither needs a way to the
# database of its own.
_KEPT = "set_config('plan_cache_mode', 'force_generic_plan', true)"
NOT_KEPT = "set_config('plan_cache_mode', 'auto', true)"


# A ticket is found by its id alone, but lies in one of many months: those of late are asked first, and then all. As
# sub-selects the bounds are not known to the planner, who would plan for each anew; what else is told of the ticket is
# looked up beside the one row and not in each month.
_MATTER = f"""
    SELECT t.id, t.version, t.reported_at, t.status::text, (SELECT code FROM category WHERE id = t.category_id),
           t.title, t.area_no,
           CASE t.location WHEN 'exact' THEN ST_X(t.geom) END, CASE t.location WHEN 'exact' THEN ST_Y(t.geom) END,
           (SELECT code FROM worker WHERE id = t.worker_id),
           (SELECT code FROM department WHERE id = t.department_id), t.parties, current_user,
           (SELECT fastest_kmh FROM road_net),
           (SELECT jsonb_build_array(version, weights) FROM dispatch_weights ORDER BY version DESC LIMIT 1),
           (SELECT jsonb_object_agg(r.code, extract(epoch FROM r.at))
            FROM ({_REFUSED} WHERE e.ticket_id = t.id AND {_IS_REFUSAL} GROUP BY 1, 2) r),
           {_KEPT}
    FROM (SELECT id, version, reported_at, status, category_id, title, area_no, location, geom, worker_id,
                 department_id, parties
          FROM ticket WHERE id = %(ticket)s AND reported_at >= (SELECT %(since)s::timestamptz)
            AND reported_at < (SELECT %(until)s::timestamptz) OFFSET 0) t
"""  # nosec B608 # of constants alone


def keep_plans(conn: Db, keep: bool) -> None:
    """Let what follows in this transaction run with plans that are made once (True) or as usual (False)."""
    conn.execute(f"SELECT {_KEPT if keep else NOT_KEPT}")  # nosec B608 # of constants alone


def matter(
    conn: Db, ticket_id: int, desks: Sequence[str]
) -> tuple[Matter, tuple[int, dict[str, Any]], dict[str, datetime]] | None:
    """A ticket in scope, the place's own weights (0 and none without any), and who refused the ticket when last.

    What somebody at a desk (a role of `desks`) took back was not refused. When there is such a ticket, plans are kept
    from here on until `around` has found somebody or nobody.
    """
    now, values = datetime.now(UTC), {"ticket": ticket_id, "desks": as_array(desks)}
    for since, until in ((now - LATELY, now + LATELY), ALWAYS):
        row = conn.execute(_MATTER, values | {"since": since, "until": until}, prepare=True).fetchone()
        if row is not None:
            break
    if row is None:
        return None
    version, weights = row[14] or (0, {})
    refused = {code: datetime.fromtimestamp(at, UTC) for code, at in (row[15] or {}).items()}
    return Matter._make(row[:14]), (version, weights), refused


def refusals(conn: Db, tickets: Sequence[int], desks: Sequence[str]) -> dict[int, dict[str, datetime]]:
    """Of each of those tickets who refused it or sent it back, and when last: codes of workers and departments.

    What somebody at a desk (a role of `desks`) took back was not refused.
    """
    rows = conn.execute(
        f"{_REFUSED} WHERE e.ticket_id = ANY (%(tickets)s) AND {_IS_REFUSAL} GROUP BY 1, 2",  # nosec B608 # of constants alone
        {"tickets": list(tickets), "desks": as_array(desks)},
    ).fetchall()
    found: dict[int, dict[str, datetime]] = {}
    for ticket, code, at in rows:
        found.setdefault(ticket, {})[code] = at
    return found


def as_array(values: Sequence[int] | Sequence[str]) -> str:
    """As PostgreSQL writes it: psycopg takes longer over a list than over all else that is sent."""
    if isinstance(next(iter(values), None), int):
        return f"{{{','.join(map(str, values))}}}"
    return json.dumps(list(values), ensure_ascii=False).replace("[", "{", 1)[:-1] + "}"
