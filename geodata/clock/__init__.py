"""Working time: the calendar of a place, its office hours as a table, and ends of limits for whole columns."""
