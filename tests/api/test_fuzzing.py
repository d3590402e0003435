"""The fuzzer itself: the same number makes the same requests, bending leaves its model alone, tables add up."""

import copy
import json
from pathlib import Path
from random import Random

import pytest

from commands.fuzz import added_up, print_table
from tests.api.fuzzing.in_process import Answer
from tests.api.fuzzing.requests import encoded_json
from tests.api.fuzzing.site import fault_of
from tests.api.fuzzing.values import anything, changed

MODEL = {"title": "路灯", "lon": 117.005, "tags": ["a", {"b": [1, 2]}], "open": True, "who": None}


def test_the_same_number_makes_the_same_values() -> None:
    one, other = ([encoded_json(anything(chance)) for _ in range(200)] for chance in (Random(3), Random(3)))
    assert one == other and len(set(one)) > 60


def test_bending_changes_one_place_and_leaves_the_model_as_it_was() -> None:
    before, chance = copy.deepcopy(MODEL), Random(4)
    bent = [encoded_json(changed(chance, MODEL)) for _ in range(300)]
    assert before == MODEL
    assert len(set(bent)) > 100 and any(b"title" not in one for one in bent)


@pytest.mark.parametrize(
    ("path", "status", "body", "fine"),
    [
        ("/api/x", 200, {"anything": 1}, True),
        ("/api/x", 422, {"error": {"code": "a", "message": "b", "details": []}}, True),
        ("/api/x", 422, {"detail": "b"}, False),
        ("/api/x", 503, {"error": {"code": "a", "message": "b", "details": []}}, True),
        ("/api/x", 500, {"error": {"code": "a", "message": "b", "details": []}}, False),
        ("/api/x", 200, {"a": "Traceback (most recent call last)"}, False),
        ("/open311/v2/x", 404, [{"code": 404, "description": "b"}], True),
        ("/open311/v2/x", 404, {"error": {}}, False),
    ],
)
def test_what_is_a_fault(path: str, status: int, body: object, fine: bool) -> None:
    answer = Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())
    assert (fault_of(path, answer) is None) == fine


def test_tables_of_all_processes_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"GET /api/x": [{"200": 3, "404": 1}, 1.5]}))
    (tmp_path / "b.json").write_text(
        json.dumps({"GET /api/x": [{"200": 2}, 0.5], "GET /api/y": [{"500": 1}, 1]})
    )
    print_table(added_up(tmp_path))
    told = capsys.readouterr().out.splitlines()
    assert told[2].split()[2:] == ["6", "2.0", "200:", "5", "404:", "1"]
    assert told[-1] == "2 routes and callbacks, 7 cases, 1 500"
