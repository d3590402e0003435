"""Candidates that walk no round: holders of posts, and the department that a matter belongs to."""

from collections.abc import Sequence

from geodata.queries import candidates as queries
from geodata.queries.candidates import Post
from geodata.scope import Db
from services.dispatch.found import Asked, Candidate
from services.dispatch.ground import above, relation
from services.dispatch.reasons import Reason, for_row
from services.dispatch.roads import Place, ways
from services.dispatch.score import Facts, scored
from services.dispatch.travel import Way, straight


def posts(conn: Db, asked: Asked, spot: tuple[float, float] | None) -> list[Candidate]:
    """Holders of posts for such a matter whose ground holds the ticket; of posts on the roster those on duty."""
    profile, ticket = asked.profile, asked.ticket
    roles = profile.dispatch.posts_for(ticket.category)
    if not roles:
        return []
    holding = {
        party["code"] for party in ticket.parties if party["kind"] == "post" and party["part"] == "lead"
    }
    free = [
        post
        for post in queries.posts(conn, above(ticket.area_no), roles, spot, asked.local)
        if (post.on_duty or not post.rostered) and post.code not in {*asked.refused, *holding}
    ]
    found = []
    for post, way in zip(free, _ways(conn, asked, spot, free), strict=True):
        stands = relation(post.area_no, ticket.area_no)
        minutes = None if way is None else way.seconds / 60
        facts = Facts(relation=stands, minutes=minutes, skill=1.0)
        score = scored(asked.scale, facts)
        reasons = for_row(profile, ticket.category, facts, area=post.area)
        reasons.insert(1, Reason("post", {}))
        if post.on_duty:
            reasons.insert(2, Reason("on_duty", {}))
        found.append(
            Candidate(
                "post", post.code, post.name, post.role, None, score, reasons, post.area_no, post.area,
                stands == "own", post.on_duty if post.rostered else None, post.metres, minutes, lon=post.lon,
                lat=post.lat, by=way and way.by,
            )
        )  # fmt: skip
    return found


def _ways(conn: Db, asked: Asked, spot: tuple[float, float] | None, free: Sequence[Post]) -> list[Way | None]:
    """The way of each from the place of duty; None where there is no place."""
    places = {
        at: Place(post.lon, post.lat, post.metres)
        for at, post in enumerate(free)
        if post.lon is not None and post.lat is not None and post.metres is not None
    }
    fastest_kmh = asked.ticket.fastest_kmh
    if spot is not None and fastest_kmh is not None:
        found = ways(conn, asked.profile, fastest_kmh, spot, places)
    else:
        found = {at: straight(place.metres, asked.profile) for at, place in places.items()}
    return [found.get(at) for at in range(len(free))]


def department(asked: Asked) -> list[Candidate]:
    """The department that usually has such a matter, unless it holds the ticket or refused it."""
    profile, ticket = asked.profile, asked.ticket
    kind = profile.kind(ticket.category)
    own = next((one for one in profile.departments if kind and one.code == kind.department), None)
    held = ticket.department == getattr(own, "code", None) and ticket.worker is None
    if own is None or held or own.code in asked.refused:
        return []
    facts = Facts(relation="none", owner="department", skill=1.0)
    score = scored(asked.scale, facts)
    reasons = [Reason("ground_department", {"area": own.name})]
    return [
        Candidate(
            "department", own.code, own.name, "department", None, score, reasons, None, None, False, None
        )
    ]
