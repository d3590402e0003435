"""The peers: how each is installed on demand under the data folder, by package name only."""

import shutil
import subprocess
import sys
from pathlib import Path

from bench.result import Missing

# Versions that the figures of docs/reference/performance.md were taken with.
PYTHON_PEERS = {
    "tipg": ["tipg==1.6.1", "uvicorn[standard]"],
    "datashader": ["datashader==0.19.1", "pyarrow", "pandas", "pillow", "psycopg[binary]"],
}
NPM_PEERS = {"leaflet": "leaflet@1.9.4"}
DEBIAN_PEERS = {"nginx": ["nginx", "nginx-common", "libnginx-mod-nchan"]}


def python_with(folder: Path, peer: str) -> Path:
    """A Python that has the peer installed, in a virtual environment of its own; made the first time."""
    home = folder / "venv" / peer
    python = home / "bin" / "python"
    done = home / ".installed"
    wanted = "\n".join(PYTHON_PEERS[peer])
    if done.exists() and done.read_text() == wanted:
        return python
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise Missing(f"{peer} (uv, which installs it, was not found)")
    _run([uv, "venv", "--clear", "--python", sys.executable, home], peer)
    _run([uv, "pip", "install", "--python", python, *PYTHON_PEERS[peer]], peer)
    done.write_text(wanted)
    return python


def npm_package(folder: Path, peer: str) -> Path:
    """The folder of an npm package; fetched the first time."""
    home = folder / "npm"
    package = home / "node_modules" / peer
    if not (package / "package.json").exists():
        npm = shutil.which("npm")
        if npm is None:
            raise Missing(f"{peer} (npm is not installed)")
        home.mkdir(parents=True, exist_ok=True)
        _run(
            [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", home, NPM_PEERS[peer]], peer
        )
    return package


def debian_root(folder: Path, peer: str) -> Path:
    """A folder with the peer's Debian packages unpacked, not installed: no service starts, no root is needed."""
    root = folder / "debian" / peer
    done = root / ".unpacked"
    if done.exists():
        return root
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Missing(f"{peer} (Debian's apt-get and dpkg are needed)")
    archive = folder / "debian" / "archive" / peer
    archive.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", "download", "-q", *DEBIAN_PEERS[peer]], peer, cwd=archive)
    for package in sorted(archive.glob("*.deb")):
        _run(["dpkg", "-x", package, root], peer)
    done.touch()
    return root


def program(name: str) -> Path:
    """A program on the search path; Missing when there is none and Debian has no package of it."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed and no package of that name is in this system's index")
    return Path(found)


def _run(command: list[object], peer: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        [str(part) for part in command], check=False, capture_output=True, text=True, cwd=cwd, timeout=600
    )
    if done.returncode:
        why = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise Missing(f"{peer} could not be installed: {why[0]}")
