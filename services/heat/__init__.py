"""Heat: all placed tickets as columns in memory, counted per fine cell for any time window and filter."""

from services.heat.columns import FAR_FUTURE, Filter
from services.heat.store import HeatStore, NotLoaded, UnknownFilter

__all__ = ["FAR_FUTURE", "Filter", "HeatStore", "NotLoaded", "UnknownFilter"]
