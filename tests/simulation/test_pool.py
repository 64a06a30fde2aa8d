"""Pooled answers by hand, and fitted weights against a plain optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from cascade_core.simulation.pool import FLOOR, RIDGE, Pool, fit_pool, log_softmax
from tests.oracle import naive_softmax_of, random_outputs
from tests.samples import sample_run


def test_a_pool_multiplies_powers_of_softmaxes() -> None:
    probs = np.array([[[0.5, 0.25, 0.25]], [[0.2, 0.6, 0.2]]], dtype=np.float32)
    # 0.5^2 * 0.2 = 0.05, 0.25^2 * 0.6 = 0.0375, 0.25^2 * 0.2 = 0.0125; their sum is 0.1.
    first, second = Pool(weights=((1.0,), (2.0, 1.0))).apply(probs)
    np.testing.assert_array_equal(first, probs[0])
    np.testing.assert_allclose(second, [[0.5, 0.375, 0.125]], rtol=1e-6)


def test_own_answers_are_left_as_they_are() -> None:
    probs = sample_run().probs
    np.testing.assert_array_equal(Pool.own(3).apply(probs), probs)


@pytest.mark.parametrize("decimals", [2, None])
def test_pooled_answers_equal_a_loop(decimals: int | None) -> None:
    """Weights above one, below zero and zero, on softmaxes of which some are exactly 0 or 1."""
    probs = random_outputs(3, stages=4, n=40, classes=5, decimals=decimals).probs
    pool = Pool(weights=((0.5,), (1.5, -0.25), (0.0, 0.3, 0.9), (0.2, 0.0, 0.0, 1.0)))
    found = pool.apply(probs)
    assert found.dtype == np.float32
    for stage, row in enumerate(pool.weights):
        for i in range(40):
            wanted = naive_softmax_of(row, probs[: stage + 1, i].tolist())
            np.testing.assert_allclose(found[stage, i], wanted, rtol=2e-4, atol=1e-7)


def test_one_stage_of_a_pool_may_answer_by_itself() -> None:
    probs = sample_run().probs
    found = Pool(weights=((1.0,), (0.0, 1.0), (0.5, 0.0, 1.0))).apply(probs)
    np.testing.assert_array_equal(found[:2], probs[:2])
    assert (found[2] != probs[2]).any()


def test_a_softmax_of_zero_is_no_veto() -> None:
    probs = np.array([[[1.0, 0.0]], [[0.0, 1.0]]], dtype=np.float32)
    np.testing.assert_allclose(Pool(weights=((1.0,), (0.5, 0.5))).apply(probs)[1], [[0.5, 0.5]])
    assert log_softmax(probs).min() == np.log(FLOOR)


def test_heads_that_are_pooled_later_are_named() -> None:
    pool = Pool(weights=((1.0,), (0.0, 1.0), (0.0, 0.3, 0.9)))
    assert pool.used_later.tolist() == [False, True, False]
    # What a pool does not use need not be there.
    probs = sample_run(n=20).probs
    np.testing.assert_array_equal(pool.answer([None, probs[1], probs[2]], 2), pool.answer(list(probs), 2))


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_the_most_likely(seed: int) -> None:
    run = sample_run(n=300, seed=seed)
    fitted = fit_pool(run.probs, run.labels)
    logs = np.log(np.maximum(run.probs.astype(float), 1e-12))
    for stage in (1, 2):
        own = np.eye(stage + 1)[-1]

        def loss(weights: np.ndarray, stage: int = stage, own: np.ndarray = own) -> float:
            total = 0.0
            for i, label in enumerate(run.labels):
                pooled = sum(weight * logs[j, i] for j, weight in enumerate(weights))
                total += np.log(np.exp(pooled).sum()) - pooled[label]
            return float(total + RIDGE / 2 * ((weights - own) ** 2).sum())

        best = minimize(loss, own, method="BFGS", options={"gtol": 1e-6}).x
        np.testing.assert_allclose(fitted.weights[stage], best, atol=2e-4)


def test_heads_that_are_off_are_in_no_later_answer() -> None:
    run = sample_run(n=300, m=4)
    weights = fit_pool(run.probs, run.labels, np.array([True, False, True, True])).weights
    # Stage 1 may pool itself and stage 0; stages 2 and 3 are fitted as if stage 1 were not there.
    assert weights[1] == pytest.approx(fit_pool(run.probs[:2], run.labels).weights[1])
    without = fit_pool(run.probs[[0, 2, 3]], run.labels).weights
    for stage in (2, 3):
        assert weights[stage][1] == 0
        assert np.delete(weights[stage], 1) == pytest.approx(without[stage - 1])


def test_what_is_below_the_floor_is_fitted_as_if_it_were_there() -> None:
    run = sample_run(n=200, m=2)
    hard = np.where(run.probs < 1e-3, np.float32(0), run.probs)
    lifted = np.where(hard == 0, FLOOR, hard)
    assert fit_pool(hard, run.labels) == fit_pool(lifted, run.labels)


def test_one_stage_has_only_its_own() -> None:
    run = sample_run(n=20, m=1)
    assert fit_pool(run.probs, run.labels) == Pool.own(1)


def test_stages_that_say_the_same_share_what_one_would_have() -> None:
    run = sample_run(n=300)
    twice = np.stack([run.probs[0], run.probs[0]])
    weights = fit_pool(twice, run.labels).weights[1]
    # Only their sum matters to the likelihood; the ridge keeps their difference where it begins, at one.
    assert weights[1] - weights[0] == pytest.approx(1.0, abs=1e-6)


def test_one_sure_and_wrong_stage_keeps_weights_finite() -> None:
    labels = np.zeros(4, dtype=np.int64)
    probs = np.tile(np.array([0.0, 1.0], dtype=np.float32), (2, 4, 1))
    assert np.isfinite(np.concatenate([np.array(row) for row in fit_pool(probs, labels).weights])).all()


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (((1.0,), (1.0,)), r"weights of stage 2 to have shape \(2,\)"),
        (((float("nan"),),), "weights of stage 1 from -1e\\+06 to 1e\\+06 but they were nan"),
        (((1.0,), (float("inf"), 1.0)), "weights of stage 2 from"),
        (((1.0,), (0.0, 0.0)), "weights of stage 2 with one at least that is not 0 but all 2 were 0"),
        ((("a",),), "weights of stage 1 to be numbers"),
    ],
)
def test_what_is_no_pool_is_refused(weights: tuple[tuple[float, ...], ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Pool(weights=weights)
