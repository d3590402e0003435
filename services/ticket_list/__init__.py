"""The list of tickets: what is asked for, pages of it, commands for many at once, filters kept, and export."""
