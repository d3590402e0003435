"""Measures of the queue, read when they are asked for."""

from collections.abc import Iterator

import psycopg
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg_pool import PoolTimeout

from geodata import jobs
from geodata.scope import EVERYTHING, Pool, scoped


class JobCollector(Collector):
    """How full the queue is and how late its oldest due job; nothing while the database is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The queue's figures now."""
        try:
            with scoped(self._pool, EVERYTHING, "jobs") as conn:
                figures = jobs.figures(conn)
        except (psycopg.Error, PoolTimeout):
            return
        full = GaugeMetricFamily("wangge_jobs", "Jobs by state; planned are due later.", labels=["state"])
        for state in ("waiting", "planned", "running", "failed"):
            full.add_metric([state], getattr(figures, state))
        yield full
        yield GaugeMetricFamily(
            "wangge_jobs_late_seconds", "Age of the oldest job that is due and not begun.", figures.late_s
        )

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing: a registry then asks for no figures when it takes this in."""
        return []
