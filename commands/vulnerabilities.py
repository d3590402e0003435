"""Asks PyPI whether a package of the lock files has a published vulnerability (pip-audit)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

LOCKS = ("requirements.lock", "requirements-dev.lock")
PATIENCE_S = 120


class Found(NamedTuple):
    """What was found, in a word and in lines; no lines = nothing known against any package that was asked about."""

    verdict: str
    lines: list[str]


def known_vulnerabilities() -> Found:
    """Ask about every package of the locks, by version. Where the service cannot be reached, the verdict says so."""
    command = [
        Path(sys.executable).with_name("pip-audit"), "--format", "json", "--progress-spinner", "off", "--disable-pip",
        "--require-hashes", *(part for lock in LOCKS for part in ("--requirement", lock)),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        packages = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return Found(f"not asked: no answer within {PATIENCE_S} s", [])
    except (ValueError, KeyError):
        last = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        return Found(f"not asked: {last[0][:160]}", [])
    return judged(packages)


def judged(packages: list[dict[str, Any]]) -> Found:
    """The verdict over pip-audit's list."""
    skipped = [one for one in packages if "skip_reason" in one]
    lines = [
        f"{one['name']} {one['version']}: {fault['id']}, fixed in {' or '.join(fault['fix_versions']) or 'none yet'}"
        for one in packages
        for fault in one.get("vulns", ())
    ]
    if len(skipped) == len(packages):
        return Found("not asked: the package index here does not tell vulnerabilities", lines)
    beside = f", {len(skipped)} of {len(packages)} packages unknown to PyPI" if skipped else ""
    return Found(f"{'found' if lines else 'none'}{beside}", lines)
