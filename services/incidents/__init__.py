"""Incidents: tickets of one cause, gathered, assigned and closed together, with what lies inside of their perimeter."""

from services.incidents.errors import BadIncident, IncidentClosed, InIncident, StaleIncident, UnknownIncident
from services.incidents.keeping import Change, NewIncident, change, opened_incident

__all__ = [
    "BadIncident", "Change", "InIncident", "IncidentClosed", "NewIncident", "StaleIncident", "UnknownIncident",
    "change", "opened_incident",
]  # fmt: skip
