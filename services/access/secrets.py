"""The one secret of an installation, outside of the database, and the keys derived from it."""

import hashlib
import os
import secrets
from contextlib import suppress

from settings import Settings

LEAST = 32  # characters
PLACEHOLDER = "change-me-to-64-random-hexadecimal-characters"  # what compose.yaml and the guides show


class WeakSecret(ValueError):
    """The secret is the one of the examples, or too short to keep anything."""


def key(settings: Settings, purpose: str) -> bytes:
    """32 bytes for one purpose ("care", "totp"): BLAKE2b of the purpose, keyed with the secret (RFC 7693)."""
    secret = hashlib.blake2b(secret_of(settings).encode(), digest_size=32).digest()
    return hashlib.blake2b(purpose.encode(), digest_size=32, key=secret, person=b"wangge").digest()


def secret_of(settings: Settings) -> str:
    """WANGGE_SECRET, else the content of the file `secret` in the data folder, which is made when missing (mode 600).

    Raises WeakSecret.
    """
    if settings.secret is not None:
        given = settings.secret.get_secret_value()
        if given == PLACEHOLDER or len(given) < LEAST:
            raise WeakSecret(
                f"WANGGE_SECRET is the placeholder of the examples or shorter than {LEAST} characters."
                " Make one with: openssl rand -hex 32. Keep it: what is sealed with it opens with nothing else."
            )
        return given
    file = settings.data / "secret"
    with suppress(FileNotFoundError):
        return file.read_text().strip()
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"secret.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secrets.token_hex(32) + "\n")
    with suppress(FileExistsError):
        os.link(beside, file)  # whoever is first wins
    beside.unlink()
    return file.read_text().strip()
