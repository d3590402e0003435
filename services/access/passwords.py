"""Passwords: which are good enough, how they are kept, how they are compared."""

import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST = 256  # characters
AT_ONCE = threading.BoundedSemaphore(2)  # hashes computed by one process: each takes 46 MiB
# argon2id as the OWASP Password Storage Cheat Sheet puts first: 46 MiB, one pass, one lane; about 40 ms of one core.
HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
NOBODYS = HASHER.hash(secrets.token_hex(16))  # compared with when there is no account, which so takes as long
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is mistaken for another
RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv")

# Words that guessing programs try first, also with digits behind them.
COMMON = frozenset({
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "admin", "administrator", "root", "welcome", "letmein", "iloveyou",
    "woaini", "5201314", "1314520", "888888", "666666", "changeme", "default", "secret", "monkey", "dragon", "test",
    "guest", "user", "wangge", "wanggehua", "gridadmin", "china", "zhongguo", "beijing", "aini1314",
    "computer", "internet",
})  # fmt: skip


class BadPassword(ValueError):
    """A new password is not good enough; `details` name the rules it breaks."""

    def __init__(self, rules: list[str]) -> None:
        super().__init__("The password is not good enough; details name the rules.")
        self.details = [{"field": "new", "rule": rule, "expected": EXPECTED[rule]} for rule in rules]


EXPECTED = {
    "short": "longer, as the setting WANGGE_PASSWORD_MIN_LENGTH says",
    "long": f"at most {LONGEST} characters",
    "login": "without the login in it",
    "common": "none of the words, rows of keys or repetitions that are guessed first",
    "same": "another one than now",
}


def require_good(password: str, login: str, min_length: int) -> None:
    """Raise BadPassword unless it is long enough, holds no login and is none that is guessed first."""
    plain = _plain(password)
    lower = plain.lower()
    rules = []
    if len(plain) < min_length:
        rules.append("short")
    if len(plain) > LONGEST:
        rules.append("long")
    if lower == login or (len(login) > 3 and (login in lower or login in lower[::-1])):
        rules.append("login")
    if _common(lower):
        rules.append("common")
    if rules:
        raise BadPassword(rules)


def hash_of(password: str) -> str:
    """What is kept of a password: argon2id with a salt of its own."""
    with AT_ONCE:
        return HASHER.hash(_plain(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether it is that password; without a kept one the answer is no, and takes as long."""
    try:
        with AT_ONCE:
            HASHER.verify(kept or NOBODYS, _plain(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def outdated(kept: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return HASHER.check_needs_rehash(kept)


def first_password() -> str:
    """A password that is said once and changed at the first sign-in: 4 groups of 4, 80 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def _plain(password: str) -> str:
    """Full-width letters of an input method count as the plain ones (NFKC), and a lone surrogate as a mark."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()


def _common(lower: str) -> bool:
    core = lower.strip("0123456789!@#$%^&*._-+=?~ ")
    return len(set(lower)) < 4 or lower in COMMON or core in COMMON or core == "" or _is_run(lower)


def _is_run(lower: str) -> bool:
    """Made of pieces of rows of keys only, such as qwertyuiop12345."""
    kept = lower
    for run in sorted((*RUNS, *(run[::-1] for run in RUNS)), key=len, reverse=True):
        for length in range(len(run), 3, -1):
            for start in range(len(run) - length + 1):
                kept = kept.replace(run[start : start + length], "")
    return len(kept) <= 2
