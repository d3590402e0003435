"""Signatures of messages between systems: HMAC-SHA256 over the time and the body, good for five minutes."""

import hashlib
import hmac

TIMESTAMP, SIGNATURE = "X-Wangge-Timestamp", "X-Wangge-Signature"  # the headers that carry them
WINDOW_S = 300  # how far the sender's clock may be off; what comes later is a replay
VERSION = "v1"


class BadSignature(Exception):
    """A message is not signed with the key of its sender, or too long ago."""


def signature(key: bytes, timestamp: int, body: bytes) -> str:
    """The signature of a body sent at that time (seconds since 1970)."""
    return f"{VERSION}={hmac.digest(key, f'{timestamp}.'.encode() + body, hashlib.sha256).hex()}"


def check(key: bytes, timestamp: str, given: str, body: bytes, now: float) -> None:
    """Raise BadSignature unless the headers sign that body with that key at about `now` (seconds since 1970)."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignature(f"{TIMESTAMP} must be seconds since 1970.")
    if abs(now - int(timestamp)) > WINDOW_S:
        raise BadSignature(
            f"{TIMESTAMP} is more than {WINDOW_S // 60} minutes off; the time here is {int(now)}."
        )
    expected = signature(key, int(timestamp), body)
    if not hmac.compare_digest(expected.encode(), given.strip().encode("utf-8", "replace")):
        raise BadSignature(f"{SIGNATURE} does not sign this body with the key of this sender.")
