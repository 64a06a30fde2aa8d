"""What is written of a choice can be read: of any size, any names and any arguments, or it is refused in one line."""

from __future__ import annotations

import json
import math
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core import Evaluation, ExitRule, load_choice, save_choice, save_run
from cascade_core.__main__ import main
from cascade_core.storage import choice_schema
from cascade_core.storage.choice import choice_json, parse_choice
from cascade_core.support.files import BadFile
from tests.names import hostile_names, is_clean
from tests.oddvalues import with_odd_values
from tests.oracle import assert_one_line
from tests.samples import sample_run
from tests.storage.choices import EVALUATION, RULE

RUN = {"name": "run", "sha256": "0" * 64}


def by_class(stages: int, classes: int) -> tuple[ExitRule, Evaluation]:
    """A threshold for each class at each early stage, with as many digits as they can have."""
    names = tuple(f"stage {number}" for number in range(stages))
    exits, right = np.zeros((2, stages), dtype=np.int64)
    exits[0], right[0] = EVALUATION.n, EVALUATION.correct_counts.sum()
    values = np.random.default_rng(0).random((stages - 1, classes), dtype=np.float32)
    fields: dict[str, Any] = {"stage_names": names, "costs": exits, "exit_counts": exits, "correct_counts": right}
    evaluation = replace(EVALUATION, **fields)
    return ExitRule(thresholds=values, stage_names=names), evaluation


@pytest.mark.parametrize(("stages", "classes"), [(3, 21_841), (2, 100_000), (60, 1_000)])
def test_a_threshold_for_each_of_many_classes(stages: int, classes: int, tmp_path: Path) -> None:
    rule, evaluation = by_class(stages, classes)
    found = load_choice(save_choice(tmp_path / "c.json", rule, evaluation))
    assert np.array_equal(found.thresholds, rule.thresholds)


@pytest.mark.parametrize(("stages", "classes", "words"), [(2, 100_001, "at rule/thresholds/0"), (1_001, 1, "at ")])
def test_more_than_a_file_may_hold_is_not_written(stages: int, classes: int, words: str, tmp_path: Path) -> None:
    rule, evaluation = by_class(stages, classes)
    with pytest.raises(BadFile) as caught:
        save_choice(tmp_path / "c.json", rule, evaluation)
    assert_one_line(caught.value, words)
    assert list(tmp_path.iterdir()) == []


def test_more_bytes_than_are_read_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(choice_json(RULE, EVALUATION).encode())
    monkeypatch.setattr(choice_schema, "MAX_BYTES", size)
    path = save_choice(tmp_path / "c.json", RULE, EVALUATION)
    assert load_choice(path).costs
    monkeypatch.setattr(choice_schema, "MAX_BYTES", size - 1)
    with pytest.raises(BadFile, match=f"at most {size - 1:,} bytes of JSON but there are more"):
        save_choice(tmp_path / "d.json", RULE, EVALUATION)
    assert [file.name for file in tmp_path.iterdir()] == ["c.json"]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


PARAMETERS: list[tuple[Any, str]] = [
    ({1: 2}, "expected the keys of policy to be texts but one is 1"),
    ({None: 2}, "expected the keys of policy to be texts but one is None"),
    ({"a": [{(1, 2): 3}]}, "expected the keys of policy to be texts but one is (1, 2)"),
    ({"a": math.nan}, "expected JSON data for a choice but Out of range float values"),
    ({"a": [math.inf]}, "expected JSON data for a choice but Out of range float values"),
    ({"a": {1, 2}}, "expected JSON data for a choice but Object of type set is not JSON serializable"),
    ({"a": np.float32(1)}, "expected JSON data for a choice but Object of type float32"),
    ({"a": b"x"}, "expected JSON data for a choice but Object of type bytes"),
    ({"a": 10**400}, "which is too large a number"),
    ({"a": 10**5000}, "expected JSON data for a choice but"),
    ({"a": nested(2_000)}, "nested too deeply"),
    ([], "at policy/parameters: [] is not of type 'object'"),
]


@pytest.mark.parametrize(("parameters", "words"), PARAMETERS, ids=[words[-30:] for _, words in PARAMETERS])
def test_arguments_that_would_not_come_back_are_one_line(parameters: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile) as caught:
        save_choice(tmp_path / "c.json", RULE, EVALUATION, policy={"name": "x", "parameters": parameters})
    assert_one_line(caught.value, words)
    assert list(tmp_path.iterdir()) == []


def test_any_names_come_back(tmp_path: Path) -> None:
    names = list(dict.fromkeys([*hostile_names(5, 300), "\U0001f431"]))
    for some in zip(names, names[1:], names[2:], strict=False):
        evaluation, rule = replace(EVALUATION, stage_names=some), replace(RULE, stage_names=some)
        run = {**RUN, "name": f"{some[0]}\udcff"}  # as a file's name may be that is no text
        path = save_choice(tmp_path / "c.json", rule, evaluation, run=run)
        found = load_choice(path)
        assert found.rule.stage_names == some
        assert found.run == run


def test_any_odd_value_in_any_place_is_a_choice_or_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(save_run(sample_run(n=60), tmp_path / "run.parquet"))
    file = tmp_path / "c.json"
    assert main(["choose", run, "--policy", "paper-by-class", "--epsilon", "0.01", "--out", str(file)]) == 0
    taken = 0
    for spoiled in with_odd_values(json.loads(file.read_text())):
        text = json.dumps(spoiled)
        file.write_text(text)
        capsys.readouterr()
        with suppress(BadFile), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse_choice(text.encode())
            taken += 1
            assert main(["evaluate", str(file), run]) in (0, 2)
            out, err = capsys.readouterr()
            assert is_clean(out + err, keep="\n")
            assert sum(line.startswith("error: ") for line in err.splitlines()) <= 1
    assert taken > 50


def test_of_many_faults_and_of_lists_that_are_too_long_few_are_looked_at() -> None:
    looked: list[object] = []

    class Looked(dict[str, Any]):
        def __contains__(self, key: object) -> bool:
            looked.append(key)
            return super().__contains__(key)

    data = json.loads(choice_json(RULE, EVALUATION))
    rows = [Looked() for _ in range(2_000)]
    for place, key in ((data["rule"], "thresholds"), (data, "stages"), (data["measured"], "exits")):
        kept, place[key] = place[key], rows
        with pytest.raises(BadFile):
            choice_schema.validate(data)
        place[key] = rows[:900]
        with pytest.raises(BadFile):
            choice_schema.validate(data)
        place[key] = kept
    assert len(looked) < 3_000
