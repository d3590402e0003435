"""GET /api/health (alive) and GET /api/ready (really asks PostGIS, Redis and the schema's version)."""

from collections.abc import Callable
from typing import Literal

import structlog
from fastapi import Response
from pydantic import BaseModel

from api.router import Router
from geodata.migrate import waiting
from services.runtime import Runtime
from settings import VERSION

log = structlog.get_logger("wangge.health")
LIMIT_S = 2.0


class Health(BaseModel):
    """The process runs."""

    status: Literal["alive"] = "alive"
    version: str = VERSION


class Check(BaseModel):
    """One store: whether it answers, and what it said or why not."""

    ok: bool
    said: str


class Ready(BaseModel):
    """Whether requests can be served; each check with its reason."""

    ready: bool
    checks: dict[str, Check]


def router(runtime: Runtime) -> Router:
    """The two routes that watchers of the process ask."""
    routes = Router(prefix="/api", tags=["Operation"])

    def postgis() -> str:
        with runtime.pool.connection(timeout=LIMIT_S) as conn, conn.transaction():
            conn.execute(f"SET LOCAL statement_timeout = {int(LIMIT_S * 1000)}")
            row = conn.execute("SELECT postgis_lib_version()").fetchone()
            assert row is not None
            return f"PostGIS {row[0]}"

    def schema() -> str:
        with runtime.pool.connection(timeout=LIMIT_S) as conn:
            missing = waiting(conn)
        if missing:
            raise LookupError(f"not migrated: {', '.join(missing)}; run ./wangge migrate")
        return "current"

    def redis() -> str:
        runtime.redis.ping()
        return "PONG"

    @routes.get("/health")
    def health() -> Health:
        """Alive: the process answers. Asks nothing else."""
        return Health()

    @routes.get("/ready", responses={503: {"model": Ready, "description": "Not ready; the checks say why."}})
    def ready(response: Response) -> Ready:
        """Ready: PostGIS, the schema and Redis really answer within 2 seconds each; 503 with the reasons if not."""
        checks = {
            name: _check(ask) for name, ask in (("postgis", postgis), ("schema", schema), ("redis", redis))
        }
        good = all(check.ok for check in checks.values())
        response.status_code = 200 if good else 503
        response.headers["Cache-Control"] = "no-store"
        return Ready(ready=good, checks=checks)

    return routes


def _check(ask: Callable[[], str]) -> Check:
    try:
        return Check(ok=True, said=ask())
    except Exception as error:
        log.warning("not ready", reason=str(error))
        return Check(ok=False, said=str(error).strip().partition("\n")[0] or type(error).__name__)
