"""A worker as a process of its own that kills itself at a given step."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import profiles
from geodata.pool import make_pool
from geodata.servers import Stores
from services.jobs import Work, registry, ticket_moments, worker
from services.logs import configure_logs
from settings import Settings

STEPS = (
    "fetched",  # the job is marked as begun, nothing is done
    "told",  # the event is written, not committed
    "planned",  # all is written, not committed
    "committed",  # all is committed, the job is not marked as done
    "none",
)


def die_after(do: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and then the end of the process."""

    def done(*args: Any, **named: Any) -> Any:
        do(*args, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return done


def die_before(do: Callable[..., Any]) -> Callable[..., Any]:
    """The end of the process instead."""
    return lambda *args, **named: os.kill(os.getpid(), signal.SIGKILL)


def main(stores: Stores, step: str) -> None:
    """Work until killed."""
    configure_logs(Settings(log_level="warning"))
    worker.HEARTBEAT_S, worker.SILENT_S, worker.LOOK_S = 0.2, 1.0, 0.3
    job = registry.known_jobs()[ticket_moments.JOB]
    match step:
        case "fetched":
            registry.JOBS[job.name] = job._replace(do=die_before(job.do))
        case "told":
            ticket_moments.perform = die_after(ticket_moments.perform)  # type: ignore[assignment]
        case "planned":
            ticket_moments.tell_due = die_after(ticket_moments.tell_due)
        case "committed":
            registry.JOBS[job.name] = job._replace(do=die_after(job.do))
    with make_pool(stores.app_url, size=4) as pool:
        running = worker.Worker(Work(Settings(), profiles.load("zoucheng"), stores, pool))
        running.start()
        asked = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: asked.set())
        asked.wait()
        running.stop()
