"""Service requests in the terms of GeoReport v2: what is asked for, and what of a ticket is answered."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geodata.queries import open311 as queries
from geodata.queries.open311 import RequestRow, Wanted
from geodata.scope import Db
from profiles import Profile
from services.access import Viewer
from services.intake.masking import published
from services.open311.catalogue import Lang, channels, named, public_codes, public_kind
from services.open311.errors import Refused, unknown_request
from services.tickets import number

SPAN = timedelta(days=90)  # the most that one question may cover, and what it covers without dates
MOST = 1000  # requests in one answer
MOST_PAGES = 1000
OWN_POINT = (
    "exact",
    "outside",
)  # any other is a default, a guess by name, or none: it is not answered as a point


def wanted(profile: Profile, query: dict[str, str], now: datetime) -> Wanted:
    """What the parameters of GET requests ask for. Raises Refused 400 or 404 with the parameter's name."""
    known, heard = public_codes(profile), channels(profile)
    page_size = _count(query, "page_size", MOST, MOST)
    offset = (_count(query, "page", 1, MOST_PAGES) - 1) * page_size
    if given := _list(query, "service_request_id"):
        if len(given) > MOST:
            raise Refused(400, f"service_request_id: at most {MOST} at once")
        return _numbered(profile, given)._replace(limit=page_size + 1, offset=offset)
    codes = _list(query, "service_code")
    for code in codes:
        public_kind(profile, code)
    statuses = set(_list(query, "status"))
    if statuses - {"open", "closed"}:
        raise Refused(400, f"status: open or closed, not {', '.join(sorted(statuses))[:40]}")
    start, end = _span(query, ZoneInfo(profile.time_zone), now)
    closed = None if len(statuses) != 1 else statuses == {"closed"}
    return Wanted(
        codes or known, heard, start=start, end=end, closed=closed, limit=page_size + 1, offset=offset
    )


def requests(conn: Db, profile: Profile, asked: Wanted, lang: Lang) -> tuple[list[dict[str, Any]], bool]:
    """The answers to GET requests, the latest first, and whether there are more on the next page."""
    rows = queries.requests(conn, asked)
    shown = rows[: asked.limit - 1]
    return [answer(profile, row, lang) for row in shown], len(rows) > len(shown)


def request(conn: Db, profile: Profile, given: str, lang: Lang) -> list[dict[str, Any]]:
    """GET requests/{id}: a list of one. Raises Refused 404."""
    rows = queries.requests(conn, _numbered(profile, [given]))
    if not rows:
        raise unknown_request(given)
    return [answer(profile, rows[0], lang)]


def of_token(conn: Db, profile: Profile, viewer: Viewer, token: str) -> list[dict[str, Any]]:
    """GET tokens/{token}: the request that the asker sent with this Idempotency-Key. Raises Refused 404."""
    found = queries.ticket_of_key(conn, viewer.name, token) if token.isprintable() else None
    asked = Wanted(public_codes(profile), channels(profile), [found] if found else [])
    rows = queries.requests(conn, asked)
    if not rows:
        raise Refused(404, f"token was not found: {token[:40]}")
    return [{"service_request_id": _number(profile, rows[0]), "token": token}]


def answer(profile: Profile, row: RequestRow, lang: Lang) -> dict[str, Any]:
    """What everybody may know of a ticket. Free words only of what was sent through Open311 itself, masked again."""
    zone = ZoneInfo(profile.time_zone)
    kind = public_kind(profile, row.category)
    label = profile.statuses.get(row.status)
    stage = (label.name if lang == "zh-CN" else label.name_en) if label else row.status
    department = next((one for one in profile.departments if one.code == row.department), None)
    has_point = row.location in OWN_POINT
    return {
        "service_request_id": _number(profile, row),
        "status": "closed" if row.closed else "open",
        "status_notes": stage,
        "extended_status": stage,
        "extended_status_code": row.status,
        "service_name": named(kind, lang),
        "service_code": kind.code,
        "description": published(row.description or row.title or "") if row.own else named(kind, lang),
        "agency_responsible": named(department, lang) if department else None,
        "service_notice": None,
        "requested_datetime": _moment(row.reported_at, zone),
        "updated_datetime": _moment(row.updated_at, zone),
        "expected_datetime": _moment(row.due_at, zone) if row.due_at else None,
        "address": published(row.address) if row.own and row.address else _named(row.area_names),
        "address_id": row.area_code,
        "zipcode": None,
        "lat": round(row.lat, 6) if has_point and row.lat is not None else None,
        "long": round(row.lon, 6) if has_point and row.lon is not None else None,
        "media_url": None,
    }


def _numbered(profile: Profile, given: list[str]) -> Wanted:
    """The requests of these numbers (20261122-15); what is no number is nobody's."""
    found = [parts for one in given if (parts := _parts(one)) is not None]
    ids, days = [number for _, number in found], [day for day, _ in found]
    return Wanted(public_codes(profile), channels(profile), ids, days, profile.time_zone)


def _parts(given: str) -> tuple[date, int] | None:
    day, _, digits = given.strip().partition("-")
    if not (day.isascii() and day.isdigit() and len(day) == 8 and digits.isascii() and digits.isdigit()):
        return None
    found = int(digits) if len(digits) < 20 else 0
    try:
        return (date.fromisoformat(day), found) if 0 < found < 2**63 else None
    except ValueError:
        return None


def _named(names: list[str]) -> str | None:
    """Names of areas from the widest down, without those that the next one begins with."""
    following = [*names[1:], ""]
    kept = [name for name, below in zip(names, following, strict=False) if not below.startswith(name)]
    return " ".join(kept) or None


def _number(profile: Profile, row: RequestRow) -> str:
    return number(row.id, row.reported_at, profile.time_zone)


def _span(query: dict[str, str], zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """From when to when, both included: what one end lacks follows from the other, and it is 90 days at most."""
    start, end = _date(query, "start_date", zone, time.min), _date(query, "end_date", zone, time.max)
    if start is None:
        end = end or now
        return end - SPAN, end
    if end is None:
        return start, min(start + SPAN, max(now, start))
    if end < start:
        raise Refused(400, "end_date: not before start_date")
    if end - start > SPAN + timedelta(days=1):
        raise Refused(400, f"start_date, end_date: at most {SPAN.days} days apart")
    return start, end


def _date(query: dict[str, str], name: str, zone: ZoneInfo, of_day: time) -> datetime | None:
    """A W3C date and time; a bare date is the whole local day, a time without a zone is local."""
    text = query.get(name, "").strip()
    if not text:
        return None
    if len(text) > 19 and text[-6] == " ":  # a + that nobody escaped
        text = f"{text[:-6]}+{text[-5:]}"
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), of_day, zone)
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        if not 1970 <= moment.astimezone(UTC).year <= 2200:
            raise ValueError(text)
        return moment
    except (ValueError, OverflowError):
        raise Refused(400, f"{name}: a date and time such as 2026-11-22T08:30:00+08:00") from None


def _list(query: dict[str, str], name: str) -> list[str]:
    return [one.strip() for one in query.get(name, "").split(",") if one.strip()]


def _count(query: dict[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise Refused(400, f"{name}: a number from 1 to {most}")
    return int(text)


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")
