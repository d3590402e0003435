"""What pip-audit says is turned into one verdict: found, none, or nobody could be asked."""

from commands.vulnerabilities import judged

CLEAN = {"name": "redis", "version": "8.0.0", "vulns": []}
UNKNOWN = {"name": "own", "skip_reason": "Dependency not found on PyPI"}
FAULTY = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}


def test_a_published_vulnerability_fails() -> None:
    found = judged([CLEAN, FAULTY])
    assert found.verdict == "found" and found.lines == ["old 1.0: PYSEC-1, fixed in 1.1"]


def test_none_is_said_and_what_is_unknown_counted() -> None:
    assert judged([CLEAN]) == ("none", [])
    assert judged([CLEAN, UNKNOWN]) == ("none, 1 of 2 packages unknown to PyPI", [])


def test_an_index_that_knows_nothing_is_not_taken_for_a_clean_bill() -> None:
    found = judged([UNKNOWN, UNKNOWN])
    assert found.verdict.startswith("not asked") and not found.lines
