"""The second factor: one-time codes of an authenticator app (TOTP, RFC 6238), each taken once."""

import time
from typing import NamedTuple

import nacl.exceptions
import nacl.secret
import pyotp
import segno

STEP_S = 30
ENROL_S = 900  # a begun enrolment is confirmed within


class Enrolment(NamedTuple):
    """What somebody needs to set up an authenticator app; `sealed` comes back with the first code."""

    uri: str
    key: str  # for typing it in
    svg: str  # the same as a QR code
    sealed: bytes


def begin(seal_key: bytes, account_id: int, login: str, issuer: str) -> Enrolment:
    """A new secret, which counts from its first code on and is kept nowhere before."""
    secret = pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)
    code = segno.make(uri, error="m", micro=False)
    svg = code.svg_inline(scale=4, border=2, omitsize=True, dark="#17202A", light="#FFFFFF")
    until = int(time.time()) + ENROL_S
    return Enrolment(uri, secret, svg, _seal(seal_key, f"{account_id} {secret} {until}"))


def confirm(seal_key: bytes, account_id: int, sealed: bytes, code: str) -> tuple[bytes, int] | None:
    """The sealed secret to keep and the time step of its first code; None for a wrong code or an old enrolment."""
    opened = _open(seal_key, sealed).split()
    if len(opened) != 3 or opened[0] != str(account_id) or int(opened[2]) < time.time():
        return None
    step = _step(opened[1], code)
    return None if step is None else (_seal(seal_key, f"{account_id} {opened[1]}"), step)


def step_of(seal_key: bytes, account_id: int, sealed: bytes, code: str) -> int | None:
    """The time step whose code that is, now or one step before or after; None for a wrong one."""
    opened = _open(seal_key, sealed).split()
    if len(opened) != 2 or opened[0] != str(account_id):  # moved here from another account's row
        return None
    return _step(opened[1], code)


def _step(secret: str, code: str) -> int | None:
    code = "".join(char for char in code if char not in " -")
    totp, now = pyotp.TOTP(secret), int(time.time()) // STEP_S
    for step in (now, now - 1, now + 1):
        if pyotp.utils.strings_equal(code, totp.generate_otp(step)):
            return step
    return None


def _seal(key: bytes, text: str) -> bytes:
    return bytes(nacl.secret.SecretBox(key).encrypt(text.encode()))


def _open(key: bytes, sealed: bytes) -> str:
    """The sealed text; empty when it was sealed with another key, or altered."""
    try:
        return nacl.secret.SecretBox(key).decrypt(sealed).decode()
    except (nacl.exceptions.CryptoError, ValueError):
        return ""
