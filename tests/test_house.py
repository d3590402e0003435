"""The house's own rules: what no committed file may hold, and what each must."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from settings import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")
TEXT = {
    ".py",
    ".sh",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".js",
    ".css",
    ".sql",
    ".po",
    ".lock",
    ".txt",
    ".json",
    "",
}
# Written in parts, so that this file does not find itself.
MACHINE_PATHS = ("/wo" + "rk/", "/ro" + "ot/.", "/opt/whe" + "els")
REGISTRIES = (
    "pypi.o" + "rg",
    "files.pythonho" + "sted",
    "registry.n" + "pmjs",
    "deb.deb" + "ian.org",
    "docker.i" + "o/",
)
CJK = re.compile(r"[\u3400-\u9fff]")
OPENING = re.compile(r'(?:#.*\n|\s)*"""(.*?)"""', re.DOTALL)  # comments, then the docstring
CJK_MAY_BE_IN = (
    "locale/",
    "profiles/",
    "geodata/generate/",
    "geodata/importing/",
    "tests/",
    "bench/",
    "docs/",
)


def committed() -> list[Path]:
    """Files that git knows or would add; all files where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        files = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        hidden = (".venv", ".data", ".git", "__pycache__")
        files = [path for path in ROOT.rglob("*") if not set(hidden) & set(path.relative_to(ROOT).parts)]
    return [path for path in files if path.is_file()]


@cache
def texts() -> list[tuple[str, str]]:
    """Name and content of every text file that we wrote (vendored ones are others')."""
    return [
        (str(path.relative_to(ROOT)), path.read_text(errors="replace"))
        for path in committed()
        if path.suffix in TEXT and "vendor" not in path.parts
    ]


@cache
def python() -> list[tuple[str, str]]:
    """The Python files."""
    return [(name, text) for name, text in texts() if name.endswith(".py")]


def test_no_file_names_a_path_of_somebodys_machine_or_a_registry() -> None:
    found = [
        f"{name}: {part}" for name, text in texts() for part in (*MACHINE_PATHS, *REGISTRIES) if part in text
    ]
    assert not found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_names_versions_and_hashes_only(lock: str) -> None:
    for line in (ROOT / lock).read_text().splitlines():
        assert "://" not in line
        assert "file:" not in line
        assert re.match(
            r"(    --hash=sha256:[0-9a-f]{64}|[a-zA-Z0-9_.\[\]-]+==\S+.*|\s*#.*)?( \\)?$", line
        ), line


def test_each_python_file_opens_with_a_sentence() -> None:
    missing = []
    for name, text in python():
        words = OPENING.match(text)  # parsing all files takes seconds
        first = words[1].strip().partition("\n")[0] if words else ""
        if not first.endswith((".", "!", "?")) and len(first.split()) < 4:
            missing.append(name)
    assert not [
        name for name in missing if not name.endswith("__init__.py") or (ROOT / name).stat().st_size
    ], missing


def test_no_words_of_the_interface_outside_the_catalogues() -> None:
    found = []
    for name, text in texts():
        if not name.endswith((".py", ".js")) or name.startswith(CJK_MAY_BE_IN):
            continue
        code = (
            "\n".join(line for line in text.splitlines() if not _is_comment(line))
            if name.endswith(".js")
            else text
        )
        if name.endswith(".py") and CJK.search(text):
            code = " ".join(_strings(text))
        for name_by_licence in ("© 天地图",):
            code = code.replace(name_by_licence, "")
        if CJK.search(code):
            found.append(name)
    assert not found


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("//", "*", "/*"))


def _strings(text: str) -> list[str]:
    """String constants that are not docstrings."""
    tree = ast.parse(text)
    docs = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr):
                docs.add(id(first.value))
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_nothing_unfinished() -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
    assert not [name for name, text in python() if marks.search(text)]


def test_the_container_file_is_sound() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--config", ROOT / ".hadolint.yaml", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_set_up_script_is_posix() -> None:
    for shell in ("dash", "sh"):
        done = subprocess.run([shell, "-n", ROOT / "wangge"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "[[" not in (ROOT / "wangge").read_text()


def test_help_is_quick_and_loads_no_heavy_library() -> None:
    code = "import sys, cli; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"dash", "pandas", "geopandas", "fastapi", "numpy", "scipy", "pyarrow"} & set(
        done.stdout.split()
    )


def test_each_command_is_documented() -> None:
    import cli

    document = (ROOT / "docs/reference/commands.md").read_text()
    commands = {
        command.name or command.callback.__name__
        for command in cli.app.registered_commands
        if command.callback
    }
    groups = {group.name for group in cli.app.registered_groups}
    missing = [name for name in commands | groups if f"`./wangge {name}" not in document]
    assert not missing


def test_links_between_documents_lead_somewhere() -> None:
    dead = []
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                dead.append(f"{path.relative_to(ROOT)}: {target}")
    assert not dead
