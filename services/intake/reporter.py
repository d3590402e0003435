"""Who reported a ticket: kept sealed beside it, shown to nobody but who calls back, each time on record."""

from typing import Annotated, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from geodata.queries import intake as queries
from geodata.scope import Db
from services import audit
from services.access import Viewer
from services.care.masking import masked_name, masked_phone
from services.care.sealing import Seals

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]


class NoReporter(LookupError):
    """Nobody is known to have reported that ticket, or it lies outside of the asker's scope: the same answer."""

    def __init__(self, ticket_id: int) -> None:
        super().__init__(f"nobody is known to have reported the ticket {ticket_id}")


class Reporter(BaseModel):
    """How the reporter can be reached; kept sealed, answered by no interface but the one of call-backs."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Short | None = None
    phone: Short | None = None
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)] | None = None
    device_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = Field(
        None, description="The sender's name of the device, as Open311 knows it."
    )
    account_id: Short | None = Field(None, description="The sender's name of the account.")

    def words(self) -> list[str]:
        """What of it must not stand in the ticket's own words."""
        return [str(value) for value in self.given().values()]

    def given(self) -> dict[str, str]:
        """What is known, empty words left out."""
        return {name: value for name, value in self.model_dump().items() if value}


class Shown(NamedTuple):
    """What a ticket's card may say of its reporter without opening it."""

    name: str | None  # 王**
    phone: str | None  # 138****5678


def keep(conn: Db, seals: Seals, ticket_id: int, area_no: int, reporter: Reporter) -> None:
    """Seal the reporter beside a ticket that was just filed, in its transaction; of nobody nothing is kept."""
    given = reporter.given()
    if not given:
        return
    queries.insert_reporter(
        conn,
        queries.SealedReporter(
            ticket_id,
            area_no,
            masked_name(given["name"]) if "name" in given else None,
            masked_phone(given["phone"]) if "phone" in given else None,
            seals.seal(orjson.dumps(given).decode()),
            seals.key_id,
        ),
    )


def opened(conn: Db, viewer: Viewer, seals: Seals, ticket_id: int) -> Reporter:
    """Who reported a ticket, for whoever calls back; the reading stands in the audit.

    `conn` is in the hat "care" in the viewer's scope. Raises NoReporter, WrongKey.
    """
    row = queries.reporter(conn, ticket_id)
    if row is None:
        raise NoReporter(ticket_id)
    found = Reporter.model_validate_json(seals.open(row.sealed, row.key_id))
    audit.record(
        conn, viewer, audit.Action.reporter_opened, object_kind="ticket", object_id=ticket_id, area_no=row.area_no
    )  # fmt: skip
    return found


def reseal(conn: Db, seals: Seals) -> int:
    """Seal again what an older key sealed; `seals` opens with both. Raises WrongKey. Returns how many."""
    rows = queries.reporters_of_other_keys(conn, seals.key_id)
    for row in rows:
        text = seals.open(row.sealed, row.key_id)
        queries.reseal_reporter(conn, row.ticket_id, seals.seal(text), seals.key_id)
    return len(rows)
