"""Settings: where they come from, and that each is documented."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import ROOT, Settings

DOCUMENT = ROOT / "docs/reference/settings.md"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}.get(name, f"WANGGE_{name.upper()}")


def rows() -> dict[str, list[str]]:
    """The document's table: variable → the other cells."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.read_text().splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): row[1:] for row in cells}


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_each_setting_is_documented_with_its_default(name: str) -> None:
    field = Settings.model_fields[name]
    assert field.description, "a setting says what it is"
    row = rows().get(variable(name))
    assert row is not None, f"{variable(name)} is missing in docs/reference/settings.md"
    default = field.default
    shown = "none" if default is None or default == "" else ".data" if name == "data" else str(default)
    assert row[0].strip("`") == shown


def test_nothing_is_documented_that_does_not_exist() -> None:
    known = {variable(name) for name in Settings.model_fields} | {"WANGGE_CONFIG", "WANGGE_PYTHON"}
    assert set(rows()) <= known
    named = set(re.findall(r"\bWANGGE_[A-Z_]+\b", DOCUMENT.read_text()))
    assert named <= known


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "wangge.toml"
    file.write_text('port = 9001\nlanguage = "en"\n')
    monkeypatch.setenv("WANGGE_CONFIG", str(file))
    monkeypatch.setenv("WANGGE_PORT", "9002")
    settings = Settings()
    assert (settings.port, settings.language) == (9002, "en")
    assert Settings(port=9003).port == 9003


def test_a_misspelt_setting_in_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "wangge.toml"
    file.write_text("prot = 9001\n")
    monkeypatch.setenv("WANGGE_CONFIG", str(file))
    with pytest.raises(ValidationError, match="prot"):
        Settings()


def test_an_empty_variable_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANGGE_PORT", "")
    assert Settings().port == 8050


def test_given_stores_keep_their_usual_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/wangge")
    monkeypatch.setenv("REDIS_URL", "redis://cache/0")
    settings = Settings()
    assert (settings.database_url, settings.redis_url) == ("postgresql://db/wangge", "redis://cache/0")
