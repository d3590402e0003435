"""The catalogues: both languages have the same words, all words in use exist, and no word hides in the code."""

import re
from string import Formatter

import pytest

from screens.latin import latin
from screens.words import FILES, LANGUAGES, t, words
from settings import ROOT

PYTHON = [
    path
    for folder in ("screens", "layers", "callbacks", "api", "services")
    for path in (ROOT / folder).rglob("*.py")
]
SCRIPTS = sorted((ROOT / "assets").glob("*.js"))
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
# t(lang, "key" …) in Python, t("key" …) in scripts; a key that ends in a dot or holds {…} is completed at run time.
USED = [re.compile(r"""\bt\(\s*(?:lang|self\.lang|asked\.lang|language)\s*,\s*f?["']([\w.{}$]+)["']"""),
        re.compile(r"""(?:\bt|wangge\.t)\(\s*["'`]([\w.${}]+)["'`]""")]  # fmt: skip
LAYER_WORDS = re.compile(r"""["'](map\.[\w.]+)["']""")  # layers/ names its words without a call
LICENSED = "© 天地图"  # the name that the licence of the base map asks for, in every language
SPARED = {"level", "of", "n"}  # blanks that one language may do without


def params_of(word: str | list[str]) -> set[str]:
    """Names of the blanks of a word."""
    forms = word if isinstance(word, list) else [word]
    return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name}


def test_both_catalogues_have_the_same_keys_and_blanks() -> None:
    chinese, english = words("zh-CN"), words("en")
    assert chinese.keys() == english.keys()
    unlike = {key for key in chinese if params_of(chinese[key]) ^ params_of(english[key]) - SPARED}
    assert not unlike - {
        key for key in chinese if params_of(chinese[key]) <= params_of(english[key]) | SPARED
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_key_is_given_twice(lang: str) -> None:
    text = (ROOT / "locale" / FILES[lang]).read_text(encoding="utf-8")
    keys = re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)
    assert sorted(set(keys)) == sorted(keys)


def test_every_word_in_use_exists() -> None:
    have = words("en")
    missing = []
    for path in (*PYTHON, *SCRIPTS):
        text = path.read_text(encoding="utf-8")
        patterns = [*USED, LAYER_WORDS] if path.parent.name == "layers" else USED
        for key in {key for pattern in patterns for key in pattern.findall(text)} - have.keys():
            completed = re.compile(re.sub(r"\\?\$?\\?\{[^}]*\}", ".+", re.escape(key)))
            if not any(completed.fullmatch(one) for one in have):
                missing.append(f"{path.relative_to(ROOT)}: {key}")
    assert not missing


def test_no_chinese_outside_catalogues_profiles_and_generated_names() -> None:
    allowed = ("profiles", "tests", "locale", ".venv", ".data", "docs", "bench")
    found = []
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in allowed]
    for path in [*ROOT.glob("*.py"), *(one for folder in folders for one in folder.rglob("*.py")), *SCRIPTS]:
        parts = path.relative_to(ROOT).parts
        if parts[:2] in (("geodata", "generate"), ("geodata", "importing")):
            continue
        code = path.read_text(encoding="utf-8").replace(LICENSED, "")
        if CHINESE.search(without_comments(code, path.suffix)):
            found.append(str(path.relative_to(ROOT)))
    assert not found


def without_comments(code: str, suffix: str) -> str:
    """The code without docstrings and comments, which may name the field's own terms."""
    if suffix == ".js":
        return re.sub(r"/\*.*?\*/|^\s*//.*$", "", code, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r'""".*?"""|#.*$', "", code, flags=re.DOTALL | re.MULTILINE)


def test_plurals_and_blanks() -> None:
    assert t("en", "count.grid", n=1, count="1") == "1 grid"
    assert t("en", "count.grid", n=2, count="2") == "2 grids"
    assert t("zh-CN", "count.grid", n=1595, count="1,595") == "1,595 个网格"
    assert t("en", "no.such.word") == "no.such.word"


@pytest.mark.parametrize(
    ("name", "english"),
    [("钢山街道", "Gangshan"), ("北宿镇", "Beisu"), ("吴官庄村", "Wuguanzhuang Village"),
     ("经济开发区", "Economic Zone"),
     ("邹城市", "Zoucheng"), ("上高县", "Shanggao County")],
)  # fmt: skip
def test_place_names_in_english(name: str, english: str) -> None:
    assert latin("en", name) == english
    assert latin("zh-CN", name) == name
