"""The spread over splits, against loops; and what is said of it."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, ExitRule, evaluate
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.spread import Judged, Realised, Spread, moved_words, realised_words, splits
from tests.oracle import f32, random_record
from tests.samples import sample_record, sample_run
from tests.simulation.test_own_costs import costs

SEEDS = 4


@pytest.fixture(scope="module")
def explorations() -> list[Exploration]:
    outputs = sample_run(300)
    return [
        explore(halves(outputs, split), CheapestWithinDrop, split, count=11, answers="own")
        for split in (Split(fraction=0.4, seed=seed) for seed in range(SEEDS))
    ]


@pytest.fixture(scope="module")
def spread(explorations: list[Exploration]) -> Spread:
    return Spread(judged=[Judged.of(one) for one in explorations])


def naive_accuracy(exploration: Exploration, cost: float) -> float | None:
    """Between the two positions around a cost, by going through all of them."""
    at: dict[float, list[float]] = {}
    for g in range(len(exploration.path)):
        one = exploration.at(g)
        at.setdefault(one.mean_macs / one.baseline_macs, []).append(one.accuracy)
    below, above = [x for x in at if x <= cost], [x for x in at if x >= cost]
    if not below or not above:
        return None
    x0, x1 = max(below), min(above)
    y0, y1 = statistics.fmean(at[x0]), statistics.fmean(at[x1])
    return y0 if x0 == x1 else y0 + (y1 - y0) * (cost - x0) / (x1 - x0)


def test_the_band_is_that_of_a_loop_and_ends_where_a_curve_ends(
    spread: Spread, explorations: list[Exploration]
) -> None:
    costs = np.linspace(0, 1.2, 241)
    band = spread.band(costs)
    inside = 0
    for i, cost in enumerate(costs):
        found = [naive_accuracy(one, float(cost)) for one in explorations]
        if None in found:
            assert np.isnan([band.mean[i], band.low[i], band.high[i]]).all()
            continue
        inside += 1
        rising = sorted(value for value in found if value is not None)
        # Of four values the 10 % quantile lies 0.3 of the way from the least to the second.
        assert band.low[i] == pytest.approx(rising[0] + 0.3 * (rising[1] - rising[0]))
        assert band.high[i] == pytest.approx(rising[3] - 0.3 * (rising[3] - rising[2]))
        assert band.mean[i] == pytest.approx(statistics.fmean(rising))
    assert 0 < inside < len(costs)


def test_a_wish_is_read_at_each_splits_nearest_position(spread: Spread, explorations: list[Exploration]) -> None:
    shown = float(explorations[0].shown[4])
    realised = spread.realised(shown + 1e-6)
    chosen = [one.at(4) for one in explorations]
    assert realised.drops.tolist() == [one.accuracy_drop for one in chosen]
    assert realised.saving == pytest.approx(
        (statistics.fmean(one.saving for one in chosen), statistics.stdev(one.saving for one in chosen))
    )


def test_splits_are_drawn_by_the_first_seeds() -> None:
    assert splits(Split(fraction=0.3, seed=7), 2) == [Split(fraction=0.3, seed=0), Split(fraction=0.3, seed=1)]
    with pytest.raises(ValueError, match="in-sample"):
        splits(Split(in_sample=True))
    with pytest.raises(ValueError, match="seeds"):
        splits(Split(), 1)


def test_sentences() -> None:
    given = Realised(drops=np.array([0.008, 0.010]), savings=np.array([0.43, 0.45]))
    # Standard deviations 0.002 / sqrt(2) and 0.02 / sqrt(2).
    assert realised_words("1.0 points", given) == (
        "Over 2 splits, set to 1.0 points: 0.90 ± 0.14 points given up, 44.0 ± 1.4 % saved "
        "(means and standard deviations)."
    )
    gained = Realised(drops=np.array([-0.01, -0.01]), savings=np.array([-0.2, -0.2]))
    assert "1.00 ± 0.00 points more accurate, 20.0 ± 0.0 % added" in realised_words("0", gained)
    plain = explore(sample_record(), CheapestWithinDrop, Split(), count=11).at(10)
    assert moved_words(plain).startswith("Another 200 samples would move the drop by up to ±\u00a0")
    assert moved_words(plain).endswith(" two times in three (one standard error, 68 % confidence).")


def test_in_another_unit_the_move_of_macs_is_left_out() -> None:
    evaluation = evaluate(random_record(0), ExitRule(thresholds=f32(0.5, 0.5)))
    assert "the saving by" in moved_words(evaluation)
    assert "saving" not in moved_words(evaluation, costs())


def test_realised_savings_are_those_of_the_unit() -> None:
    evaluation = evaluate(random_record(0), ExitRule(thresholds=f32(0.5, 0.5)))
    found = Realised.of([evaluation, evaluation], costs())
    mean, deviation = found.saving
    assert mean == pytest.approx(1 - costs().mean(evaluation) / 5)
    assert deviation == 0
