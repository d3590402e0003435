"""Systems that send reports to us, each with a key of its own that lies sealed in the database."""

import re
import secrets

from geodata.queries import intake as queries
from geodata.queries.intake import Sender
from geodata.scope import Db
from profiles import Profile
from services import audit
from services.access import Viewer
from services.care.sealing import Seals
from services.intake.forms import FORMS

KEY_BYTES = 32


class BadSender(ValueError):
    """A sender cannot be added so."""


class UnknownSender(LookupError):
    """No sender of that name may send."""


def add(conn: Db, actor: Viewer, profile: Profile, seals: Seals, name: str, form: str, channel: str) -> str:
    """Add a sender and return its key in hexadecimal, which is shown once. `conn` wears the hat "access".

    Raises BadSender.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,39}", name, re.ASCII):
        raise BadSender(f"{name}: a name has 2 to 40 small letters, digits and -")
    if form not in FORMS:
        raise BadSender(f"{form}: one of {', '.join(FORMS)}")
    channels = [one.code for one in profile.channels]
    if channel not in channels:
        raise BadSender(f"{channel}: one of the channels of {profile.key}: {', '.join(channels)}")
    key = secrets.token_bytes(KEY_BYTES)
    sender_id = queries.insert_sender(
        conn, name, form, channel, seals.seal(key.hex()), seals.key_id, actor.name
    )
    if sender_id is None:
        raise BadSender(f"{name}: the name was given before, or the channel {channel} has a sender already")
    audit.record(
        conn, actor, audit.Action.sender_added, object_kind="sender", object_id=sender_id,
        detail={"name": name, "form": form, "channel": channel},
    )  # fmt: skip
    return key.hex()


def revoke(conn: Db, actor: Viewer, name: str) -> None:
    """End a sender's key at once. `conn` wears the hat "access". Raises UnknownSender."""
    sender_id = queries.revoke_sender(conn, name)
    if sender_id is None:
        raise UnknownSender(f"{name}: no sender of that name may send")
    audit.record(
        conn, actor, audit.Action.sender_revoked, object_kind="sender", object_id=sender_id, detail={"name": name}
    )  # fmt: skip


def reseal(conn: Db, seals: Seals) -> int:
    """Seal again the keys that an older secret sealed, in the hat "access". Raises WrongKey. Returns how many."""
    rows = [one for one in queries.senders(conn) if one.key_id != seals.key_id]
    for one in rows:
        queries.reseal_sender(conn, one.id, seals.seal(seals.open(one.key_sealed, one.key_id)), seals.key_id)
    return len(rows)


def key_of(seals: Seals, sender: Sender) -> bytes:
    """The key that a sender signs with. Raises WrongKey."""
    return bytes.fromhex(seals.open(sender.key_sealed, sender.key_id))
