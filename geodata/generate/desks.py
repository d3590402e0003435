"""What the desks of a generated place did: call-backs, supervision with urges, consultations; all marked generated."""

from datetime import datetime
from typing import Any

import numpy as np
from psycopg.types.json import Jsonb

from geodata.generate.names import names
from geodata.scope import Db
from profiles import Profile

BY = "generator"
CALLED_DAYS = 30  # so far back calls are made up
_COMMENTS = ("处理后又出现", "等的时间太长", "只答复没有解决", "现场没有人来过")
_URGES = ("请今日内到场处置并回复", "请说明进展和办结时间", "群众再次来电，请尽快办理")
_REASONS = ("超过时限仍未办结", "群众多次反映", "涉及多个单位，进展缓慢")
_QUESTIONS = ("责任单位不明确，归谁办理", "需多家单位配合，如何分工", "缺少经费，方案如何定")
_DECISIONS = (
    "由承办单位牵头，社区配合，三日内办结",
    "按职责分段处理，每周通报进展",
    "先行处置，费用列入下月计划",
)
_MINUTES = "各单位说明了情况，对分工和时限没有异议。"

# Deterministic draws from a ticket's number: {n} is another draw.
_DRAW = "((hashint8extended(t.id, {n}) & 1023) / 1024.0)"


def fill(conn: Db, profile: Profile, seed: int, until: datetime) -> None:
    """Make what the desks did up to a moment, in the caller's transaction; what is there already stays."""
    _call_backs(conn, profile, until)
    _unsatisfied(conn, profile, until)
    _supervise(conn, profile, until)
    _consult(conn, profile, seed, until)


def _rates(profile: Profile) -> dict[str, Any]:
    rows = [
        (channel.code, kind.code, profile.desks.call_back.rate_of(channel.code, kind.code))
        for channel in profile.channels
        for category in profile.categories
        for kind in category.kinds
    ]
    return {name: [row[n] for row in rows] for n, name in enumerate(("channels", "categories", "rates"))}


def _call_backs(conn: Db, profile: Profile, until: datetime) -> None:
    """Those of the sample were called the day after they were closed; a few were not, and a few did not answer."""
    conn.execute(
        f"""
        WITH rates AS (
            SELECT c.id AS channel_id, k.id AS category_id, r.rate
            FROM unnest(%(channels)s::text[], %(categories)s::text[], %(rates)s::float8[])
                AS r (channel, category, rate)
            JOIN channel c ON c.code = r.channel JOIN category k ON k.code = r.category
        ), sampled AS (
            SELECT t.id, t.area_no, t.satisfaction, {_DRAW.format(n=1)} AS luck, {_DRAW.format(n=2)} AS mood,
                   (date_trunc('day', t.closed_at AT TIME ZONE %(zone)s)
                    + make_interval(days => 1, mins => 540 + (480 * {_DRAW.format(n=3)})::integer))
                   AT TIME ZONE %(zone)s AS at
            FROM ticket t JOIN rates r USING (channel_id, category_id)
            WHERE t.generated AND t.status = 'closed' AND t.closed_at > %(until)s - make_interval(days => %(days)s)
              AND call_back_draw(t.id) < r.rate AND NOT EXISTS (SELECT FROM call_back b WHERE b.ticket_id = t.id)
        ), calls AS (
            SELECT id, area_no, at, 'answered' AS outcome, coalesce(satisfaction, 'unrated') AS satisfaction,
                   CASE coalesce(satisfaction, 'unrated')
                       WHEN 'unsatisfied' THEN CASE WHEN mood < 0.7 THEN 'unsolved' ELSE 'partly' END
                       WHEN 'fairly' THEN CASE WHEN mood < 0.4 THEN 'partly' ELSE 'solved' END
                       ELSE CASE WHEN mood < 0.02 THEN 'partly' ELSE 'solved' END END AS solved,
                   CASE WHEN satisfaction = 'unsatisfied' THEN (%(comments)s::text[])[1 + (mood * 4)::integer %% 4] END
                   AS comment, NULL::timestamptz AS again_at
            FROM sampled WHERE luck >= 0.02 AND at < %(until)s
            UNION ALL
            SELECT id, area_no, at - interval '2 hours', 'no_answer', NULL, NULL, NULL, at
            FROM sampled WHERE luck >= 0.85 AND at < %(until)s
            UNION ALL
            SELECT id, area_no, at + make_interval(hours => 3 * n), 'no_answer', NULL, NULL, NULL,
                   CASE WHEN n < %(most)s - 1 THEN at + make_interval(hours => 3 * n + 3) END
            FROM sampled, generate_series(0, %(most)s - 1) AS n
            WHERE luck < 0.008 AND at + make_interval(hours => 3 * %(most)s) < %(until)s
        )
        INSERT INTO call_back (ticket_id, area_no, at, outcome, satisfaction, solved, comment, again_at, actor,
                               generated)
        SELECT id, area_no, at, outcome, satisfaction, solved, comment, again_at, %(by)s, true FROM calls ORDER BY at
        """,  # nosec B608 # joined from constants
        {
            **_rates(profile), "zone": profile.time_zone, "until": until, "days": CALLED_DAYS,
            "comments": list(_COMMENTS), "by": BY, "most": profile.desks.call_back.most_attempts,
        },
    )  # fmt: skip


def _unsatisfied(conn: Db, profile: Profile, until: datetime) -> None:
    """Of those who said lately that they are not satisfied, a few tickets were opened again, under supervision."""
    classes = [row.code for row in profile.loop.supervisions]
    if not classes:
        return
    conn.execute(
        f"""
        WITH chosen AS (
            SELECT t.id, t.reported_at, t.closed_at, t.version, t.area_no, t.satisfaction, b.at, b.solved
            FROM call_back b JOIN ticket t ON t.id = b.ticket_id
            WHERE b.generated AND b.event_id IS NULL AND b.satisfaction = 'unsatisfied' AND t.status = 'closed'
              AND b.at > %(until)s - interval '3 days' AND {_DRAW.format(n=4)} < 0.5
            ORDER BY b.at DESC LIMIT 12
        ), opened AS (
            UPDATE ticket t SET status = 'reopened', closed_at = NULL, supervised_at = date_trunc('second', c.at),
                supervision = (%(classes)s::text[])[1 + t.id %% %(n)s], version = t.version + 1
            FROM chosen c WHERE t.id = c.id AND t.reported_at = c.reported_at
            RETURNING t.id, t.version, t.area_no, t.supervised_at, t.supervision, c.closed_at, c.solved
        )
        INSERT INTO ticket_event (ticket_id, at, kind, was, status, version, actor, source, area_no, before, after,
                                  data)
        SELECT id, supervised_at, 'reopen', 'closed', 'reopened', version, %(by)s, 'import', area_no,
               jsonb_build_object('status', 'closed', 'closed_at', {_iso("closed_at")}, 'supervised_at', NULL,
                                  'supervision', NULL),
               jsonb_build_object('status', 'reopened', 'closed_at', NULL, 'supervised_at', {_iso("supervised_at")},
                                  'supervision', supervision),
               jsonb_build_object('supervision', supervision)
        FROM opened
        """,  # nosec B608 # joined from constants
        {"until": until, "classes": classes, "n": len(classes), "by": BY},
    )


def _iso(column: str) -> str:
    """A moment as the fold of a ticket's events keeps it."""
    return (
        f"CASE WHEN date_trunc('second', {column}) = {column}"
        f""" THEN to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""
        f""" ELSE to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') END"""
    )


def _supervise(conn: Db, profile: Profile, until: datetime) -> None:
    """A part of what is late is watched over, and most of these were urged."""
    classes = [row.code for row in profile.loop.supervisions]
    if not classes:
        return
    conn.execute(
        f"""
        WITH watched AS (
            UPDATE ticket t SET version = t.version + 1,
                supervised_at = date_trunc('second', least(t.due_at + make_interval(hours => 2 + (t.id %% 20)::integer),
                                                           %(until)s)),
                supervision = CASE WHEN {_DRAW.format(n=5)} < 0.6 THEN (%(classes)s::text[])[1]
                                   ELSE (%(classes)s::text[])[1 + t.id %% %(n)s] END
            WHERE t.generated AND t.closed_at IS NULL AND t.supervised_at IS NULL AND t.handled_at IS NULL
              AND t.due_at < %(until)s - interval '6 hours' AND {_DRAW.format(n=6)} < 0.35
            RETURNING t.id, t.version, t.status, t.area_no, t.supervised_at, t.supervision
        )
        INSERT INTO ticket_event (ticket_id, at, kind, was, status, version, actor, source, area_no, before, after,
                                  data)
        SELECT t.id, t.supervised_at, 'supervise', t.status, t.status, t.version, %(by)s, 'import', t.area_no,
               '{{"supervised_at": null, "supervision": null}}',
               jsonb_build_object('supervised_at', {_iso("t.supervised_at")}, 'supervision', t.supervision),
               jsonb_build_object('supervision', t.supervision, 'reason', (%(reasons)s::text[])[1 + t.id %% 3])
        FROM watched t
        """,  # nosec B608 # joined from constants
        {"until": until, "classes": classes, "n": len(classes), "by": BY, "reasons": list(_REASONS)},
    )
    conn.execute(
        f"""
        WITH urged AS (
            UPDATE ticket t SET version = t.version + 1
            WHERE t.generated AND t.closed_at IS NULL AND t.supervised_at < %(until)s - interval '3 hours'
              AND {_DRAW.format(n=7)} < 0.6
              AND NOT EXISTS (SELECT FROM ticket_event e WHERE e.ticket_id = t.id AND e.kind = 'urge')
            RETURNING t.id, t.version, t.status, t.area_no, t.supervised_at
        )
        INSERT INTO ticket_event (ticket_id, at, kind, was, status, version, actor, source, area_no, note, before,
                                  after)
        SELECT t.id, least(t.supervised_at + make_interval(hours => 3 + (t.id %% 9)::integer), %(until)s), 'urge',
               t.status, t.status, t.version, %(by)s, 'import', t.area_no, (%(urges)s::text[])[1 + t.id %% 3],
               '{{}}', '{{}}'
        FROM urged t
        """,  # nosec B608 # joined from constants
        {"until": until, "by": BY, "urges": list(_URGES)},
    )


def _consult(conn: Db, profile: Profile, seed: int, until: datetime) -> None:
    """Six tickets wait for a decision, with and without a meeting; twelve were decided on lately."""
    held = conn.execute(
        "SELECT count(*) FILTER (WHERE decided_at IS NULL), count(*) FROM consultation"
    ).fetchone()
    waiting, all_of_them = held or (0, 0)
    rng = np.random.default_rng([seed, 31, until.toordinal()])
    departments = [row.code for row in profile.departments]

    def people(count: int) -> Jsonb:
        return Jsonb(names(rng, count))

    def some(count: int) -> list[str]:
        return [
            departments[n] for n in rng.choice(len(departments), min(count, len(departments)), replace=False)
        ]

    chosen = conn.execute(
        """
        SELECT id, reported_at, version, status::text, area_no FROM ticket t
        WHERE generated AND closed_at IS NULL AND status IN ('signed', 'in_progress') AND supervised_at IS NULL
          AND merged_into IS NULL AND reported_at < %s - interval '1 day'
        ORDER BY hashint8extended(id, 8) LIMIT %s
        """,
        (until, max(0, 6 - waiting)),
    ).fetchall()
    for at, (ticket_id, reported_at, version, status, area_no) in enumerate(chosen):
        conn.execute(
            "UPDATE ticket SET status = 'consulted', resume_status = %s::ticket_status, version = %s"
            " WHERE id = %s AND reported_at = %s",
            (status, version + 1, ticket_id, reported_at),
        )
        data = {"question": _QUESTIONS[ticket_id % 3], "participants": some(3)}
        conn.execute(
            """
            INSERT INTO ticket_event (ticket_id, at, kind, was, status, version, actor, source, area_no, before, after,
                                      data)
            VALUES (%s, %s::timestamptz - make_interval(hours => %s), 'consult', %s::ticket_status, 'consulted', %s, %s,
                    'import', %s, %s, %s, %s)
            """,
            (ticket_id, until, 4 + 7 * at, status, version + 1, BY, area_no,
             Jsonb({"status": status, "resume_status": None}),
             Jsonb({"status": "consulted", "resume_status": status}), Jsonb(data)),
        )  # fmt: skip
        if at % 3:
            conn.execute(
                "UPDATE consultation SET meets_at = date_trunc('hour', %s::timestamptz) + make_interval(hours => %s),"
                " people = %s WHERE ticket_id = %s AND decided_at IS NULL",
                (until, 20 * at - 10, people(3), ticket_id),
            )
    if all_of_them:
        return
    decided = conn.execute(
        """
        SELECT id, area_no, closed_at FROM ticket
        WHERE generated AND status = 'closed' AND closed_at > %s - interval '20 days'
          AND closed_at - reported_at > '1 day'
        ORDER BY hashint8extended(id, 9) LIMIT 12
        """,
        (until,),
    ).fetchall()
    with conn.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO consultation (ticket_id, area_no, question, participants, people, asked_at, asked_by, meets_at,
                                      minutes, decision, decided_at, decided_by, generated)
            VALUES (%s, %s, %s, %s, %s, %s::timestamptz - interval '20 hours', %s, %s::timestamptz - interval '3 hours',
                    %s, %s, %s::timestamptz - interval '1 hour', %s, true)
            """,
            [
                (ticket_id, area_no, _QUESTIONS[ticket_id % 3], Jsonb(some(3)), people(3), closed, BY, closed, _MINUTES,
                 _DECISIONS[ticket_id % 3], closed, BY)
                for ticket_id, area_no, closed in decided
            ],
        )  # fmt: skip
