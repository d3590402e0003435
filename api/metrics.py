"""GET /api/metrics: what Prometheus reads, and the measures that every request feeds."""

from collections.abc import Iterator

from fastapi import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.router import Router
from services.jobs.metrics import JobCollector
from services.runtime import Runtime

REQUESTS = Counter("wangge_http_requests_total", "Requests answered.", ["method", "route", "status"])
LATENCY = Histogram(
    "wangge_http_request_seconds", "Time to the end of the answer (seconds).", ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)  # fmt: skip
POOL = {
    "pool_size": "Database connections open.",
    "pool_available": "Database connections idle.",
    "requests_waiting": "Requests waiting for a database connection.",
    "requests_errors": "Requests that got no database connection in time, so far.",
}


class RuntimeCollector(Collector):
    """Figures that are read from the runtime at the moment of asking."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The pool's figures now."""
        stats = self.runtime.pool.get_stats()
        for key, words in POOL.items():
            yield GaugeMetricFamily(
                f"wangge_{key if key.startswith('pool') else f'pool_{key}'}", words, stats.get(key, 0)
            )


def router(runtime: Runtime) -> Router:
    """The route of the measures."""
    routes = Router(prefix="/api", tags=["Operation"])
    own = CollectorRegistry()  # one an app: tests make several in a process
    own.register(RuntimeCollector(runtime))
    own.register(JobCollector(runtime.pool))

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def metrics() -> Response:
        """Measures in Prometheus' text format: requests, latencies, database pool, screens, positions, jobs."""
        return Response(
            generate_latest(REGISTRY) + generate_latest(own), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    return routes
