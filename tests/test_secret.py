"""./wangge run does not start with the secret of the examples, nor with a short one."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from commands.outcome import Refused
from commands.run import require_secret
from services.access.secrets import PLACEHOLDER
from settings import ROOT, Settings

GOOD = "0123456789abcdef" * 4


@pytest.mark.parametrize("secret", [PLACEHOLDER, "short", "x" * 31])
def test_weak_secrets_are_refused_except_in_a_demo(secret: str) -> None:
    with pytest.raises(Refused, match="openssl rand"):
        require_secret(Settings(secret=SecretStr(secret)))
    require_secret(Settings(secret=SecretStr(secret), demo=True))


def test_a_good_secret_or_a_file_of_its_own(tmp_path: Path) -> None:
    require_secret(Settings(secret=SecretStr(GOOD)))
    require_secret(Settings(data=tmp_path))
    kept = tmp_path / "secret"
    assert len(kept.read_text().strip()) == 64 and kept.stat().st_mode & 0o777 == 0o600


def test_the_command_says_so_and_ends() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "cli.py", "run", "--port", "0"],
        env={"WANGGE_SECRET": PLACEHOLDER, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "openssl rand -hex 32" in done.stderr
    assert "Traceback" not in done.stderr and PLACEHOLDER not in done.stderr


def test_the_examples_show_that_secret_and_no_other() -> None:
    assert f"${{WANGGE_SECRET:-{PLACEHOLDER}}}" in (ROOT / "compose.yaml").read_text()
