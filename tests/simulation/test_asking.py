"""A cascade of callables exits where the simulation says, asks nobody for nothing, and refuses what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core import ExitRule, PaperRuleByClass, SharedThreshold, ask, choose, evaluate, load_choice, save_choice
from cascade_core.policies import Policy
from cascade_core.storage.snippets import snippet
from tests.answering import sample_answers
from tests.oracle import f32

ANSWERS = sample_answers()
RECORD = ANSWERS.record()
NAMES = ("ant", "bee", "cat", "dog", "elk")


def models(asked: list[int] | None = None) -> list[Callable[[int], tuple[str, float]]]:
    """Callables that say what each stage says of a sample, by its number."""

    def stage_of(stage: int) -> Callable[[int], tuple[str, float]]:
        def model(sample: int) -> tuple[str, float]:
            if asked is not None:
                asked.append(stage)
            name = NAMES[ANSWERS.predictions[stage, sample]]
            return f" {name.upper()}", float(ANSWERS.confidence[stage, sample])

        return model

    return [stage_of(stage) for stage in range(3)]


@pytest.mark.parametrize("policy", [SharedThreshold(0.8), PaperRuleByClass(epsilon=0.02)])
def test_samples_exit_where_the_simulation_says(policy: Policy) -> None:
    rule = choose(RECORD, policy)
    found = [ask(rule, models(), sample, NAMES) for sample in range(RECORD.n)]
    assert [one.stage for one in found] == rule.exit_stages(RECORD).tolist()
    right = [one.answer.strip().casefold() == NAMES[RECORD.labels[i]] for i, one in enumerate(found)]
    assert sum(right) == evaluate(RECORD, rule).correct_counts.sum()


def test_a_stage_at_which_nobody_may_exit_is_not_asked() -> None:
    seen: list[int] = []
    found = ask(ExitRule(thresholds=f32(np.inf, 2.0), score="confidence"), models(seen), 0)
    assert seen == [1, 2] == list(found.asked)
    seen.clear()
    assert ask(ExitRule(thresholds=f32(0.0, 0.0), score="confidence"), models(seen), 0).stage == 0
    assert seen == [0]


def test_an_answer_that_is_no_class_goes_on() -> None:
    rule = ExitRule(thresholds=np.zeros((1, 2), np.float32), score="confidence")
    stages: list[Any] = [lambda _: ("something else", 9.0), lambda _: ("so be it", 0.0)]
    assert ask(rule, stages, "?", ("yes", "no")).answer == "so be it"


def test_confidences_are_compared_as_float32() -> None:
    """0.1 and 0.7 are float64; as float32 they reach the thresholds that were chosen for them."""
    for value in (0.1, 0.7):
        rule = ExitRule(thresholds=f32(value), score="confidence")
        assert rule.lets_exit(value, 0)
        assert not rule.lets_exit(value - 1e-6, 0)


def test_refusals() -> None:
    rule = ExitRule(thresholds=np.zeros((2, 5), np.float32), score="confidence")
    with pytest.raises(ValueError, match="Expected 3 callables, one for each stage, but there are 2"):
        ask(rule, models()[:2], 0, NAMES)
    with pytest.raises(ValueError, match="Expected class_names"):
        ask(rule, models(), 0)
    with pytest.raises(ValueError, match="confidence to be from -inf to inf but it was nan"):
        ask(rule, [lambda _: ("ant", float("nan"))] * 3, 0, NAMES)
    with pytest.raises(ValueError, match="stage to be a whole number from 0 to 2"):
        rule.lets_exit(0.5, 3)
    with pytest.raises(ValueError, match="answer to be a whole number from 0 to 4"):
        rule.lets_exit(0.5, 0, 5)


def test_an_exported_script_asks_as_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = choose(RECORD, SharedThreshold(0.8))
    save_choice(tmp_path / "mine.json", rule, evaluate(RECORD, rule))
    monkeypatch.chdir(tmp_path)
    assert load_choice("mine.json").rule.score == "confidence"
    script: dict[str, Any] = {}
    exec(snippet("mine.json", "mine", {}, NAMES, RECORD.stage_names, softmaxes=False), script)
    script["STAGES"].update(zip(RECORD.stage_names, models(), strict=True))
    assert [script["classify"](i).stage for i in range(50)] == rule.exit_stages(RECORD)[:50].tolist()
