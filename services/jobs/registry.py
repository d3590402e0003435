"""The kinds of job that there are, and putting one into a transaction."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from geodata import jobs as queries
from geodata.scope import Db, Pool
from geodata.servers import Stores
from profiles import Profile
from settings import Settings

Queue = Literal["moments", "work"]
QUEUES: tuple[Queue, ...] = ("moments", "work")  # what is due at a moment; what is to be done soon

# Modules that offer jobs; a worker imports them when it begins.
MODULES = (
    "services.jobs.ticket_moments", "services.notices.jobs", "services.pictures.jobs", "services.alarms.jobs",
    "services.incidents.bursts", "services.ticket_days",
)  # fmt: skip
# Jobs that come again by themselves: a worker sees to it, when it begins and now and then, that they are there.
REGULAR = ("incidents.bursts", "tickets.days")


@dataclass(frozen=True, slots=True)
class Work:
    """What a job may use: the place and its stores. A job opens its own transactions."""

    settings: Settings
    profile: Profile
    stores: Stores
    pool: Pool


class Job(NamedTuple):
    """A kind of job. It may run twice, or again after a crash in the middle: it must be done once in effect."""

    name: str
    do: Callable[..., None]
    queue: Queue
    most_retries: int | None  # None: for ever
    first_wait: timedelta
    longest_wait: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many failures, doubling from the first."""
        return min(self.first_wait * (1 << min(failures - 1, 20)), self.longest_wait)


JOBS: dict[str, Job] = {}


def job(
    name: str,
    *,
    queue: Queue = "work",
    most_retries: int | None = None,
    first_wait: timedelta = timedelta(seconds=5),
    longest_wait: timedelta = timedelta(minutes=10),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function `do(work: Work, **args)` a kind of job. One that raises is tried again after a wait that doubles.

    After `most_retries` it is left as failed, where `./wangge status` and the metrics count it.
    """

    def register(do: Callable[..., None]) -> Callable[..., None]:
        known = JOBS.get(name)
        if known is not None and known.do.__module__ != do.__module__:
            raise ValueError(f"there are two jobs with the name {name}")
        JOBS[name] = Job(name, do, queue, most_retries, first_wait, longest_wait)
        return do

    return register


def known_jobs() -> dict[str, Job]:
    """All kinds of job, their modules imported."""
    for module in MODULES:
        importlib.import_module(module)
    return JOBS


def plan(
    conn: Db,
    name: str,
    args: dict[str, Any],
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queue: Queue = "work",
) -> None:
    """Put a job into the caller's transaction: it is done soon after the commit, or at `at` (aware); never without it.

    Of a lock one job waits at most: planned again it moves to the new moment with the new arguments.
    """
    queries.plan(conn, queue, name, lock, args, at)
