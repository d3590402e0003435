"""Who asks over Open311: a client by bearer token or `api_key`, somebody signed in, or anybody where it is open."""

from fastapi import HTTPException, Request

from api.gate import ANYBODY
from api.intake_limit import IntakeLimit
from services.access import Right, Viewer
from services.open311.errors import Refused
from services.runtime import Runtime

READS_PER_MINUTE = 300  # of one address without a key


class Askers:
    """Lets through who may read or report, each at its own pace."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._reading = IntakeLimit(runtime, "open311", READS_PER_MINUTE)
        self._reporting = IntakeLimit(runtime)

    async def reader(self, request: Request, api_key: str | None) -> Viewer:
        """Who reads. Raises Refused 403 and HTTPException 429, 503."""
        known = await self._known(request, Right.TICKETS_READ, api_key)
        if known is None and not self._runtime.settings.open311_public:
            raise Refused(403, "api_key missing or invalid: reading needs the key of a client here.")
        await self._reading.count(request, known or ANYBODY)
        return known or ANYBODY

    async def count_report(self, request: Request) -> None:
        """Count a report before its body is read. Raises HTTPException 429."""
        await self._reporting.count(request, request.scope["state"]["viewer"] or ANYBODY)

    async def reporter(self, request: Request, api_key: str | None) -> Viewer:
        """Who reports. Raises Refused 403 and HTTPException 503."""
        known = await self._known(request, Right.TICKETS_FILE, api_key)
        if known is None and not self._runtime.settings.open_intake:
            raise Refused(403, "api_key missing or invalid: reporting needs the key of a client here.")
        return known or ANYBODY

    async def _known(self, request: Request, right: Right, api_key: str | None) -> Viewer | None:
        """The viewer, if it has the right; a key that opens nothing is refused rather than passed over."""
        state = request.scope["state"]
        if state["away"]:
            raise HTTPException(503, "Keys cannot be checked at the moment; try again.", {"Retry-After": "2"})
        viewer: Viewer | None = state["viewer"]
        if api_key:
            viewer = await self._runtime.tokens.client(api_key)
            if viewer is None:
                raise Refused(403, "api_key missing or invalid: no client has this key.")
        if viewer is None or viewer.must_change or not viewer.may(right):
            return None
        return viewer
