"""Who could take a ticket, the best first, with the score's parts, the reasons, and who was left out and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from types import MappingProxyType
from zoneinfo import ZoneInfo

from geodata.queries import candidates as queries
from geodata.queries.candidates import Near
from geodata.queries.tickets import read_ticket
from geodata.scope import Db
from profiles import Profile
from profiles.dispatch import Weights
from services.dispatch import crew, others, weights
from services.dispatch.crew import DESKS, CrewMember
from services.dispatch.found import Asked, Candidate, Found, LeftOut
from services.dispatch.ground import above, neighbourhood, relation
from services.dispatch.reasons import Reason, for_left_out, for_row
from services.dispatch.score import GENERAL, PLAIN, Facts, best_beyond, scored
from services.dispatch.travel import travel_s
from services.tickets import ENDED, NotAllowed, UnknownTicket

FIRST_LOOK, WIDER = (
    48,
    4,
)  # so many of the nearest are looked at first; when that is not enough, so many times more
LEFT_OUT_TOLD = 20
OBVIOUS = ("own", "wider")
NOTHING_MORE: Mapping[str, int] = MappingProxyType({})


def find(
    conn: Db, profile: Profile, ticket_id: int, now: datetime, *, limit: int = 5, using: Weights | None = None,
    more: Mapping[str, int] = NOTHING_MORE,
) -> Found:  # fmt: skip
    """The best candidates for a ticket in scope, of all there are.

    `using` are other weights than the place's; `more` are tickets besides that workers (by code) are about to get.
    Raises UnknownTicket, and NotAllowed for one that has ended.
    """
    ticket = read_ticket(conn, ticket_id)
    if ticket is None:
        raise UnknownTicket(f"There is no ticket with the id {ticket_id}.")
    if ticket.status in ENDED:
        raise NotAllowed("dispatch", ticket.status, [], "The ticket has ended; nobody can be sent any more.")
    version, own = weights.current(conn, profile)
    refused = queries.refusals(conn, [ticket_id], DESKS).get(ticket_id, {})
    asked = Asked(profile, ticket, using or own, refused, more, now)
    spot = None if ticket.lon is None or ticket.lat is None else (ticket.lon, ticket.lat)
    extra = others.posts(conn, asked, spot) + others.department(asked)
    for step in count():
        found = _around(conn, asked, spot, FIRST_LOOK * WIDER**step)
        rows, left_out = _judged(conn, asked, found)
        rows = sorted(rows + extra, key=_order)[:limit]
        if _is_enough(asked, found, FIRST_LOOK * WIDER**step, rows, limit):
            break
    return _told(asked, version, rows, left_out)


def best(
    conn: Db, profile: Profile, ticket_id: int, now: datetime, *, using: Weights | None = None,
    more: Mapping[str, int] = NOTHING_MORE,
) -> Candidate | None:  # fmt: skip
    """The first of all candidates; None without any. Takes and raises what `find` does."""
    rows = find(conn, profile, ticket_id, now, limit=1, using=using, more=more).rows
    return rows[0] if rows else None


def _around(conn: Db, asked: Asked, spot: tuple[float, float] | None, most: int) -> list[Near]:
    profile, no = asked.profile, asked.ticket.area.no
    category = asked.ticket.category
    return queries.around(
        conn,
        above=above(no),
        ground=neighbourhood(no),
        spot=spot,
        skills=crew.wanted_skills(profile, category) if crew.wants_trade(profile, category) else [],
        now=asked.now,
        local=asked.now.astimezone(ZoneInfo(profile.time_zone)),
        oldest=crew.oldest(profile, asked.now),
        most=most,
    )


def _is_enough(asked: Asked, found: Sequence[Near], most: int, rows: Sequence[Candidate], limit: int) -> bool:
    """Whether nobody who was not looked at could be among the rows: the farther off, the less the score can be."""
    last = rows[-1].score.score if len(rows) == limit else 0.0
    wants = crew.wants_trade(asked.profile, asked.ticket.category)
    for stream in (1, 2):
        metres = [one.metres or 0.0 for one in found if one.stream == stream]
        if len(metres) < most:
            continue  # there are no more of them
        minutes = travel_s(max(metres), asked.profile) / 60
        skilled = stream == 2
        if last < best_beyond(
            asked.profile, asked.weights, asked.ticket.category, minutes, skilled=skilled, wants=wants
        ):
            return False
    return True


def _judged(
    conn: Db, asked: Asked, found: Sequence[Near]
) -> tuple[list[Candidate], list[tuple[LeftOut, str]]]:
    """Those who could take it, and those who could not with how they stand to its ground."""
    profile, ticket, now = asked.profile, asked.ticket, asked.now
    near = {one.id: one for one in found}
    hands = queries.in_hands(conn, list(near), crew.midnight(now.astimezone(ZoneInfo(profile.time_zone))))
    rows: list[Candidate] = []
    left_out: list[tuple[LeftOut, str]] = []
    for one in near.values():
        held, today = hands.get(one.id, (0, 0))
        coming = asked.more.get(one.code, 0)
        member = crew.member(profile, one, (held + coming, today + coming), now)
        why = _why_not(asked, member)
        # the place of somebody off shift is not told, not even as a distance
        metres = None if member.position_age_s is None else one.metres
        if why is None:
            rows.append(_row(asked, member, metres))
        else:
            stands = relation(member.area_no, ticket.area.no)
            reason = for_left_out(why, member, now, asked.refused.get(member.code))
            rank = (stands not in OBVIOUS, 1e9 if metres is None else metres)
            told = LeftOut(f"worker:{member.code}", member.name, reason, member.lon, member.lat, rank)
            left_out.append((told, stands))
    return rows, left_out


def _why_not(asked: Asked, member: CrewMember) -> str | None:
    if asked.ticket.worker == member.code:
        return "holds_it"
    at = asked.refused.get(member.code)
    able, why = crew.suits(asked.profile, asked.ticket, member)
    if able and at is not None and asked.now - at < timedelta(hours=asked.profile.dispatch.refused_hours):
        return "refused"
    return None if able else why


def _row(asked: Asked, member: CrewMember, metres: float | None) -> Candidate:
    profile, category = asked.profile, asked.ticket.category
    trade = crew.trade(profile, category, member.skills)
    wants = crew.wants_trade(profile, category)
    stands = relation(member.area_no, asked.ticket.area.no)
    minutes = None if metres is None else travel_s(metres, profile) / 60
    facts = Facts(
        relation=stands,
        owner="owner" if trade and member.kind == "professional" else None,
        minutes=minutes,
        age_s=member.position_age_s,
        shift_left_s=member.shift_left_s,
        load=member.load,
        capacity=member.capacity,
        skill=1.0 if trade else GENERAL if wants else PLAIN,
        today=member.assigned_today,
        refused=member.code in asked.refused,
    )
    score = scored(profile, asked.weights, category, facts)
    return Candidate(
        "worker", member.code, member.name, member.kind, trade or next(iter(member.skills), None), score,
        for_row(profile, category, facts, area=member.area), member.area_no, member.area,
        stands == "own", True, metres, minutes, member.position_age_s, member.load, member.capacity, member.lon,
        member.lat,
    )  # fmt: skip


def _told(asked: Asked, version: int, rows: list[Candidate], left_out: list[tuple[LeftOut, str]]) -> Found:
    metres = [row.distance_m for row in rows if row.distance_m is not None]
    radius = max(metres, default=None)
    nearest = min(metres, default=None)
    rows = [
        row._replace(reasons=[row.reasons[0], Reason("nearest", {}), *row.reasons[1:3]])
        if len(metres) > 1 and row.distance_m is not None and row.distance_m == nearest
        else row
        for row in rows
    ]
    expected = [
        one
        for one, stands in left_out
        if stands in (*OBVIOUS, "community") or (radius is not None and one.rank[1] <= radius)
    ]
    listed = sorted((one for one in expected if one.why.key != "other_trade"), key=lambda one: one.rank)
    counts = Counter(one.why.key for one in expected)
    return Found(
        asked.ticket,
        version,
        "straight",
        radius,
        rows,
        set(asked.refused),
        listed[:LEFT_OUT_TOLD],
        dict(counts),
    )


def _order(row: Candidate) -> tuple[float, float, int, str]:
    """The higher score first; of equals the nearer, the less busy, then by code."""
    return (-row.score.score, 1e9 if row.distance_m is None else row.distance_m, row.load or 0, row.code)
