"""Settings in the audit: a row when one differs from the start before, never what is secret."""

from pydantic import SecretStr

from geodata.scope import Db
from services import audit
from services.setting_changes import record_settings
from settings import Settings


def test_only_what_differs_is_written(conn: Db) -> None:
    first = Settings(database_url="postgresql://x:hunter2@db/wangge", secret=SecretStr("s" * 40), port=1)
    assert "pool_size" in record_settings(conn, first)
    assert record_settings(conn, first.model_copy(update={"port": 2})) == []
    assert record_settings(conn, first.model_copy(update={"password_min_length": 16, "secret": None})) == [
        "password_min_length",
        "secret",
    ]
    newest, oldest = conn.execute("SELECT detail FROM audit ORDER BY id DESC").fetchall()
    assert newest[0]["changed"] == [["password_min_length", "12", "16"], ["secret", "set", "not set"]]
    assert oldest[0]["changed"] == [] and ["database_url", "set"] in oldest[0]["all"]
    assert "hunter2" not in str((newest, oldest)) and "ssss" not in str((newest, oldest))
    assert not audit.verify(conn).faults
