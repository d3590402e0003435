"""What the simulator plays: learnt once from the database by the operator who starts it, who also registers its phones.

All that happens afterwards goes over HTTP.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from geodata.queries import accounts
from geodata.queries import simulation as queries
from geodata.queries.simulation import OpenTicket, Past, Walk
from geodata.queries.workers import (
    WorkerRow,
    active_workers,
    add_devices,
    add_passing_client,
    remove_devices,
    remove_old_devices,
    remove_passing_client,
)
from geodata.scope import Db
from profiles import Profile
from services.access.demo import demo_accounts
from services.simulator.played import Played

LEARNT_DAYS = 28
DEFAULT_A_DAY = 300.0  # tickets, where there is no history to learn from
# Share of a day's tickets by hour, where there is no history: little at night, most in the morning.
DEFAULT_RHYTHM = (1, 1, 1, 1, 1, 2, 4, 8, 13, 14, 13, 10, 7, 8, 10, 10, 9, 8, 7, 6, 5, 4, 3, 2)
LABEL = "simulator"
PARTS = ("citizen", "dispatcher", "worker", "caller")  # who takes part, each a client of its own


@dataclass(frozen=True)
class Script:
    """Everything a run needs; nothing of it is read again."""

    walks: list[Walk]
    workers: dict[int, WorkerRow]
    tokens: dict[int, str]
    past: list[Past]
    open_tickets: list[OpenTicket]
    an_hour: list[float]  # tickets in each local hour of a day
    time_zone: str
    place: Played


def learn(conn: Db, profile: Profile, tokens: dict[int, str], workers: list[WorkerRow]) -> Script:
    """Read what the place is like; `tokens` are those that `register_devices` gave."""
    now = datetime.now(UTC)
    since = now - timedelta(days=LEARNT_DAYS)
    counts = queries.tickets_an_hour(conn, since, now, profile.time_zone)
    if sum(counts.values()) >= LEARNT_DAYS:
        an_hour = [counts.get(hour, 0) / LEARNT_DAYS for hour in range(24)]
    else:
        an_hour = [DEFAULT_A_DAY * share / sum(DEFAULT_RHYTHM) for share in DEFAULT_RHYTHM]
    walks = queries.walks(conn)
    return Script(
        walks=walks,
        workers={worker.id: worker for worker in workers},
        tokens=tokens,
        past=queries.past_tickets(conn, since) or _invented(profile, walks),
        open_tickets=queries.open_tickets(conn, now),
        an_hour=an_hour,
        time_zone=profile.time_zone,
        place=Played.of(profile, workers),
    )


def register_devices(conn: Db) -> tuple[dict[int, str], list[WorkerRow]]:
    """Give every active worker a phone of this run, as the database's owner: worker id → token."""
    remove_old_devices(conn, f"{LABEL} %", days=1)
    workers = active_workers(conn)
    tokens = {worker.id: secrets.token_urlsafe(12) for worker in workers}
    add_devices(conn, [(hashlib.sha256(token.encode()).digest(), w, label()) for w, token in tokens.items()])
    return tokens, workers


def register_clients(conn: Db) -> dict[str, str]:
    """Bearer tokens with which the people of this run file tickets and move them on, as the database's owner."""
    tokens = {}
    for part in PARTS:
        remove_passing_client(conn, client_name(part), LABEL)
        tokens[part] = secrets.token_urlsafe(24)
        digest = hashlib.sha256(tokens[part].encode()).digest()
        add_passing_client(conn, digest, client_name(part), hours=24 * 7)
    return tokens


def demo_dispatcher(conn: Db) -> tuple[str, str] | None:
    """Login and password of the demo's dispatcher, who sits at the desks; None where there is no such account."""
    account = next(one for one in demo_accounts() if one.role == "dispatcher")
    known = accounts.by_login(conn, account.login)
    return (account.login, account.password) if known is not None and known.demo else None


def forget(conn: Db) -> None:
    """Remove the phones and the tokens of this run."""
    remove_devices(conn, label())
    for part in PARTS:
        remove_passing_client(conn, client_name(part), LABEL)


def client_name(part: str) -> str:
    """What somebody of this run is called in the history of a ticket."""
    return f"{label()} {part}"


def label() -> str:
    """What the devices of this process are called."""
    return f"{LABEL} {os.getpid()}"


def _invented(profile: Profile, walks: list[Walk]) -> list[Past]:
    """Models by the profile's shares, where there is no history: about 2,000, anywhere that workers walk."""
    places = [place for walk in walks for place in walk.places]
    kinds = [
        (kind, category.share * kind.share) for category in profile.categories for kind in category.kinds
    ]
    whole = sum(share for _, share in kinds) * sum(channel.share for channel in profile.channels)
    found: list[Past] = []
    for kind, share in kinds:
        for channel in profile.channels:
            for _ in range(max(1, round(2000 * share * channel.share / whole))):
                lon, lat = places[len(found) * 7919 % len(places)] if places else (None, None)
                found.append(Past(channel.code, kind.code, kind.name, None, lon, lat, False))
    return found
