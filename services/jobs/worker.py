"""A worker: takes jobs from the queue and does them, in a thread of the web process or as a process of its own."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import structlog
from procrastinate import App, JobContext, PsycopgConnector, RetryDecision, exceptions
from procrastinate.jobs import Job as Stored
from procrastinate.retry import BaseRetryStrategy
from prometheus_client import Counter
from psycopg import AsyncConnection

from geodata import jobs as queries
from geodata.scope import EVERYTHING, scoped
from services.jobs.registry import QUEUES, REGULAR, Job, Queue, Work, known_jobs

log = structlog.get_logger("wangge.jobs")
DONE = Counter("wangge_jobs_done_total", "Jobs that this process has done.", ["job"])
FAILED = Counter(
    "wangge_jobs_failures_total", "Failures of jobs in this process; most are tried again.", ["job"]
)
POLL_S = {"moments": 0.5, "work": 2.0}  # a moment is looked for; other work wakes its worker at the commit
AT_ONCE = {"moments": 2, "work": 2}
HEARTBEAT_S = 2.0
SILENT_S = 10.0  # a worker that gave no sign for so long is dead: its jobs begin anew
LOOK_S = 3.0  # how often somebody looks for them
GRACE_S = 3.0  # for running jobs when the worker is to end
SWEEP_S = 600.0


class Worker:
    """Runs until it is stopped; a database that is away is waited for. Several may run, in any number of processes.

    Kill it anywhere: a job that was begun is found by its worker's silence and begins anew.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._jobs = known_jobs()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin in the background."""
        logging.getLogger("procrastinate").setLevel(
            logging.CRITICAL
        )  # failures are told here, with less noise
        self._thread.start()

    def stop(self) -> None:
        """End after the running jobs, or without them after a short while."""
        self._stop.set()
        loop, main = self._loop, self._main
        if loop is not None and main is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(main.cancel)
        if self._thread.is_alive():
            self._thread.join(timeout=GRACE_S + 2)

    def _run(self) -> None:
        pause_s = 0.2
        while not self._stop.is_set():
            try:
                asyncio.run(self._serve())
                pause_s = 0.2
            except asyncio.CancelledError:
                return
            except (psycopg.Error, exceptions.ProcrastinateException, OSError) as error:
                log.warning("jobs wait for the database", error=str(error).strip() or type(error).__name__)
            self._stop.wait(pause_s)
            pause_s = min(pause_s * 2, 2.0)

    async def _serve(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        if self._stop.is_set():
            return
        connector = PsycopgConnector(
            conninfo=self._work.stores.app_url, min_size=1, max_size=4, timeout=5, configure=_as_jobs,
            kwargs={"application_name": "wangge jobs", "connect_timeout": 3},
        )  # fmt: skip
        app = App(connector=connector)
        for job in self._jobs.values():
            app.task(name=job.name, queue=job.queue, pass_context=True, retry=_Retry(job))(self._doing(job))
        async with app.open_async():
            parts: list[Awaitable[None]] = [self._keep_house(), *(self._take(app, queue) for queue in QUEUES)]
            running = [asyncio.ensure_future(part) for part in parts]
            try:
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
            for task in done:
                task.result()

    @staticmethod
    async def _take(app: App, queue: Queue) -> None:
        await app.run_worker_async(
            queues=[queue],
            name=queue,
            concurrency=AT_ONCE[queue],
            fetch_job_polling_interval=POLL_S[queue],
            listen_notify=queue == "work",
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=SILENT_S,
            shutdown_graceful_timeout=GRACE_S,
        )

    async def _keep_house(self) -> None:
        """Look for jobs of dead workers, and now and then for tickets without a job."""
        looks = 0
        while True:
            await asyncio.to_thread(self._look, looks % round(SWEEP_S / LOOK_S) == 0)
            looks += 1
            await asyncio.sleep(LOOK_S)

    def _look(self, sweep: bool) -> None:
        with scoped(self._work.pool, EVERYTHING, "jobs") as conn:
            again = queries.take_up_again(conn, SILENT_S)
            if sweep:
                for name in (queries.SWEEP, *REGULAR):
                    queries.plan(conn, "work", name, name, {}, None)
        if again:
            log.warning("jobs of a dead worker begin anew", jobs=again)

    def _doing(self, job: Job) -> Callable[..., None]:
        def do(context: JobContext, **args: Any) -> None:
            try:
                job.do(self._work, **args)
            except Exception as error:
                FAILED.labels(job.name).inc()
                log.error("a job failed", job=job.name, args=args, exc_info=error)
                if context.job.queueing_lock is None:
                    raise
                self._later(job, context.job, args)
            else:
                DONE.labels(job.name).inc()

        return do

    def _later(self, job: Job, stored: Stored, args: dict[str, Any]) -> None:
        """Plan one with a lock anew: it cannot wait as it is, as another of its lock may have been planned."""
        failures = int(args.get("failures", 0)) + 1
        at = datetime.now(UTC) + job.wait(failures)
        planned = queries.Planned(stored.queueing_lock or "", args | {"failures": failures}, at)
        with scoped(self._work.pool, EVERYTHING, "jobs") as conn:
            queries.plan_many(conn, job.queue, job.name, [planned])


class _Retry(BaseRetryStrategy):
    def __init__(self, job: Job) -> None:
        self._job = job

    def get_retry_decision(self, *, exception: BaseException, job: Stored) -> RetryDecision | None:
        """When to try again; None to leave it as failed."""
        failures = job.attempts + 1
        if self._job.most_retries is not None and failures > self._job.most_retries:
            return None
        return RetryDecision(retry_at=datetime.now(UTC) + self._job.wait(failures))


async def _as_jobs(conn: AsyncConnection) -> None:
    """Give up all rights but those of a worker."""
    await conn.execute("SET ROLE wangge_jobs")
    await conn.commit()
