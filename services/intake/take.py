"""Takes a report in: the ticket, and beside it its reporter, sealed, in one transaction."""

from datetime import datetime

from geodata.scope import Db
from profiles import Profile
from services.access import Viewer
from services.care.sealing import Seals
from services.intake import reporter
from services.tickets import Filed, Report, file_ticket


def take(
    conn: Db,
    profile: Profile,
    seals: Seals,
    viewer: Viewer,
    report: Report,
    *,
    key: str | None = None,
    source: str | None = None,
    now: datetime | None = None,
) -> Filed:
    """File a report as file_ticket does, and keep who reported it if that is told. Raises BadReport."""
    filed = file_ticket(conn, profile, viewer, report, key=key, source=source, now=now)
    if filed.created and report.reporter is not None:
        reporter.keep(conn, seals, filed.ticket.id, filed.ticket.area.no, report.reporter)
    return filed
