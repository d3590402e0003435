"""Where the private servers of one data folder live, as whom they run, and the locks around them."""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FALLBACK = Path("/var/lib/wangge")  # when the servers' user cannot reach the data folder
LONGEST_SOCKET_PATH = 107  # bytes, the kernel's limit on Linux
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432")
LEAST_FREE_BYTES = 300_000_000
LOCK_PATIENCE_S = 180.0


class ServersRefused(RuntimeError):
    """A private server cannot run here; the message says what to do about it."""


@dataclass(frozen=True)
class Owner:
    """The unprivileged user of the servers."""

    name: str
    uid: int
    gid: int

    def switch(self) -> dict[str, Any]:
        """Arguments that make subprocess run as this user; none are needed when we are that user."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Home:
    """Folders of the private servers; `data` keeps what lasts, `run` the sockets and what ends with a boot."""

    data: Path
    run: Path
    owner: Owner

    @property
    def postgres(self) -> Path:
        """PostgreSQL's cluster."""
        return self.data / "postgres"

    @property
    def redis(self) -> Path:
        """Redis' append-only file."""
        return self.data / "redis"


def home_of(data: Path) -> Home:
    """The home that belongs to this data folder; makes nothing."""
    data = data.absolute()
    owner = _owner(data)
    if os.geteuid() == 0 and not _reachable(data, owner):
        data = FALLBACK / hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
        owner = _owner(data)
    run = data / "run"
    too_long = len(os.fsencode(run)) + LONGEST_SOCKET_NAME > LONGEST_SOCKET_PATH
    if too_long or "," in str(run):  # libpq reads a comma as the start of another host
        run = Path(f"/tmp/wangge-{owner.uid}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:8]}")  # noqa: S108  # nosec B108
    return Home(data, run, owner)


def prepare(home: Home) -> None:
    """Make the folders; those of the servers belong to their user and to nobody else."""
    missing = [folder for folder in (home.data, *home.data.parents) if not folder.exists()]
    try:
        home.data.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            folder.chmod(0o755)  # whatever the umask: the servers' user must get through
        private(home.run, home.owner)
    except PermissionError as error:
        raise ServersRefused(
            f"The data folder {home.data} cannot be written ({error.strerror}). It may belong to another user:"
            " run as that user, or set WANGGE_DATA to a folder of your own."
        ) from None


def private(folder: Path, owner: Owner) -> None:
    """Make a folder that only this user enters, or check that it is one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid not in {os.geteuid(), owner.uid} or not stat.S_ISDIR(found.st_mode):
        raise ServersRefused(
            f"{folder} belongs to somebody else; remove it, or set WANGGE_DATA to another folder."
        )
    if os.geteuid() == 0 and (found.st_uid, found.st_gid) != (owner.uid, owner.gid):
        os.chown(folder, owner.uid, owner.gid)
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def check_space(home: Home) -> None:
    """Refuse to start on a full disk: a database that runs out of space stops in the middle of work."""
    free = shutil.disk_usage(home.data).free
    if free < LEAST_FREE_BYTES:
        raise ServersRefused(
            f"Only {free // 1_000_000} MB are free at {home.data}; the servers need {LEAST_FREE_BYTES // 1_000_000} MB"
            " to start. Free some space, or set WANGGE_DATA to a folder on a larger disk."
        )


@contextmanager
def starting(home: Home) -> Iterator[None]:
    """Held by the one process that starts or stops servers; the others wait, then adopt what it started."""
    with (home.data / "servers.lock").open("a") as file:
        until = time.monotonic() + LOCK_PATIENCE_S
        while not _try(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > until:
                raise ServersRefused(
                    f"Another command has been starting the servers of {home.data} for {LOCK_PATIENCE_S:.0f} s."
                    f" See {home.postgres / 'log'}, end that command, and try again."
                )
            time.sleep(0.05)
        yield


class Use:
    """A process' mark, for as long as it lives, that it uses the servers of a home; ends with kill -9 too."""

    def __init__(self, home: Home) -> None:
        """Not in use yet."""
        self.path = home.run / "in-use"
        self.file: int | None = None

    def begin(self) -> bool:
        """Mark; False when somebody is about to stop the servers. Again and again does no harm."""
        if self.file is None:
            try:
                self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:  # no such home yet, or not ours to use
                return False
        return _try(self.file, fcntl.LOCK_SH)

    def nobody_else(self) -> bool:
        """Whether no other process uses them; if so nobody can begin until `end`."""
        return self.file is not None and _try(self.file, fcntl.LOCK_EX)

    def end(self) -> None:
        """Take the mark away."""
        if self.file is not None:
            os.close(self.file)
            self.file = None


def _try(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(data: Path) -> Owner:
    """Whoever owns the cluster that is there; else ourselves, or `postgres` when we are root."""
    try:
        if os.geteuid() == 0:
            try:
                uid = (data / "postgres").stat().st_uid
            except OSError:
                uid = 0
            entry = pwd.getpwuid(uid) if uid else pwd.getpwnam("postgres")
        else:
            entry = pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise ServersRefused(
            "The servers need an unprivileged user and there is none"
            f" ({error.args[0]}). On Debian and Ubuntu: apt-get install postgresql-postgis"
        ) from None
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _reachable(data: Path, owner: Owner) -> bool:
    """Whether that user may pass through every folder above (and the folder itself, if it is there)."""
    for folder in (data, *data.parents):
        try:
            found = folder.stat()
        except OSError:
            continue
        if found.st_uid == owner.uid:
            needed = stat.S_IXUSR
        elif found.st_gid == owner.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not found.st_mode & needed:
            return False
    return True
