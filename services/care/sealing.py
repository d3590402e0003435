"""Seals what identifies a person owed care: libsodium's secretbox under a key that is not in the database."""

import hashlib

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from services.access.secrets import key
from services.care.masking import masked_name
from settings import Settings

PURPOSE = "care"


class WrongKey(ValueError):
    """The record was sealed with a secret that this process does not have, or was altered."""


class Seals:
    """Seals with the first key, opens with any: for a while there are two when the secret changes."""

    def __init__(self, current: bytes, *older: bytes) -> None:
        """Keys of 32 bytes."""
        self._boxes = {_id_of(one): SecretBox(one) for one in (current, *older)}
        self._key_id = _id_of(current)

    @classmethod
    def of(cls, settings: Settings, *older: Settings) -> "Seals":
        """The seals of an installation; `older` are settings with its earlier secrets. Raises WeakSecret."""
        return cls(key(settings, PURPOSE), *(key(one, PURPOSE) for one in older))

    @property
    def key_id(self) -> int:
        """Which key seals: a fingerprint of 15 bits that tells nothing of it."""
        return self._key_id

    def seal(self, text: str) -> bytes:
        """Nonce, tag and text, different each time."""
        return bytes(self._boxes[self._key_id].encrypt(text.encode()))

    def open(self, sealed: bytes, key_id: int) -> str:
        """The text again. Raises WrongKey."""
        box = self._boxes.get(key_id)
        if box is None:
            raise WrongKey(f"This record was sealed with another secret (key {key_id}).")
        try:
            return box.decrypt(sealed).decode()
        except CryptoError:
            raise WrongKey("This record was altered after it was sealed.") from None

    def masked_name(self, name: str) -> str:
        """What may be shown of a name."""
        return masked_name(name)


def _id_of(one: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(one, digest_size=2, person=b"wangge").digest()) & 0x7FFF
