"""Clients: the rows of the table of other systems, adding one with its token, ending one."""

from datetime import UTC, datetime

from callbacks.admin.asked import Asked, Refused, Reply, Row, done, millis
from geodata.queries.clients import ClientRow
from geodata.scope import EVERYTHING, scoped
from services.access import clients
from services.access.clients import BadClient


def rows(asked: Asked) -> list[Row]:
    """All clients, for who sees the whole place."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        listed = clients.list_clients(conn, asked.viewer)
    return [row_of(asked, client, datetime.now(UTC)) for client in listed]


def row_of(asked: Asked, client: ClientRow, now: datetime) -> Row:
    """One client as its row shows it and as the side panel tells it."""
    say = asked.say
    expired = client.expires_at is not None and client.expires_at < now
    state = "revoked" if client.revoked_at else "expired" if expired else "open"
    facts = [
        [say("admin.fact.rights"), say("admin.fact.client_rights")],
        [
            say("admin.column.expires_at"),
            asked.moment(client.expires_at) if client.expires_at else say("admin.days.never"),
        ],
        [say("admin.fact.added"), f"{asked.moment(client.created_at)} · {client.created_by}"],
    ]
    if client.revoked_at:
        facts.append([say("admin.fact.revoked"), asked.moment(client.revoked_at)])
    return {
        "key": str(client.id),
        "name": client.name,
        "created_by": client.created_by,
        "created_at": millis(client.created_at),
        "expires_at": millis(client.expires_at),
        "state": say(f"admin.state.{state}"),
        "kind": "" if state == "open" else "off",
        "off": state != "open",
        "facts": facts,
        "actions": [] if client.revoked_at else ["client_revoke"],
        "edit": {"id": client.id},
    }


def add(asked: Asked) -> Reply:
    """Add a client; its token is in the answer and nowhere else."""
    days = asked.number("days") or None
    name = asked.text("client", 200)
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        token = clients.add_client(conn, asked.viewer, name, days)
    secret = {
        "title": asked.say("admin.secret.client"),
        "lead": asked.say("admin.secret.client.lead"),
        "value": token,
        "facts": [[asked.say("admin.secret.header"), "Authorization: Bearer \u2026"]],
    }
    return done(asked, "client_add", select=" ".join(name.split()), secret=secret)


def revoke(asked: Asked) -> Reply:
    """End a client's token."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        clients.revoke_client(conn, asked.viewer, asked.number("id"))
    return done(asked, "client_revoke")


def translated(asked: Asked, error: BadClient) -> Refused:
    """The error in the asker's words, next to its field."""
    detail = error.details[0]
    field = "client" if detail["field"] == "name" else detail["field"]
    return Refused(field, asked.say(f"admin.error.client.{detail['problem']}"))


ACTS = {"client_add": add, "client_revoke": revoke}
