"""One call from softmaxes to thresholds: on which samples what is done, and that the file gives it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import (
    CheapestWithinDrop,
    ExitRule,
    FixedThresholds,
    Infeasible,
    PaperRule,
    StageOutputs,
    evaluate,
    load_choice,
    split_indices,
    tune,
)
from cascade_core.storage.notes import notes_on
from cascade_core.storage.reading import digest
from cascade_core.storage.writing import save_run
from tests.oracle import assert_outcome, naive_evaluate
from tests.samples import sample_run


@pytest.fixture(scope="module")
def run() -> StageOutputs:
    return sample_run(n=600, m=3, k=9)


def assert_same_rule(one: ExitRule, other: ExitRule) -> None:
    assert one.thresholds.tolist() == other.thresholds.tolist()
    assert (one.pool, one.score, one.top_k, one.stage_names) == (
        other.pool,
        other.score,
        other.top_k,
        other.stage_names,
    )


@pytest.mark.filterwarnings("ignore::UserWarning")  # the test samples are replaced by odd ones
@pytest.mark.parametrize("answers", ["own", "pooled", "auto"])
def test_rules_are_chosen_on_one_part_and_measured_on_the_other(run: StageOutputs, answers: str) -> None:
    policy = CheapestWithinDrop(0.02)
    found = tune(run, policy, fraction=0.6, seed=3, answers=answers)
    _, test = split_indices(600, 0.6, 3)
    assert found.rule.plain or found.answers == ("own" if found.rule.pool is None else "pooled")
    assert answers in ("auto", found.answers)
    record = run.take(test).record(pool=found.rule.pool)
    assert_outcome(found.evaluation, naive_evaluate(record, found.rule.thresholds, plain=found.rule.plain))
    assert found.split == {"fraction": 0.6, "seed": 3, "measured_on": "test"}
    assert found.policy == {"name": "cheapest", "parameters": {"max_drop": 0.02}}
    # Test samples have no part in it.
    probs, labels = run.probs.copy(), run.labels.copy()
    probs[:, test], labels[test] = np.float32(1 / 9), 0
    other = tune(replace(run, probs=probs, labels=labels), policy, fraction=0.6, seed=3, answers=answers)
    assert_same_rule(other.rule, found.rule)
    assert (other.answers, other.why) == (found.answers, found.why)
    assert other.evaluation.accuracy != found.evaluation.accuracy


@pytest.mark.parametrize("answers", ["own", "pooled"])
def test_the_order_of_calibration_samples_does_not_matter(run: StageOutputs, answers: str) -> None:
    """Weights of a pool are sums over samples, and may differ in their last digits."""
    calibration, _ = split_indices(600, 0.5, 0)
    order = np.arange(600)
    order[calibration] = np.random.default_rng(1).permutation(calibration)
    one, other = (tune(outputs, CheapestWithinDrop(0.02), answers=answers) for outputs in (run, run.take(order)))
    np.testing.assert_allclose(other.rule.thresholds, one.rule.thresholds, rtol=0 if answers == "own" else 1e-4)
    assert other.evaluation.exit_counts == pytest.approx(one.evaluation.exit_counts, abs=0 if answers == "own" else 2)


def test_scores_and_top_k_reach_the_rule(run: StageOutputs) -> None:
    for score, top_k in (("margin", 1), ("negative_entropy", 1), ("max_probability", 5)):
        found = tune(run, PaperRule(0.01), score=score, top_k=top_k, answers="pooled")
        assert (found.rule.score, found.rule.top_k, found.answers) == (score, top_k, "pooled")
        _, test = split_indices(600, 0.5, 0)
        record = run.take(test).record(score, top_k, found.rule.pool)
        assert_outcome(found.evaluation, naive_evaluate(record, found.rule.thresholds))


@pytest.mark.parametrize("policy", [CheapestWithinDrop(0.02), FixedThresholds((0.9, float("inf")))])
def test_a_saved_choice_does_the_same(run: StageOutputs, policy: CheapestWithinDrop, tmp_path: Path) -> None:
    found = tune(run, policy, answers="pooled")
    file = save_run(run, tmp_path / "run.parquet")
    choice = load_choice(found.save(tmp_path / "choice.json", run=file))
    assert_same_rule(choice.rule, found.rule)
    assert choice.policy == found.policy
    assert choice.run == {"name": "run", "sha256": digest(file)}
    assert choice.measured["split"] == found.split
    assert choice.measured["accuracy"] == found.evaluation.accuracy
    _, test = split_indices(600, 0.5, 0)
    again = evaluate(run.take(test).record(pool=choice.rule.pool), choice.rule)
    assert again.exit_counts.tolist() == found.evaluation.exit_counts.tolist()
    assert (again.accuracy, again.saving) == (found.evaluation.accuracy, found.evaluation.saving)


@pytest.mark.parametrize("answers", ["own", "pooled"])
def test_an_impossible_gain_names_one_that_can_be_asked_for(run: StageOutputs, answers: str) -> None:
    with pytest.raises(
        Infeasible, match=r"at most −90\.00 points but the best that these 300 samples let expect has"
    ) as no:
        tune(run, CheapestWithinDrop(-0.9), answers=answers)
    best = float(str(no.value).split("max_drop ")[1].split(")")[0])
    tune(run, CheapestWithinDrop(best), answers=answers)
    with pytest.raises(Infeasible):
        tune(run, CheapestWithinDrop(best - 0.0002), answers=answers)


def test_given_thresholds_and_few_samples_have_own_answers(run: StageOutputs) -> None:
    assert tune(run, FixedThresholds((0.5, 0.5))).answers == "own"
    few = tune(run.take(np.arange(30)), CheapestWithinDrop(0.01))
    assert (few.answers, few.rule.plain) == ("own", True)
    assert few.why == "pooling takes two stages and 20 calibration samples"


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_a_part_without_samples_is_refused(run: StageOutputs, fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction to leave samples on both sides of 600"):
        tune(run, PaperRule(0.1), fraction=fraction)


def test_what_is_odd_is_said() -> None:
    odd = replace(sample_run(), labels=np.roll(sample_run().labels, 1))
    with pytest.warns(UserWarning, match="at or below chance") as said:
        tune(odd, PaperRule(0.1))
    assert {str(warning.message) for warning in said} >= set(notes_on(odd))
