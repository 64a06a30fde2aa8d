"""Costs to a file and back, files written by hand, and malformed ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cascade_core.storage.costs import costs_path, load_costs, save_costs
from cascade_core.support.files import BadFile
from tests.oracle import assert_refused
from tests.simulation.test_own_costs import costs

NAMES = ("a", "b", "c")


def test_there_and_back(tmp_path: Path) -> None:
    path = save_costs(costs(), costs_path(tmp_path / "run.parquet"))
    assert path.name == "run.costs.json"
    assert load_costs(path, NAMES) == costs()


def test_more_than_would_be_read_is_not_written(tmp_path: Path) -> None:
    names = tuple(f"{number:05d}" + "x" * 75 for number in range(12_000))
    many = costs(stage_names=names, stages=({"device": 1.0},) * len(names), plain_parts={"device": 100.0})
    with pytest.raises(BadFile, match=r"Cannot write .*x\.costs\.json: expected at most 1,048,576 bytes of JSON but"):
        save_costs(many, tmp_path / "x.costs.json")
    assert list(tmp_path.iterdir()) == []


def test_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "x.costs.json"
    path.write_text('{"unit": "joules", "stages": {"a": 1, "b": {"cloud": 2}, "c": 0}, "plain": 4}')
    found = load_costs(path, NAMES)
    assert (found.unit, found.per, found.totals.tolist()) == ("joules", 1, [1, 2, 0])
    assert found.parts == ("", "cloud")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "expected JSON"),
        ("[]", "an object with unit, per, stages, plain"),
        ('{"unit": "x", "stages": {}}', "an object with unit, per, stages, plain"),
        ('{"unit": "x", "stages": {}, "plain": 1, "more": 2}', "an object with unit, per, stages, plain"),
        ('{"unit": "x", "stages": {"a": 1, "b": 1}, "plain": 1}', "'a', 'b', 'c'; but 2 came: 'a', 'b'"),
        ('{"unit": "x", "stages": {}, "plain": 1}', "'c'; but none came"),
        ('{"unit": "x", "stages": [1, 2, 3], "plain": 1}', "'c'; but it was [1, 2, 3]"),
        ('{"unit": "x", "stages": {"a": 1, "c": 1, "b": 1}, "plain": 1}', "but 3 came: 'a', 'c', 'b'"),
        ('{"unit": "x", "stages": {"a": 1, "b": 1, "c": []}, "plain": 1}', "cost of stage c"),
        ('{"unit": "x", "stages": {"a": 1, "b": 1, "c": true}, "plain": 1}', "cost of stage c"),
        ('{"unit": 5, "stages": {"a": 1, "b": 1, "c": 1}, "plain": 1}', "unit to be a text"),
        ('{"unit": "x", "per": 1.5, "stages": {"a": 1, "b": 1, "c": 1}, "plain": 1}', "per to be a whole number"),
        (json.dumps({"unit": "x" * (1 << 20), "stages": {}, "plain": 1}), "at most"),
    ],
)
def test_malformed_files_are_named(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.costs.json"
    path.write_text(content)
    assert_refused(lambda file: load_costs(file, NAMES), path, words)
