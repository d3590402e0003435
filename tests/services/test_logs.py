"""Log lines say nothing that opens a door or reaches a person, and everything bears its request's id."""

import json
import subprocess
import sys

import pytest

from services.logs import hide_secrets
from settings import ROOT, Settings

LINES = """
import logging, structlog
from services.logs import configure_logs
from settings import Settings
configure_logs(Settings(log_level="debug", log_format="json"))
with structlog.contextvars.bound_contextvars(request_id="r-1"):
    structlog.get_logger("wangge.test").info("signed in", password="hunter2", login="a")
    logging.getLogger("somebody.else").warning("reached %s", "postgresql://a:hunter2@b/c")
    logging.getLogger("somebody.else").warning("with extra", extra={"token": "hunter2"})
"""


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "Authorization", "cookie", "Set-Cookie", "csrf", "X-CSRFToken", "device_token",
     "oidc_client_secret", "phone", "id_number", "api_key"],
)  # fmt: skip
def test_fields_are_hidden_by_their_name_at_any_depth(name: str) -> None:
    event = {"event": "x", name: "v-1", "inside": {"more": [{name: "v-1"}]}, "kept": "v-2"}
    hidden = hide_secrets(None, "info", event)
    assert "v-1" not in json.dumps(hidden) and hidden["kept"] == "v-2" and hidden["event"] == "x"


def test_nothing_is_not_hidden_and_other_values_stay_as_they_are() -> None:
    event = {"event": "x", "token": None, "count": 3, "pair": (1, "a"), "list": [1.5, None]}
    assert hide_secrets(None, "info", dict(event)) == event


def test_passwords_in_addresses_of_stores() -> None:
    event = {
        "event": "no answer from postgresql://wangge:hunter2@db/wangge",
        "url": "redis://:hunter2@r:6379/0",
    }
    hidden = hide_secrets(None, "info", event)
    assert "hunter2" not in json.dumps(hidden) and "***@db/wangge" in hidden["event"]


def test_in_every_line_of_ours_and_of_libraries() -> None:
    done = subprocess.run([sys.executable, "-c", LINES], cwd=ROOT, capture_output=True, text=True, check=True)
    written = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(written) == 3 and all(line["request_id"] == "r-1" for line in written)
    assert "hunter2" not in done.stderr
    assert written[0]["login"] == "a" and written[0]["password"] == "***"


def test_secrets_of_the_settings_do_not_print() -> None:
    text = repr(Settings(secret="hunter2" * 6, oidc_client_secret="hunter2"))  # type: ignore[arg-type]
    assert "hunter2" not in text
