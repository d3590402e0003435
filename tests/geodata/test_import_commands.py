"""The commands: every line of the guide works as it stands, and a refusal is a table and exit code 2."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

import settings as settings_module
from cli import app
from geodata.servers import Stores, ensure
from settings import ROOT, Settings
from tests.conftest import TEMPLATE, migrated
from tests.data.broken.make import BROKEN_FOLDER

GUIDE = ROOT / "docs" / "guide" / "import.md"
runner = CliRunner()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Settings that name an empty database and a data folder of this test's own."""
    name = f"{TEMPLATE}_commands"
    stores = ensure(Settings(), "wangge_test_admin")
    with psycopg.connect(stores.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with _named(stores.with_database(name), monkeypatch, tmp_path):
        yield tmp_path
    with psycopg.connect(stores.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def ready(template: Stores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The same with a database that has been migrated."""
    with migrated(template) as stores, _named(stores, monkeypatch, tmp_path):
        yield tmp_path


@contextmanager
def _named(stores: Stores, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", stores.database_url)
    monkeypatch.setenv("REDIS_URL", stores.redis_url)
    monkeypatch.setenv("WANGGE_DATA", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    settings_module.settings.cache_clear()
    yield
    monkeypatch.undo()
    settings_module.settings.cache_clear()


def test_every_line_of_the_guide_works(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(bare)
    lines = re.findall(r"(?m)^\./wangge (.+)$", GUIDE.read_text())
    assert len(lines) >= 8
    for line in lines:
        words = shlex.split(line, comments=True)
        expected = int(line.rpartition("# exit ")[2]) if "# exit " in line else 0
        result = runner.invoke(app, words)
        assert result.exit_code == expected, f"{line}\n{result.output}\n{result.exception}"
    with psycopg.connect(Settings().database_url or "") as conn:
        numbers = conn.execute(
            "SELECT (SELECT count(*) FROM area_now WHERE level = 'grid'), (SELECT count(*) FROM ticket),"
            " (SELECT count(*) FROM ticket WHERE location = 'exact'), (SELECT name FROM area WHERE code = '370999001')"
        ).fetchone()
    assert numbers == (36, 120, 120, "城关街道")
    assert (bare / "mended.geojson").exists()


def test_a_refusal_is_a_table_and_exit_code_2(ready: Path) -> None:
    assert runner.invoke(app, ["new-place", "mine", "--name", "某县", "--root-code", "370883"]).exit_code == 0
    grids = [
        "import",
        "areas",
        str(BROKEN_FOLDER / "duplicate_codes.geojson"),
        "--make-parents",
        "--place",
        "mine",
    ]
    result = runner.invoke(app, grids)
    assert result.exit_code == 2
    for word in ("refused, nothing was written", "370883001001005", "each code once"):
        assert word in result.output
    assert "Traceback" not in result.output
    check = runner.invoke(app, ["check", "areas", str(BROKEN_FOLDER / "topology.geojson"), "--place", "mine"])
    assert (check.exit_code, "TopoJSON" in check.output) == (1, True)


def test_a_place_is_made_once_and_under_a_plain_name(ready: Path) -> None:
    assert runner.invoke(app, ["new-place", "Bad Name", "--name", "x"]).exit_code == 2
    assert runner.invoke(app, ["new-place", "zoucheng", "--name", "x"]).exit_code == 2
    assert (
        runner.invoke(app, ["new-place", "mine", "--name", '引"号', "--root-code", "370883"]).exit_code == 0
    )
    result = runner.invoke(app, ["new-place", "other", "--name", "x"])
    assert result.exit_code == 2  # one database given by URL holds one place
    assert "holds" in result.output
    unknown = runner.invoke(app, ["import", "tickets", "x.csv", "--place", "nowhere"])
    assert (unknown.exit_code, "new-place nowhere" in unknown.output) == (2, True)
