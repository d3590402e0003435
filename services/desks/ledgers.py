"""Ledgers of call-backs, supervision, consultations and mediation as XLSX: watermarked, audited, free of formulas."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from geodata.queries import desks, mediation_board, mediation_near, supervision
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.care.opening import checked_reason, require_person
from services.desks.errors import BadDesk
from services.tickets import number
from services.workbook import workbook

Ledger = Literal["call_backs", "supervision", "consultations", "mediation"]
MOST_ROWS = 5000
Say = Callable[[str, str | None], str]  # (vocabulary, code) → its name; an empty word for no code

# Each ledger's columns with their widths in characters.
COLUMNS: Mapping[str, Mapping[str, int]] = {
    "call_backs": {
        "at": 17, "ticket": 18, "channel": 12, "category": 14, "department": 16, "place": 22, "outcome": 10,
        "satisfaction": 10, "solved": 10, "comment": 40, "again_at": 17, "actor": 12, "generated": 8,
    },
    "supervision": {
        "supervised_at": 17, "ticket": 18, "channel": 12, "category": 14, "department": 16, "place": 22,
        "supervision": 12, "status": 10, "due_at": 17, "closed_at": 17, "redos": 8, "transfers": 8, "level": 8,
        "satisfaction": 10, "solved": 10, "urges": 8, "last_urge": 17, "generated": 8,
    },
    "consultations": {
        "asked_at": 17, "ticket": 18, "category": 14, "place": 22, "question": 40, "participants": 28, "people": 24,
        "meets_at": 17, "minutes": 40, "decision": 40, "decided_at": 17, "generated": 8,
    },
    "mediation": {
        "number": 14, "received_at": 17, "category": 14, "place": 22, "tier": 10, "parties": 20, "room": 20,
        "mediator": 12, "state": 10, "accepted_at": 17, "due_at": 17, "closed_at": 17, "sessions": 8,
        "agreement_form": 12, "perform_by": 12, "performed": 10, "generated": 8,
    },
}  # fmt: skip


class Asked(NamedTuple):
    """What to take away: a ledger between two moments (until not included), and why."""

    ledger: Ledger
    since: datetime
    until: datetime
    reason: str


def export(conn: Db, actor: Viewer, asked: Asked, *, say: Say, zone: ZoneInfo, now: datetime) -> bytes:
    """The ledger in scope as an XLSX file; `say` has the headings too ("column", "watermark").

    `conn` is in the hat "facts", for mediation in the hat "care": there the parties stay masked. Raises BadDesk (more
    than 5,000 rows, the wrong way round), BadCare (no reason), NotForThem.
    """
    require_person(actor)
    reason = checked_reason(asked.reason)
    if asked.until <= asked.since:
        raise BadDesk("until", asked.until.isoformat(), "a day after `since`")
    lines = _LINES[asked.ledger](_Sheet(conn, asked, say, zone))
    if len(lines) > MOST_ROWS:
        raise BadDesk("since", asked.since.isoformat(), f"days with at most {MOST_ROWS} rows")
    serial = secrets.token_hex(4)
    numbered = [[f"{serial}-{count:04d}", *line] for count, line in enumerate(lines, 1)]
    columns = COLUMNS[asked.ledger]
    watermark = say("watermark", asked.ledger).format(
        account=actor.name, time=f"{now.astimezone(zone):%Y-%m-%d %H:%M:%S}", reason=reason, number=serial,
        rows=len(lines),
    )  # fmt: skip
    headings = [say("column", "row"), *(say("column", name) for name in columns)]
    book = workbook(watermark, headings, [16, *columns.values()], numbered)
    action = audit.Action.mediation_exported if asked.ledger == "mediation" else audit.Action.export
    audit.record(
        conn, actor, action, object_kind="ledger", object_id=serial, reason=reason,
        detail={"ledger": asked.ledger, "rows": len(lines), "since": asked.since, "until": asked.until},
    )  # fmt: skip
    return book


class _Sheet(NamedTuple):
    """What the lines of a ledger are made from."""

    conn: Db
    asked: Asked
    say: Say
    zone: ZoneInfo

    @property
    def span(self) -> tuple[datetime, datetime, int]:
        """Since, until, and one row more than may be."""
        return self.asked.since, self.asked.until, MOST_ROWS + 1

    def line(self, ledger: Ledger, told: Mapping[str, Any]) -> list[str]:
        """The cells of a row in the order of the columns."""
        return [self.cell(told[name]) for name in COLUMNS[ledger]]

    def cell(self, value: Any) -> str:
        """A value as text: moments in the place's time, yes or no in words."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return self.say("flag", "yes" if value else "no")
        if isinstance(value, datetime):
            return f"{value.astimezone(self.zone):%Y-%m-%d %H:%M}"
        if isinstance(value, date):
            return value.isoformat()
        return str(value)

    def ticket(self, row: Any) -> str:
        """The number of a ticket as people read it."""
        return number(row.ticket_id, row.reported_at, self.zone.key)

    def of_ticket(self, row: Any) -> dict[str, Any]:
        """The cells that all rows about tickets share."""
        return {
            **row._asdict(),
            "ticket": self.ticket(row),
            "category": self.say("category", row.category),
            "place": _place(row.area, row.town),
        }


def _place(area: str, town: str | None) -> str:
    return area if town in (None, area) else f"{town} {area}"


def _call_backs(sheet: _Sheet) -> list[list[str]]:
    say = sheet.say
    return [
        sheet.line(
            "call_backs",
            {
                **sheet.of_ticket(row),
                "channel": say("channel", row.channel),
                "department": say("department", row.department),
                "outcome": say("outcome", row.outcome),
                "satisfaction": say("satisfaction", row.satisfaction),
                "solved": say("solved", row.solved),
            },
        )
        for row in desks.ledger(sheet.conn, *sheet.span)
    ]


def _supervision(sheet: _Sheet) -> list[list[str]]:
    say = sheet.say
    return [
        sheet.line(
            "supervision",
            {
                **sheet.of_ticket(row),
                "channel": say("channel", row.channel),
                "department": say("department", row.department),
                "supervision": say("supervision", row.supervision),
                "status": say("status", row.status),
                "level": row.escalation or None,
                "satisfaction": say("satisfaction", row.satisfaction),
                "solved": say("solved", row.solved),
            },
        )
        for row in supervision.ledger(sheet.conn, *sheet.span)
    ]


def _consultations(sheet: _Sheet) -> list[list[str]]:
    since, until, most = sheet.span
    found = desks.consultations(sheet.conn, since=since, limit=most)
    return [
        sheet.line(
            "consultations",
            {
                **sheet.of_ticket(row),
                "participants": ", ".join(sheet.say("department", code) for code in row.participants),
                "people": ", ".join(row.people),
            },
        )
        for row in found
        if row.asked_at < until
    ]


def _mediation(sheet: _Sheet) -> list[list[str]]:
    since, until, most = sheet.span
    asked = mediation_board.Asked(until, until.astimezone(sheet.zone).date(), "all", since=since, until=until)
    found = mediation_board.page(sheet.conn, asked, most)
    names = mediation_near.place_names(sheet.conn, [row.area_no for row in found])
    say = sheet.say
    return [
        sheet.line(
            "mediation",
            {
                **row._asdict(),
                "category": say("category", row.category),
                "place": _place(*names.get(row.area_no, (str(row.area_no), None))),
                "tier": say("tier", str(row.tier)),
                "parties": ", ".join(row.parties),
                "state": say("mediation_state", row.state),
                "agreement_form": say("agreement_form", row.agreement_form),
            },
        )
        for row in sorted(found, key=lambda row: (row.received_at, row.id))
    ]


_LINES: Mapping[str, Callable[[_Sheet], Sequence[list[str]]]] = {
    "call_backs": _call_backs,
    "supervision": _supervision,
    "consultations": _consultations,
    "mediation": _mediation,
}
