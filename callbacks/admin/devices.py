"""Devices of workers: the rows of their table, finding a worker, adding a device with its QR code, ending one."""

import segno
from flask import request

from callbacks.admin.asked import Asked, Refused, Reply, Row, done, millis
from geodata.queries.devices import DeviceRow
from geodata.scope import EVERYTHING, scoped
from services.access import devices
from services.access.devices import BadDevice
from services.access.tokens import digest_of

MOST = 200  # rows at once; a search narrows them


def rows(asked: Asked) -> tuple[list[Row], int]:
    """The newest devices that the search names, and how many there are in all."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        listed, total = devices.list_devices(conn, asked.viewer, asked.text("text", 80), MOST)
    return [row_of(asked, device) for device in listed], total


def row_of(asked: Asked, device: DeviceRow) -> Row:
    """One device as its row shows it and as the side panel tells it."""
    say = asked.say
    facts = [
        [say("admin.field.worker"), f"{device.worker_name} · {device.worker_code}"],
        [say("admin.column.place"), device.place],
        [say("admin.fact.added"), asked.moment(device.created_at)],
    ]
    if device.revoked_at:
        facts.append([say("admin.fact.revoked"), asked.moment(device.revoked_at)])
    return {
        "key": device.key,
        "name": device.label,
        "worker": f"{device.worker_name} · {device.worker_code}",
        "place": device.place,
        "created_at": millis(device.created_at),
        "state": say("admin.state.revoked" if device.revoked_at else "admin.state.open"),
        "kind": "off" if device.revoked_at else "",
        "off": device.revoked_at is not None,
        "facts": facts,
        "actions": [] if device.revoked_at else ["device_revoke"],
        "edit": {"device": device.key},
    }


def find(asked: Asked) -> list[Row]:
    """Workers that the text names, for the dialog that adds a device."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        found = devices.find_workers(conn, asked.viewer, asked.text("text", 80))
    return [
        {
            "value": str(worker.id), "label": f"{worker.name} · {worker.code}", "hint": worker.place,
            "note": asked.say("admin.has_devices", n=worker.devices) if worker.devices else "",
        }
        for worker in found
    ]  # fmt: skip


def add(asked: Asked) -> Reply:
    """Add a device; its token and the QR code that sets up the phone are in the answer and nowhere else."""
    worker_id = asked.number("worker")
    if not worker_id:
        raise Refused("worker", asked.say("admin.error.worker_none"))
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        token = devices.add_device(conn, asked.viewer, worker_id, asked.text("label", 200))
    server = _server(asked)
    address = devices.settings_url(server, token)
    return done(
        asked,
        "device_add",
        select=digest_of(token).hex(),
        secret={
            "title": asked.say("admin.secret.device"),
            "lead": asked.say("admin.secret.device.lead"),
            "value": token,
            "qr": segno.make(address, error="m", micro=False).svg_data_uri(
                border=2, dark="#17202A", light="#FFFFFF"
            ),
            "facts": [[asked.say("admin.secret.server"), f"{server}/api/positions/osmand"]],
        },
    )


def revoke(asked: Asked) -> Reply:
    """End a device: what it sends is refused within seconds."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        devices.revoke_device(conn, asked.viewer, asked.text("device", 64))
    return done(asked, "device_revoke")


def translated(asked: Asked, error: BadDevice) -> Refused:
    """The error in the asker's words, next to its field."""
    detail = error.details[0]
    return Refused(detail["field"], asked.say(f"admin.error.device.{detail['field']}"))


def _server(asked: Asked) -> str:
    """The address under which this browser reaches the product: phones on the same network reach it there too."""
    scheme = "https" if asked.runtime.settings.secure_cookies else request.scheme
    return f"{scheme}://{request.host}"


ACTS = {"device_add": add, "device_revoke": revoke}
