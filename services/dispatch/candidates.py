"""Who could take a ticket, the best first, with the score's parts, the reasons, and who was left out and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from heapq import nlargest
from itertools import islice
from types import MappingProxyType
from zoneinfo import ZoneInfo

from geodata.queries import candidates as queries
from geodata.queries import dispatch_matter
from geodata.queries.candidates import Near
from geodata.scope import Db
from profiles import Profile
from profiles.dispatch import Weights
from services.dispatch import crew, others, weights
from services.dispatch.crew import DESKS
from services.dispatch.found import Asked, Candidate, Found, LeftOut
from services.dispatch.ground import above, neighbourhood
from services.dispatch.judged import Able, Unable, judged
from services.dispatch.reasons import Reason, for_left_out, for_row
from services.dispatch.roads import Place, ways
from services.dispatch.score import best_beyond, scale_of, scored, total
from services.dispatch.travel import Method, least_s
from services.tickets import ENDED, NotAllowed, UnknownTicket

FIRST_LOOK = 20  # so many of the nearest are looked at first …
FEW_KNOW = 12  # … and of those who know the matter …
WIDER = 2  # … and when those are not enough, so many times more at each further look
NEAR, KNOWING = 1, 2  # streams of workers: the nearest of all, the nearest of those who know the matter
LEFT_OUT_TOLD = 20
AT_ONCE = 16  # ways along roads are measured for so many of the most promising at once
OBVIOUS = ("own", "wider")
EXPECTED = (*OBVIOUS, "community")
ROUNDED = 0.2  # scores are told to a tenth
NOTHING_MORE: Mapping[str, int] = MappingProxyType({})


def find(
    conn: Db, profile: Profile, ticket_id: int, now: datetime, *, limit: int = 5, using: Weights | None = None,
    more: Mapping[str, int] = NOTHING_MORE,
) -> Found:  # fmt: skip
    """The best candidates for a ticket in scope, of all there are.

    `using` are other weights than the place's; `more` are tickets besides that workers (by code) are about to get.
    Raises UnknownTicket, and NotAllowed for one that has ended.
    """
    known = dispatch_matter.matter(conn, ticket_id, DESKS)
    if known is None:
        raise UnknownTicket(f"There is no ticket with the id {ticket_id}.")
    ticket, (version, own), refused = known
    if ticket.status in ENDED:
        dispatch_matter.keep_plans(conn, False)
        raise NotAllowed("dispatch", ticket.status, [], "The ticket has ended; nobody can be sent any more.")
    scale = scale_of(profile, using or weights.merged(profile, own), ticket.category)
    local = now.astimezone(ZoneInfo(profile.time_zone))
    asked = Asked(profile, ticket, scale, refused, more, crew.wish(profile, ticket.category), now, local)
    return _searched(conn, asked, version, limit)


def best(
    conn: Db, profile: Profile, ticket_id: int, now: datetime, *, using: Weights | None = None,
    more: Mapping[str, int] = NOTHING_MORE,
) -> Candidate | None:  # fmt: skip
    """The first of all candidates; None without any. Takes and raises what `find` does."""
    rows = find(conn, profile, ticket_id, now, limit=1, using=using, more=more).rows
    return rows[0] if rows else None


def _searched(conn: Db, asked: Asked, version: int, limit: int) -> Found:
    """Look at the nearest, and at more of them until nobody farther off could come before the last."""
    ticket = asked.ticket
    spot = None if ticket.lon is None or ticket.lat is None else (ticket.lon, ticket.lat)
    extra = others.posts(conn, asked, spot) + others.department(asked)
    looks, seen = {NEAR: FIRST_LOOK, KNOWING: min(FIRST_LOOK, FEW_KNOW)}, set[int]()
    able: list[Able] = []
    unable: list[Unable] = []
    while True:
        found = _around(conn, asked, spot, looks, seen)
        seen |= {one.id for one in found}
        able_too, unable_too = judged(asked, found)
        able = _best(conn, asked, spot, able + able_too, limit)
        unable += unable_too
        last = sorted([*(one.score for one in able), *(one.score.score for one in extra)], reverse=True)[
            :limit
        ]
        short = _streams_too_short(asked, found, looks, last[-1] if len(last) == limit else 0.0)
        if not short:
            return _told(asked, version, able, extra, unable, limit)
        dispatch_matter.keep_plans(conn, True)
        looks = {stream: looks[stream] * WIDER for stream in short}


def _around(
    conn: Db, asked: Asked, spot: tuple[float, float] | None, looks: Mapping[int, int], seen: set[int]
) -> list[Near]:
    profile, no = asked.profile, asked.ticket.area_no
    return queries.around(
        conn,
        above=above(no),
        ground=neighbourhood(no),
        spot=spot,
        skills=sorted(asked.wish.skills),
        now=asked.now,
        local=asked.local,
        oldest=crew.oldest(profile, asked.now),
        nearest=looks.get(NEAR, 0),
        skilled=looks.get(KNOWING, 0),
        seen=seen,
        role=asked.ticket.role,
    )


def _streams_too_short(
    asked: Asked, found: Sequence[Near], looks: Mapping[int, int], last: float
) -> list[int]:
    """The streams beyond whose end somebody could score more than the last row: the farther off, the less it can be."""
    short = []
    for stream, most in looks.items():
        metres = [one.metres or 0.0 for one in found if one.stream == stream]
        if len(metres) < most:
            continue  # there are no more of them
        minutes = least_s(max(metres), asked.profile, asked.ticket.fastest_kmh) / 60
        skilled, of_trade = stream == KNOWING, asked.wish.of_trade
        if last < best_beyond(asked.scale, minutes, skilled=skilled, of_trade=of_trade):
            short.append(stream)
    return short


def _best(
    conn: Db, asked: Asked, spot: tuple[float, float] | None, able: list[Able], limit: int
) -> list[Able]:
    """The best of them, first to last. Ways along roads are measured for those who could be among the best alone:

    until then a score counts the least time that anybody so far off could take, and is the most it can be.
    """
    fastest_kmh = asked.ticket.fastest_kmh
    if spot is None or fastest_kmh is None:
        return _first(able, limit)
    while True:
        able = sorted(able, key=_order)
        places = {at: place for at, one in enumerate(able) if (place := _unmeasured(one))}
        if not any(at < limit for at in places):
            return able[:limit]
        found = ways(conn, asked.profile, fastest_kmh, spot, dict(islice(places.items(), AT_ONCE)))
        for at, way in found.items():
            facts = able[at].facts._replace(minutes=way.seconds / 60)
            able[at] = able[at]._replace(score=total(asked.scale, facts), facts=facts, by=way.by)


def _first(able: list[Able], limit: int) -> list[Able]:
    """The best of them, first to last; who is not within a rounding of the last need not be put in order."""
    if len(able) > limit:
        least = nlargest(limit, (one.score for one in able))[-1] - ROUNDED
        able = [one for one in able if one.score >= least]
    return sorted(able, key=_order)[:limit]


def _unmeasured(one: Able) -> Place | None:
    """Where somebody is whose way is yet to be measured."""
    near = one.near
    if one.by is not None or near.metres is None or near.lon is None or near.lat is None:
        return None
    return Place(near.lon, near.lat, near.metres)


def _row(asked: Asked, one: Able) -> Candidate:
    near, facts = one.near, one.facts
    trade = next(
        (skill for skill in near.skills if skill in asked.wish.skills), next(iter(near.skills), None)
    )
    return Candidate(
        "worker", near.code, near.name, near.kind, trade, scored(asked.scale, facts),
        for_row(asked.profile, asked.ticket.category, facts, area=near.area), near.area_no, near.area,
        facts.relation == "own", True, near.metres, facts.minutes, facts.age_s, facts.load, facts.capacity, near.lon,
        near.lat, one.by,
    )  # fmt: skip


def _told(
    asked: Asked, version: int, able: list[Able], extra: list[Candidate], unable: list[Unable], limit: int
) -> Found:
    rows = [_row(asked, one) for one in able] + extra
    rows = sorted(rows, key=_order_told)[:limit]
    metres = [row.distance_m for row in rows if row.distance_m is not None]
    radius, nearest = max(metres, default=None), min(metres, default=None)
    if len(metres) > 1:
        rows = [_nearest(row) if row.distance_m == nearest else row for row in rows]
    around = [
        one
        for one in unable
        if one.stands in EXPECTED or (radius is not None and one.metres is not None and one.metres <= radius)
    ]
    expected = sorted(
        (one for one in around if one.why != "other_trade"),
        key=lambda one: (
            one.stands not in OBVIOUS,
            1e9 if one.metres is None else one.metres,
            one.near.code,
        ),
    )
    method: Method = "straight" if asked.ticket.fastest_kmh is None else "roads"
    return Found(
        asked.ticket, version, method, radius, rows, set(asked.refused),
        [_left_out(asked, one) for one in expected[:LEFT_OUT_TOLD]], dict(Counter(one.why for one in around)),
    )  # fmt: skip


def _nearest(row: Candidate) -> Candidate:
    return row._replace(reasons=[row.reasons[0], Reason("nearest", {}), *row.reasons[1:3]])


def _left_out(asked: Asked, one: Unable) -> LeftOut:
    coming = asked.more.get(one.near.code, 0)
    member = crew.member(asked.profile, one.near, asked.local, coming=coming)
    why = for_left_out(one.why, member, asked.now, asked.refused.get(member.code))
    return LeftOut(f"worker:{member.code}", member.name, why, member.lon, member.lat)


def _order(one: Able) -> tuple[float, float, int, str]:
    """The higher score first; of equals the nearer, the less busy, then by code."""
    return -round(one.score, 1), one.near.metres or 0.0, one.facts.load or 0, one.near.code


def _order_told(row: Candidate) -> tuple[float, float, int, str]:
    return -row.score.score, row.distance_m or 0.0, row.load or 0, row.code
