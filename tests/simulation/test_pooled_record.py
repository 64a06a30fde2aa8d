"""Pooled records against plain loops, the plain network beside them, and which samples they set apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core import Pool, StageOutputs
from tests.oracle import naive_softmax_of, random_outputs, random_pool, random_pooled, random_record

SCORES = [("max_probability", 1), ("margin", 1), ("negative_entropy", 1), ("max_probability", 5)]


def pooled_samples(n: int = 40) -> tuple[StageOutputs, Pool]:
    """Outputs with six classes, and weights fitted to them, of which one is zero."""
    made = random_outputs(4, n=n, classes=6, decimals=None, saturated=0.0)
    return made, random_pool(4, made)


def naive_score(softmax: list[float], score: str, top_k: int) -> float:
    falling = sorted(softmax, reverse=True)
    if score == "margin":
        return falling[0] - falling[1]
    if score == "negative_entropy":
        return sum(p * np.log(p) for p in falling if p > 0)
    return sum(falling[:top_k])


@pytest.mark.parametrize(("score", "top_k"), SCORES)
def test_a_pooled_record_equals_a_loop(score: str, top_k: int) -> None:
    made, pool = pooled_samples()
    record = made.record(score, top_k, pool)
    assert (record.pool, record.score, record.top_k, record.classes) == (pool, score, top_k, 6)
    for stage, row in enumerate(pool.weights):
        for i in range(record.n):
            softmax = naive_softmax_of(row, made.probs[: stage + 1, i].tolist())
            assert record.confidence[stage, i] == pytest.approx(naive_score(softmax, score, top_k), abs=2e-5)
            ranking = np.argsort([-p for p in softmax], kind="stable")
            assert record.predictions[stage, i] == ranking[0]
            assert record.correct[stage, i] == (made.labels[i] in ranking[:top_k])


@pytest.mark.parametrize(("score", "top_k"), SCORES)
def test_a_pool_does_not_change_what_the_plain_network_says(score: str, top_k: int) -> None:
    made, pool = pooled_samples(300)
    own, pooled = made.record(score, top_k), made.record(score, top_k, pool)
    assert (pooled.predictions[-1] != own.predictions[-1]).any()
    for record in (own, pooled):
        np.testing.assert_array_equal(record.baseline_confidence, own.confidence[-1])
        np.testing.assert_array_equal(record.baseline_predictions, own.predictions[-1])
        np.testing.assert_array_equal(record.baseline_correct, own.correct[-1])
    assert pooled.baseline_accuracy == own.correct[-1].mean() != pooled.stage_accuracy[-1]


def test_the_plain_record_ends_with_the_plain_network() -> None:
    made, pool = pooled_samples(300)
    own, pooled = made.record(), made.record(pool=pool)
    plain = replace(pooled, fitted=pooled.half, held_out=pooled).plain()
    assert (plain.pool, plain.fitted, plain.held_out) == (None, None, None)
    for what in ("confidence", "predictions", "correct"):
        np.testing.assert_array_equal(getattr(plain, what)[:-1], getattr(pooled, what)[:-1])
        np.testing.assert_array_equal(getattr(plain, what)[-1], getattr(own, what)[-1])
    assert own.plain() is own


def test_take_carries_all_of_a_pooled_record() -> None:
    made, pool = pooled_samples()
    held_out = made.record(pool=Pool.own(3))
    record = replace(made.record(pool=pool), fitted=np.arange(40) % 3 == 0, held_out=held_out)
    index = np.array([7, 3, 21])
    taken = record.take(index)
    assert (taken.pool, taken.classes, taken.stages, taken.n) == (pool, 6, record.stages, 3)
    for what in ("confidence", "predictions", "correct"):
        assert (getattr(taken, what) == getattr(record, what)[:, index]).all()
        assert (getattr(taken, f"baseline_{what}") == getattr(record, f"baseline_{what}")[index]).all()
    assert taken.fitted is not None
    assert taken.fitted.tolist() == [False, True, True]
    assert taken.held_out is not None
    assert (taken.held_out.confidence == held_out.confidence[:, index]).all()


@pytest.mark.parametrize("n", [60, 61])
def test_a_half_is_of_samples_not_of_places(n: int) -> None:
    record = random_record(6, n=n, decimals=None)
    assert record.half.sum() == 30  # the smaller half of 61
    order = np.random.default_rng(0).permutation(n)
    assert (record.take(order).half == record.half[order]).all()


def test_samples_are_set_apart_by_what_the_pool_was_fitted_to() -> None:
    record = random_pooled(6, n=20)
    chosen, others = record.apart
    assert others is not None
    assert sorted([*chosen.confidence[0], *others.confidence[0]]) == sorted(record.confidence[0])
    assert (chosen.labels == record.labels[record.half]).all()
    fitted = np.arange(20) < 13
    chosen, others = replace(record, fitted=fitted).apart
    assert others is not None
    assert (chosen.confidence == record.confidence[:, :13]).all()
    assert (others.confidence == record.confidence[:, 13:]).all()
    for nothing in (np.ones(20, dtype=bool), np.zeros(20, dtype=bool)):
        whole = replace(record, fitted=nothing)
        assert whole.apart == (whole, None)
