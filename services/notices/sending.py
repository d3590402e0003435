"""Sends what waits for one target, each ticket's in order, and decides what becomes of what was not taken."""

import time
from typing import Any

import httpx
import orjson
import structlog
from prometheus_client import Counter

from geodata.queries import notices as queries
from geodata.queries.notices import Waiting
from geodata.scope import EVERYTHING, Pool, scoped
from profiles import Profile
from services.care.sealing import Seals, WrongKey
from services.intake.masking import masked
from services.intake.signing import SIGNATURE, TIMESTAMP, signature
from services.notices import guard
from services.tickets.record import number
from settings import VERSION, Settings

log = structlog.get_logger("wangge.notices")
TOLD = Counter("wangge_notices_total", "Status call-backs by what became of the try.", ["outcome"])
# Seconds before each further try: 8 tries within a day.
WAITS_S = (30, 120, 480, 1_920, 7_680, 30_720, 45_000)
LEASE_S = 90  # longer than one try can take
TIMEOUT = httpx.Timeout(10, connect=5)
# Words that the sender is told: what was done, or why not. Remarks among colleagues never.
TOLD_WORDS = {
    "handle": "result",
    "reject": "reason",
    "cancel": "reason",
    "suspend": "reason",
    "reopen": "reason",
}


class Sender:
    """Sends for one target until nothing is due any more, or its time is up."""

    def __init__(self, pool: Pool, profile: Profile, settings: Settings, target: queries.TargetRow) -> None:
        self._pool = pool
        self._profile = profile
        self._settings = settings
        self._target = target

    def send_due(self, for_s: float) -> int:
        """Send what is due, for so many seconds at most; returns how many were tried."""
        try:
            secret = Seals.of(self._settings).open(self._target.secret_sealed, self._target.key_id)
        except WrongKey as error:
            log.error("a target's secret does not open", target=self._target.name, error=str(error))
            return 0
        until, tried = time.monotonic() + for_s, 0
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
            while time.monotonic() < until:
                with scoped(self._pool, EVERYTHING, "jobs") as conn:
                    waiting = queries.take(conn, self._target.id, LEASE_S)
                if waiting is None:
                    break
                tried += 1
                self._try(client, waiting, secret)
        return tried

    def _try(self, client: httpx.Client, waiting: Waiting, secret: str) -> None:
        answer, error = None, ""
        try:
            answer = self._post(client, waiting, secret)
            if not 200 <= answer < 300:
                error = f"answered {answer}"
        except (httpx.HTTPError, guard.Forbidden, OSError, ValueError) as fault:
            error = f"{type(fault).__name__}: {fault}".strip()
        with scoped(self._pool, EVERYTHING, "jobs") as conn:
            if answer is not None and not error:
                queries.sent(conn, waiting.seq, answer)
                TOLD.labels("sent").inc()
                return
            wait_s = WAITS_S[waiting.tries - 1] if waiting.tries <= len(WAITS_S) else None
            queries.failed(conn, waiting.seq, answer, error, wait_s)
        TOLD.labels("failed" if wait_s is not None else "dead").inc()
        level = log.info if wait_s is not None else log.warning
        level("a call-back was not taken", target=self._target.name, tries=waiting.tries, error=error)

    def _post(self, client: httpx.Client, waiting: Waiting, secret: str) -> int:
        """The status of the answer, whose body is not read."""
        way = guard.way_to(self._target.url, self._settings)
        body, sent_at = orjson.dumps(self.body(waiting)), int(time.time())
        headers = {
            "Host": way.host,
            "Content-Type": "application/json",
            "User-Agent": f"wangge/{VERSION}",
            "X-Wangge-Delivery": str(waiting.id),
            TIMESTAMP: str(sent_at),
            SIGNATURE: signature(secret.encode(), sent_at, body),
        }
        extensions = {"sni_hostname": way.name}
        with client.stream("POST", way.url, content=body, headers=headers, extensions=extensions) as answer:
            return answer.status_code

    def body(self, waiting: Waiting) -> dict[str, Any]:
        """What the target is told; the same at each try."""
        zone = self._profile.time_zone
        label = self._profile.statuses.get(waiting.status)
        field = TOLD_WORDS.get(waiting.kind)
        words = (waiting.data or {}).get(field) if field else None
        master = None
        if waiting.master_id is not None and waiting.master_reported_at is not None:
            master = {
                "id": waiting.master_id,
                "number": number(waiting.master_id, waiting.master_reported_at, zone),
                "status": (waiting.data or {}).get("status", waiting.master_status),
            }
        return {
            "delivery": str(waiting.id),
            "event": waiting.kind,
            "at": waiting.at.isoformat(),
            "ticket": {
                "id": waiting.ticket_id,
                "number": number(waiting.ticket_id, waiting.reported_at, zone),
                "source_id": waiting.source_id,
                "channel": waiting.channel,
                "version": waiting.version,
                "status": waiting.status,
                "was": waiting.was,
                "status_name": label.name if label else waiting.status,
            },
            "words": masked(words) if words else None,
            "master": master,
        }
