"""The rounds of a generated place: nearly all made, marked, the same again when made again."""

from datetime import UTC, datetime

import profiles
from geodata.generate import rounds
from geodata.scope import Db

NOW = datetime.now(UTC)


def test_rounds_are_made_up_once_and_say_so(conn: Db) -> None:
    profile = profiles.load("horinger")
    rounds.fill(conn, profile, 1, NOW)
    query = "SELECT kind, first_day, area_no, done_at, due, generated FROM round ORDER BY 1, 2, 3"
    made = conn.execute(query).fetchall()
    assert {row[0] for row in made} == {"daily", "weekly", "monthly"}
    assert all(row[5] and row[3] <= NOW for row in made)
    past = [row for row in made if row[0] == "daily" and row[4] < NOW]
    owed = 36 * len({row[1] for row in past})
    assert 0.9 < len(past) / owed < 1 and 0 < sum(row[3] > row[4] for row in past) < 0.1 * owed
    rounds.fill(conn, profile, 1, NOW)
    assert conn.execute(query).fetchall() == made
