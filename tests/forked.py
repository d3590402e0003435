"""Tests side by side in processes that are forked once everything is imported and collected, a file at a time each.

`pytest -p tests.forked --side-by-side 3`. pytest-xdist has each of its workers import and collect everything anew, as
much work as a tenth of all tests; those that fork (pytest-zygote, pytest-parallex) know no files that stay together.
"""

import itertools
import multiprocessing
import os
import tempfile
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

import pytest

FORK = multiprocessing.get_context("fork")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say how many."""
    parser.addoption("--side-by-side", type=int, default=0, metavar="N", help="Run N files at a time.")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests in workers, when any are asked for."""
    number = session.config.getoption("side_by_side")
    config = session.config
    if not number or config.option.collectonly or not session.items:
        return None
    if session.testsfailed and not config.option.continue_on_collection_errors:
        return None  # pytest's own loop says so
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter:
        reporter.showfspath = False  # the files come mixed
    Controller(session, number).run()
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
    return True


class Tells(Protocol):
    """The end of a pipe that a worker writes to."""

    def send(self, obj: Any, /) -> None:
        """Hand it over."""


@dataclass
class Worker:
    """A process, and the tests it is to run, by their place in the session."""

    process: BaseProcess
    pipe: Connection
    ahead: deque[int] = field(default_factory=deque)
    running: int | None = None


class Controller:
    """Hands out files, and reports what the workers tell."""

    def __init__(self, session: pytest.Session, number: int) -> None:
        """The files wait in the order in which they were collected."""
        self.session = session
        items = session.items
        grouped = itertools.groupby(range(len(items)), lambda at: items[at].nodeid.partition("::")[0])
        self.files = deque(deque(places) for _, places in grouped)
        self.number = min(number, len(self.files))
        self.workers: dict[Connection, Worker] = {}
        self.names = itertools.count()
        factory: Any = session.config._tmp_path_factory  # type: ignore[attr-defined]
        self.folder = factory.getbasetemp()

    def run(self) -> None:
        """Until no worker is left."""
        try:
            for _ in range(self.number):
                self._fork()
            while self.workers:
                for pipe in wait(list(self.workers)):
                    worker = self.workers[pipe]  # type: ignore[index]
                    try:
                        told = worker.pipe.recv()
                    except (EOFError, ConnectionResetError):
                        self._gone(worker)
                    else:
                        self._hear(worker, *told)
        finally:
            left = list(self.workers.values())
            for worker in left:
                worker.pipe.close()
            for worker in left:
                worker.process.join()

    def _fork(self) -> None:
        ours, theirs = FORK.Pipe()
        folder = self.folder / f"worker{next(self.names)}"
        folder.mkdir(mode=0o700)
        others = [ours, *self.workers]
        process = FORK.Process(target=_work, args=(self.session, theirs, folder, others))
        process.start()
        theirs.close()
        self.workers[ours] = Worker(process, ours)

    def _hear(self, worker: Worker, hook: str, about: dict[str, Any]) -> None:
        config = self.session.config
        if hook == "ready":
            self._give(worker)
        elif hook == "pytest_runtest_logreport":
            report = config.hook.pytest_report_from_serializable(config=config, data=about)
            config.hook.pytest_runtest_logreport(report=report)
        else:
            getattr(config.hook, hook)(**about)

    def _give(self, worker: Worker) -> None:
        """Hand out its next test, with the one after it: what both share is kept for it."""
        if self.session.shouldfail or self.session.shouldstop:
            worker.ahead.clear()
            self.files.clear()
        if len(worker.ahead) < 2 and self.files:
            worker.ahead += self.files.popleft()
        worker.running = worker.ahead.popleft() if worker.ahead else None
        try:
            worker.pipe.send((worker.running, worker.ahead[0] if worker.ahead else None))
        except BrokenPipeError:
            return  # it is gone, as its end of the pipe will tell
        if worker.running is None:
            worker.process.join()
            del self.workers[worker.pipe]
            worker.pipe.close()

    def _gone(self, worker: Worker) -> None:
        """It ended in the middle of a test: that one has failed, another worker runs the rest."""
        del self.workers[worker.pipe]
        worker.pipe.close()
        worker.process.join()
        if worker.running is None:
            raise RuntimeError(f"A worker ended before its first test: exit code {worker.process.exitcode}.")
        item = self.session.items[worker.running]
        said = f"The worker ended in this test: exit code {worker.process.exitcode}."
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", said, "call")
        item.ihook.pytest_runtest_logreport(report=report)
        if worker.ahead:
            self.files.appendleft(worker.ahead)
        if self.files:
            self._fork()


class Teller:
    """Tells the controller what pytest's own reporter would print."""

    def __init__(self, pipe: Tells, config: pytest.Config) -> None:
        """Over this pipe."""
        self.pipe, self.config = pipe, config

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """A test begins."""
        self.pipe.send(("pytest_runtest_logstart", {"nodeid": nodeid, "location": location}))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of it is done."""
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        self.pipe.send(("pytest_runtest_logreport", data))

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """It is done."""
        self.pipe.send(("pytest_runtest_logfinish", {"nodeid": nodeid, "location": location}))


def _work(session: pytest.Session, pipe: Connection, folder: Any, others: Iterable[Connection]) -> None:
    """Run what the controller hands out, in the forked process."""
    for other in others:
        other.close()  # or the end of the controller would not be noticed
    config: Any = session.config
    if config.option.capture == "fd":
        captured = config.pluginmanager.getplugin("capturemanager")._global_capturing
        for stream in (captured.out, captured.err):
            with tempfile.TemporaryFile(buffering=0) as own:  # the other was the controller's, too
                os.dup2(own.fileno(), stream.tmpfile.fileno())
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(Teller(pipe, config))
    config._tmp_path_factory._basetemp = folder
    items = session.items
    try:
        while True:
            pipe.send(("ready", {}))
            place, following = pipe.recv()
            if place is None:
                break
            after = None if following is None else items[following]
            config.hook.pytest_runtest_protocol(item=items[place], nextitem=after)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        pass  # the controller has ended, or is about to
    finally:
        session._setupstate.teardown_exact(None)
