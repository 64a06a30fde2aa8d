"""Own and pooled answers: what pools are fitted to, what is held out from them, and how auto decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import Certified, CheapestWithinDrop, FixedThresholds, Pool, StageOutputs, fit_pool
from cascade_core.policies import answers as room
from cascade_core.policies.answers import Halves
from cascade_core.policies.crossfitting import folds
from cascade_core.simulation.dividing import split_indices
from tests.samples import sample_run

N = 240
CALIBRATION, TEST = split_indices(N, 0.5, 0)
ROUNDING = 1e-5
"""Of answers of one pool that was sought from two starts."""


def halves(outputs: StageOutputs) -> Halves:
    return Halves(outputs=outputs, calibration=CALIBRATION, test=TEST)


def pooled(outputs: StageOutputs, policy: type[CheapestWithinDrop | Certified] = CheapestWithinDrop) -> room.Divided:
    return halves(outputs).divided(policy, "pooled")


@pytest.fixture(scope="module")
def run() -> StageOutputs:
    return sample_run(n=N, m=2, k=4)


def relabelled(outputs: StageOutputs, index: int) -> StageOutputs:
    """The same but for one sample that all stages get wrong: it has another label that all get wrong too."""
    said = outputs.probs[:, index].argmax(axis=1)
    labels = outputs.labels.copy()
    labels[index] = next(k for k in range(4) if k not in said and k != labels[index])
    return replace(outputs, labels=labels)


def all_wrong(outputs: StageOutputs, among: NDArray[np.int64]) -> int:
    """The first sample of some that every stage gets wrong."""
    right = (outputs.probs[:, among].argmax(axis=2) == outputs.labels[among]).any(axis=0)
    return int(among[np.flatnonzero(~right)[0]])


def test_pools_are_fitted_to_all_calibration_samples_and_to_no_other(run: StageOutputs) -> None:
    found = pooled(run)
    assert found.answers == "pooled"
    assert found.why == "it was asked for"
    assert found.calibration.pool == fit_pool(run.probs[:, CALIBRATION], run.labels[CALIBRATION])
    assert found.test.pool == found.calibration.pool
    assert found.calibration.fitted is not None
    assert found.calibration.fitted.all()
    assert found.test.held_out is None
    probs, labels = run.probs.copy(), run.labels.copy()
    probs[:, TEST], labels[TEST] = probs[::-1, TEST[::-1]], 0
    other = pooled(replace(run, probs=probs, labels=labels))
    assert other.calibration.pool == found.calibration.pool


def test_held_out_answers_are_of_pools_that_never_saw_the_fold(run: StageOutputs) -> None:
    """Each fold is answered by a pool of the others: a label changes the answers of all folds but its own."""
    found = pooled(run).calibration
    assert found.held_out is not None
    own = run.take(CALIBRATION)
    changed = all_wrong(own, np.arange(len(CALIBRATION)))
    other = pooled(relabelled(run, int(CALIBRATION[changed]))).calibration
    assert other.pool != found.pool
    assert other.held_out is not None
    for part, others in folds(own.record()):
        pool = fit_pool(own.probs[:, others], own.labels[others])
        said = own.take(part).record(pool=pool)
        assert found.held_out.confidence[:, part] == pytest.approx(said.confidence, abs=ROUNDING)
        assert (found.held_out.predictions[:, part] == said.predictions).all()
        assert (found.held_out.correct[:, part] == said.correct).all()
        apart = np.abs(other.held_out.confidence[:, part] - found.held_out.confidence[:, part]).max()
        assert (apart < ROUNDING) == (changed in part)


def test_certified_rules_are_tested_on_samples_that_the_pool_never_saw(run: StageOutputs) -> None:
    found = pooled(run, Certified).calibration
    half = run.take(CALIBRATION).record().half
    assert found.fitted is not None
    assert (found.fitted == half).all()
    chosen, others = CALIBRATION[half], CALIBRATION[~half]
    assert found.pool == fit_pool(run.probs[:, chosen], run.labels[chosen])
    choosing, testing = found.apart
    assert testing is not None
    assert (choosing.labels == run.labels[chosen]).all()
    assert (testing.labels == run.labels[others]).all()
    assert pooled(relabelled(run, all_wrong(run, others)), Certified).calibration.pool == found.pool


def test_own_answers_are_taken_where_asked_for_or_thresholds_are_given(run: StageOutputs) -> None:
    asked = halves(run).divided(CheapestWithinDrop, "own")
    given = halves(run).divided(FixedThresholds)
    assert (asked.answers, asked.why) == ("own", "it was asked for")
    assert (given.answers, given.why) == ("own", "thresholds were brought")
    for found in (asked, given):
        assert found.calibration.pool is None
        assert found.test.pool is None
        assert found.calibration.held_out is None
        assert (found.calibration.confidence == run.take(CALIBRATION).record().confidence).all()
    # Whoever gives thresholds may still ask for a pool.
    assert halves(run).divided(FixedThresholds, "pooled").answers == "pooled"


@pytest.mark.parametrize("answers", ["auto", "pooled"])
@pytest.mark.parametrize(("n", "m"), [(19, 2), (60, 1)])
def test_without_enough_to_fit_stages_answer_for_themselves(answers: str, n: int, m: int) -> None:
    run = sample_run(n=n + 10, m=m)
    few = Halves(outputs=run, calibration=np.arange(n), test=np.arange(n, n + 10))
    found = few.divided(CheapestWithinDrop, answers)
    assert (found.answers, found.why) == ("own", "pooling takes two stages and 20 calibration samples")


def test_auto_takes_pooled_answers_where_they_help() -> None:
    """Three stages as good as each other that err apart: together they are right more often than any."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 1200)
    logits = random.normal(0, 1, (3, 1200, 3)) + 1.5 * np.eye(3)[labels]
    probs = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    run = replace(sample_run(n=1200, m=3, k=3), probs=probs, labels=labels)
    calibration, test = split_indices(1200, 0.5, 0)
    found = Halves(outputs=run, calibration=calibration, test=test).divided(CheapestWithinDrop)
    assert found.answers == "pooled"
    assert found.why.startswith("over drops from 0.25 to 2 points pooled answers are expected to save ")
    assert found.test.stage_accuracy[-1] > found.test.baseline_accuracy + 0.05


def test_auto_takes_own_answers_where_pooled_ones_do_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that turns the last stage's answers round, instead of the fitted one."""
    turned = Pool(weights=((1.0,), (0.1, -1.0)))
    monkeypatch.setattr(room, "fit_pool", lambda *_, **__: turned)
    run = sample_run(n=600, m=2)
    calibration, test = split_indices(600, 0.5, 0)
    found = Halves(outputs=run, calibration=calibration, test=test).divided(CheapestWithinDrop)
    assert found.answers == "own"
    assert found.calibration.pool is None


def test_a_dear_head_that_would_be_off_is_not_pooled() -> None:
    """Stage b knows nothing and its head costs as much as the whole trunk: pooled answers do without it."""
    run = sample_run(n=800, m=3)
    probs = run.probs.copy()
    probs[1] = 1 / 5
    stages = tuple(replace(stage, head_macs=6000 if k == 1 else 10) for k, stage in enumerate(run.stages))
    run = replace(run, probs=probs, stages=stages, baseline_macs=6010)
    calibration, test = split_indices(800, 0.5, 0)
    found = Halves(outputs=run, calibration=calibration, test=test).divided(CheapestWithinDrop, "pooled")
    assert found.calibration.pool is not None
    assert found.calibration.pool.used_later.tolist() == [True, False, False]


def test_other_answers_are_refused(run: StageOutputs) -> None:
    with pytest.raises(ValueError, match="answers to be one of auto, pooled, own but it was 'both'"):
        halves(run).divided(CheapestWithinDrop, "both")
