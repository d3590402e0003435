"""The scripts of one screen as one file, and its styles as another: a browser asks for each file by itself."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from settings import ROOT

FOLDER = ROOT / "assets"


@dataclass(frozen=True, slots=True)
class File:
    """A file made at the start; its address changes with its content, so that it may be kept for ever."""

    path: str  # from the root of the server
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a screen loads of ours."""

    script: File
    style: File

    @property
    def files(self) -> tuple[File, File]:
        """Both."""
        return (self.script, self.style)


def bundle(screen: str, not_loaded: str) -> Bundle:
    """The files that lie directly in assets/, in the order of their names, without those whose name matches."""
    ignored = re.compile(not_loaded)
    files = [path for path in sorted(FOLDER.iterdir()) if not ignored.search(path.name)]
    scripts = [guarded(path) for path in files if path.suffix == ".js"]
    styles = [f"/* {path.name} */\n{path.read_text()}" for path in files if path.suffix == ".css"]
    return Bundle(
        _file(screen, "js", "text/javascript; charset=utf-8", "\n".join(scripts)),
        _file(screen, "css", "text/css; charset=utf-8", "\n".join(styles)),
    )


def guarded(path: Path) -> str:
    """A script that leaves the others running when it fails, as in a file of its own."""
    return f"try {{ // {path.name}\n{path.read_text()}\n}} catch (error) {{ reportError(error); }}"


def _file(screen: str, suffix: str, media_type: str, text: str) -> File:
    body = text.encode()
    # below assets/, so that relative addresses inside of it mean what they mean in the files themselves
    mark = blake2b(body, digest_size=6).hexdigest()
    return File(f"/{screen}/assets/{screen}.{mark}.{suffix}", media_type, body)
