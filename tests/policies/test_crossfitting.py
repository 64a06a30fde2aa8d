"""What families are expected to do to fresh samples, by hand and against plain cross-fitting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from cascade_core import Pool, Record
from cascade_core.policies.crossfitting import BLOCKS, FOLDS, GAIN, PRICED, UNSEEN, expectation, folds, rising
from cascade_core.policies.families import Family, Maker
from tests.oracle import make_record, naive_evaluate, random_outputs, random_pool, random_pooled, random_record


def quantiles(record: Record) -> NDArray[np.float32]:
    """Ten rules that depend on the samples: at each stage the quantiles of its confidence, from never to all."""
    columns = np.quantile(record.confidence[:-1], np.linspace(0.9, 0.0, 9), axis=1, method="higher")
    return np.concatenate([np.full_like(columns[:1], np.inf), columns]).astype(np.float32)


QUANTILES = Family(name="quantiles", maker=lambda record: Maker(rules=quantiles))


def test_folds_are_parts_of_samples_whatever_their_order() -> None:
    record = random_record(1, n=53, decimals=None)
    found = folds(record)
    assert [len(part) for part, _ in found] == [11, 11, 11, 10, 10]
    assert sorted(np.concatenate([part for part, _ in found])) == list(range(53))
    for part, others in found:
        assert sorted([*part, *others]) == list(range(53))
        assert (np.diff(part) > 0).all()
    order = np.random.default_rng(0).permutation(53)
    for (part, _), (moved, _) in zip(found, folds(record.take(order)), strict=True):
        assert sorted(order[moved]) == part.tolist()


def naive_rising(values: list[float]) -> list[float]:
    """By its definition: the greatest, over starts, of the least mean over ends."""
    n = len(values)
    return [max(min(float(np.mean(values[a : b + 1])) for b in range(i, n)) for a in range(i + 1)) for i in range(n)]


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_expectation_equals_a_plain_cross_fitting(pooled: bool, seed: int) -> None:
    """Rules are made from four parts and judged on the fifth, as it is held out; the rules are those of the record."""
    record = random_record(seed, n=57)
    if pooled:
        outputs = random_outputs(seed, n=57)
        record = outputs.record(pool=random_pool(seed, outputs))
        record = replace(record, held_out=outputs.record(pool=Pool(weights=((1.0,), (0.5, 1.0), (0.2, 0.3, 0.8)))))
    judged = record.held_out or record
    found = expectation(record, QUANTILES)
    assert found.family == "quantiles"
    assert found.thresholds.tolist() == quantiles(record).tolist()
    lost, changed = np.zeros((2, 10))
    costs: list[list[float]] = [[] for _ in range(10)]
    for part, others in folds(record):
        for g, rule in enumerate(quantiles(judged.take(others))):
            one = naive_evaluate(judged.take(part), rule)
            right = sum(one.correct_counts)
            harmed = one.full_correct - right + one.helped
            lost[g] += one.full_correct - right
            changed[g] += harmed + one.helped
            for cost, count in zip(one.costs, one.exit_counts, strict=True):
                costs[g] += [cost / record.baseline_macs] * count
    assert found.n == 57
    np.testing.assert_allclose(found.drops, np.array(naive_rising(lost.tolist())) / 57, atol=1e-12)
    np.testing.assert_allclose(found.savings, [1 - np.mean(of_rule) for of_rule in costs], atol=1e-12)
    np.testing.assert_allclose(found.saving_errors, [np.std(of_rule) / 57**0.5 for of_rule in costs], atol=1e-7)
    variance = (changed + UNSEEN) / 57 - (lost / 57) ** 2
    np.testing.assert_allclose(found.drop_errors, np.sqrt(variance / 57), atol=1e-12)


def test_blocks_are_parts_of_folds() -> None:
    record = random_record(9, n=57)
    found = expectation(record, QUANTILES)
    place = 0
    for part, others in folds(record):
        rules = quantiles(record.take(others))
        for block in np.array_split(part, BLOCKS):
            for g, rule in enumerate(rules):
                one = naive_evaluate(record.take(block), rule)
                lost = one.full_correct - sum(one.correct_counts)
                assert found.block_drops[place, g] == pytest.approx(lost / len(block))
                saving = 1 - one.total_macs / len(block) / record.baseline_macs
                assert found.block_savings[place, g] == pytest.approx(saving)
            place += 1
    assert len(found.block_drops) == place == FOLDS * BLOCKS


def test_errors_by_hand() -> None:
    """Of 20 samples two leave at a: one is harmed and one helped; rules are given, so that folds change nothing."""
    confidence = [[0.9, 0.9, *[0.1] * 18], [1] * 20]
    record = make_record(confidence, [[1, 0, *[1] * 18], [0, *[1] * 19]])
    rules = np.array([[np.inf], [0.5]], dtype=np.float32)
    found = expectation(record, Family(name="given", maker=lambda record: Maker(rules=lambda part: rules)))
    assert found.drops.tolist() == [0, 0]
    # Of the plain network's 175 MACs, a takes 107, and going on 182.
    assert found.savings == pytest.approx([0, 1 - (2 * 107 + 18 * 182) / 3500])
    # Two of twenty changed; two are added that were not seen: sqrt(2 / 20 / 20) and sqrt(4 / 20 / 20).
    assert found.drop_errors == pytest.approx([0.005**0.5, 0.1])
    # Shares of 0.1 and 0.9 that are 75 MACs apart: 75 / 175 * sqrt(0.1 * 0.9 / 20).
    assert found.saving_errors == pytest.approx([0, 75 / 175 * 0.0045**0.5])


def test_rules_are_made_by_what_the_whole_record_was_prepared_for() -> None:
    """A family may look at all samples once; its rules come from parts, and in the end from all."""
    seen: list[tuple[str, int]] = []

    def made(part: Record) -> NDArray[np.float32]:
        seen.append(("part", part.n))
        return quantiles(part)

    def prepared(record: Record) -> Maker:
        seen.append(("whole", record.n))
        return Maker(rules=made)

    expectation(random_pooled(2, n=50), Family(name="spied", maker=prepared))
    assert seen == [("whole", 50), *[("part", 40)] * FOLDS, ("part", 50)]


def test_uncertain_counts_give_way_to_what_is_paid() -> None:
    """Two of twenty samples leave at a and one is lost; the rule is the best where all computation is worth 0.04."""
    confidence = [[0.9, 0.9, *[0.1] * 18], [1] * 20]
    record = make_record(confidence, [[1, 0, *[1] * 18], [1] * 20])
    rules = np.array([[np.inf], [0.5]], dtype=np.float32)
    prices = np.array([0.0, 0.04])
    counted = expectation(record, Family(name="counted", maker=lambda record: Maker(rules=lambda part: rules)))
    found = expectation(
        record, Family(name="priced", maker=lambda record: Maker(rules=lambda part: rules, prices=prices))
    )
    assert counted.drops == pytest.approx([0, 0.05])
    # Variances of a sample: 2 / 20 of nothing seen, and (1 + 2) / 20 - 0.05^2.
    errors = np.sqrt([0.1 / 20, 0.1475 / 20])
    assert counted.drop_errors == pytest.approx(errors)
    # What is saved is paid at the mean price between the two; where the safest begins is hardly known.
    paid = np.array([0.0, 0.02 * counted.savings[1]])
    start = np.average(counted.drops - paid, weights=1 / errors**2)
    likely = max(GAIN**2, start**2 - errors[0] ** 2)
    start *= likely / (likely + errors[0] ** 2)
    trust = PRICED**2 / (PRICED**2 + errors**2)
    assert found.drops == pytest.approx(np.maximum.accumulate(trust * counted.drops + (1 - trust) * (paid + start)))
    assert found.drop_errors == pytest.approx(errors * np.sqrt(trust))


def test_the_rising_fit_is_scipys() -> None:
    # 3, 1, 2 fall somewhere and are pooled to their mean, 2; 5 and 7 rise already.
    assert rising(np.array([3, 1, 2, 5, 7])).tolist() == [2, 2, 2, 5, 7]
    rng = np.random.default_rng(0)
    for length in (1, 2, 3, 40):
        values = rng.integers(-30, 31, length).cumsum()
        np.testing.assert_allclose(rising(values), isotonic_regression(values.astype(float)).x, atol=1e-9)
        np.testing.assert_allclose(rising(values), naive_rising(values.tolist()), atol=1e-9)
