"""./wangge audit: the chain checked and taken out at the terminal; an import leaves its row."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

import settings as settings_module
from cli import app
from commands.outcome import Refused
from geodata.servers import Stores
from services import audit
from services.access import SYSTEM
from services.audit import Action

runner = CliRunner()


@pytest.fixture
def database(clone: Stores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The URL of a small place that the commands use."""
    monkeypatch.setenv("DATABASE_URL", clone.database_url)
    monkeypatch.setenv("REDIS_URL", clone.redis_url)
    monkeypatch.setenv("WANGGE_DATA", str(tmp_path))
    monkeypatch.setenv("WANGGE_PLACE", "zoucheng")
    monkeypatch.setenv("COLUMNS", "200")
    settings_module.settings.cache_clear()
    yield clone.database_url
    monkeypatch.undo()
    settings_module.settings.cache_clear()


def test_an_import_and_an_export_stand_in_a_chain_that_verifies(database: str, tmp_path: Path) -> None:
    assert "empty" in runner.invoke(app, ["audit", "verify"]).output
    posts = tmp_path / "posts.csv"
    posts.write_text("code,name,role,area\nP1,测试甲,police,370883001\n")
    assert runner.invoke(app, ["import", "posts", str(posts), "--dry-run"]).exit_code == 0
    assert runner.invoke(app, ["import", "posts", str(posts)]).exit_code == 0
    exported = runner.invoke(app, ["audit", "export", "--since", "2020-01-01"])
    (row,) = [json.loads(line) for line in exported.stdout.splitlines()]
    assert (row["action"], row["object_kind"], row["actor_name"]) == ("import", "posts", "system")
    assert row["detail"]["files"] == ["posts.csv"] and row["detail"]["rows"]["added"] == 1
    assert "测试甲" not in exported.stdout
    assert runner.invoke(app, ["audit", "export", "--until", "2020-01-01"]).stdout == ""
    verified = runner.invoke(app, ["audit", "verify"])
    assert verified.exit_code == 0 and "3 rows, 1 to 3" in verified.output
    known = verified.output.strip().splitlines()[-1]
    assert runner.invoke(app, ["audit", "verify", "--known", known]).exit_code == 0
    assert runner.invoke(app, ["audit", "verify", "--known", "1:abc"]).exit_code == 2


def test_a_row_that_a_superuser_deleted_is_named(database: str) -> None:
    with psycopg.connect(database) as conn:
        for _ in range(4):
            audit.record(conn, SYSTEM, Action.setting)
    with psycopg.connect(database) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("DELETE FROM audit WHERE id IN (2, 4)")
        conn.execute("UPDATE audit SET reason = 'never mind' WHERE id = 3")
    result = runner.invoke(app, ["audit", "verify"])
    assert result.exit_code == 1
    said = result.output
    assert "row 2: missing" in said and "row 4: missing" in said and "row 3: altered" in said


def test_a_database_without_an_audit_is_told_apart(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("DELETE FROM _yoyo_migration WHERE migration_id = '0009.audit'")
    result = runner.invoke(app, ["audit", "verify"])
    assert isinstance(result.exception, Refused) and "./wangge migrate" in str(result.exception)
