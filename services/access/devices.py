"""Phones and terminals that report positions of workers: listed, added and ended inside of the actor's areas."""

import secrets
import unicodedata
from urllib.parse import urlencode

from geodata.queries import devices as queries
from geodata.queries.devices import DeviceRow, WorkerRow
from geodata.scope import Db
from services import audit
from services.access.tokens import digest_of
from services.access.viewer import Viewer

LONGEST_LABEL = 60
LONGEST_TEXT = 40


class BadDevice(ValueError):
    """A device cannot be added so; `details` name the field, the problem and what is expected."""

    def __init__(self, field: str, problem: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.details = [{"field": field, "problem": problem, "expected": expected}]


class UnknownDevice(LookupError):
    """There is no such device or worker, or it lies outside of the actor's areas: the same answer for both."""


def list_devices(conn: Db, actor: Viewer, text: str = "", limit: int = 200) -> tuple[list[DeviceRow], int]:
    """Devices whose label, worker or area the text names, newest first; and how many there are in all."""
    return queries.devices(conn, actor.scope, _plain(text), limit)


def find_workers(conn: Db, actor: Viewer, text: str, limit: int = 8) -> list[WorkerRow]:
    """Active workers that the text names by code, name or area; an empty text finds nobody."""
    wanted = _plain(text)
    return queries.workers(conn, actor.scope, wanted, limit) if wanted else []


def add_device(conn: Db, actor: Viewer, worker_id: int, label: str) -> str:
    """Add a device and return its token, which is shown once and kept nowhere; it may report within 15 seconds.

    Raises BadDevice, UnknownDevice.
    """
    label = " ".join(label.split())
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        raise BadDevice("label", "missing", f"a label of 1 to {LONGEST_LABEL} characters")
    worker = queries.worker(conn, actor.scope, worker_id)
    if worker is None:
        raise UnknownDevice(f"no active worker {worker_id}")
    token = secrets.token_urlsafe(24)
    queries.insert_device(conn, digest_of(token), worker.id, label)
    audit.record(
        conn, actor, audit.Action.device_added, object_kind="worker", object_id=str(worker.id),
        area_no=worker.area_no, detail={"worker": worker.code, "label": label},
    )  # fmt: skip
    return token


def revoke_device(conn: Db, actor: Viewer, key: str) -> None:
    """End a device; its positions are refused within 15 seconds. Raises UnknownDevice."""
    revoked = queries.revoke_device(conn, actor.scope, key)
    if revoked is None:
        raise UnknownDevice("no such device")
    label, worker_code, area_no = revoked
    audit.record(
        conn, actor, audit.Action.device_revoked, object_kind="worker", object_id=worker_code,
        area_no=area_no, detail={"worker": worker_code, "label": label},
    )  # fmt: skip


def settings_url(base: str, token: str) -> str:
    """The address that sets up Traccar Client when its QR code is scanned: server, path and identifier in one.

    `base` is the scheme and host that phones reach the product at. Source: configuration_service.dart of that app.
    """
    return f"{base.rstrip('/')}/api/positions/osmand?{urlencode({'id': token})}"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()[:LONGEST_TEXT].replace("\x00", "")
