"""The clock of tickets: when something is due, why, and how far along it is; pure functions, no queries."""
