"""The cheapest within a drop: rules of the chosen family, gains, and dear exits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core import CheapestUncorrected, CheapestWithinDrop, Infeasible, Pool, Record, choose, evaluate
from cascade_core.policies.base import Sweep
from cascade_core.policies.cheapest import with_marks
from cascade_core.policies.selection import select
from tests.oracle import make_record, random_pooled, random_record
from tests.samples import sample_record


def test_rules_are_those_of_the_family_within_the_drop() -> None:
    record = sample_record(n=500)
    drops = np.linspace(-0.001, 0.05, 30)
    selection = select(record)
    assert selection is not None
    assert selection.least >= 0
    path = CheapestWithinDrop.path(record, np.maximum(drops, 0))
    for g, place in enumerate(selection.within(np.maximum(drops, 0))):
        wanted = selection.chosen.thresholds[place] if place >= 0 else [np.inf, np.inf]
        assert path.thresholds[g].tolist() == list(wanted)
        assert path.plain[g] == (place < 0)


def gaining(n: int = 1000) -> Record:
    """The surest fifth is right at a and wrong at the end; all others are right at the end alone."""
    sure = np.arange(n) % 5 == 0
    return make_record(np.stack([np.where(sure, 0.9, 0.1), np.ones(n)]), np.stack([sure, ~sure]))


def test_gains_are_had_and_named() -> None:
    record = gaining()
    for drop in (-0.15, -0.01, 0.0, 0.01):
        found = evaluate(record, choose(record, CheapestWithinDrop(drop)))
        assert (found.exit_counts.tolist(), found.accuracy_drop) == ([200, 800], -0.2)
    with pytest.raises(
        Infeasible, match=r"at most −50\.00 points but the best that these 1000 samples let expect has"
    ) as no:
        choose(record, CheapestWithinDrop(-0.5))
    best = float(str(no.value).split("max_drop ")[1].split(")")[0])
    assert -0.25 < best < -0.2
    assert evaluate(record, choose(record, CheapestWithinDrop(best))).accuracy_drop == -0.2
    positions = CheapestWithinDrop.positions(record, 51)
    # Gains up to 20 points, and drops up to five; 0 is one of the positions.
    assert positions[0] == pytest.approx(-0.2)
    assert positions[-1] == pytest.approx(0.05)
    assert 0.0 in positions
    assert np.diff(positions) == pytest.approx(0.005)


def dear(record: Record) -> Record:
    """The record with heads, but the last, that cost more than leaving there can spare."""
    stages = tuple(
        replace(stage, trunk_macs=100, head_macs=90 if k < len(record.stages) - 1 else 10)
        for k, stage in enumerate(record.stages)
    )
    return replace(record, stages=stages, baseline_macs=100 * len(stages) + 10)


@pytest.mark.parametrize("record", [random_record(1, n=300), random_pooled(2, n=300), sample_record(n=300, m=4)])
def test_nothing_dearer_than_the_plain_network_serves_a_drop(record: Record) -> None:
    record = dear(record)
    path = CheapestWithinDrop.path(record, np.linspace(0.0, 0.05, 11))
    for g in range(11):
        assert evaluate(record, path.rule(g)).saving >= 0


def test_a_gain_that_costs_more_is_chosen_only_if_it_was_asked_for() -> None:
    """Pooled, the last stage is always right, and alone in 19 of 20; but the head of a, which that takes, is dear."""
    record = dear(make_record(np.stack([np.full(1000, 0.1), np.ones(1000)]), [[0] * 1000, [1] * 1000]))
    record = replace(record, pool=Pool(weights=((1.0,), (0.5, 1.0))), baseline_correct=np.arange(1000) % 20 > 0)
    gain = choose(record, CheapestWithinDrop(-0.01))
    found = evaluate(record, gain)
    # 100 + 90 + 100 + 10 of 210.
    assert (gain.pool, found.accuracy_drop, found.mean_macs) == (record.pool, -0.05, 300)
    none = choose(record, CheapestWithinDrop(0.0))
    assert none.plain
    assert evaluate(record, none).saving == 0


@pytest.mark.parametrize("stages", [1, 3])
def test_too_few_samples_promise_nothing(stages: int) -> None:
    record = random_record(3, n=8, stages=stages)
    assert choose(record, CheapestWithinDrop(0.05)).plain
    with pytest.raises(
        Infeasible, match=r"at most −1\.00 points but the best that these 8 samples let expect has 0\.00 \(max_drop 0"
    ):
        choose(record, CheapestWithinDrop(-0.01))


@pytest.mark.parametrize("count", [3, 20, 401])
def test_a_slider_starts_at_a_gain_that_can_be_had_however_large(count: int) -> None:
    """The first stage is right for all samples, the last for one in five."""
    n = 400
    confidence = np.tile(np.linspace(0.2, 0.9, n, dtype=np.float32), (2, 1))
    record = make_record(confidence, np.array([np.ones(n), np.arange(n) % 5 == 0]))
    positions = CheapestWithinDrop.positions(record, count)
    assert positions[0] < 0
    assert CheapestWithinDrop.path(record, positions).thresholds.shape[0] == count


def test_half_points_stand_on_a_slider_that_is_fine_enough() -> None:
    moved = with_marks(np.array([-0.004, -0.002, 0.0, 0.002, 0.004, 0.006, 0.008, 0.0101]), 0.01)
    assert moved.tolist() == [-0.004, -0.002, 0.0, 0.002, 0.005, 0.006, 0.008, 0.01]
    coarse = np.array([0.0, 0.004, 0.008])
    assert with_marks(coarse, 0.01).tolist() == coarse.tolist()


@pytest.mark.parametrize("policy", [CheapestWithinDrop, CheapestUncorrected])
@pytest.mark.parametrize("seed", range(5))
def test_one_point_is_one_point(policy: type[Sweep], seed: int) -> None:
    positions = policy.positions(random_record(seed, n=500), 401)
    assert {0.0, 0.005, 0.01} <= set(positions.tolist())
    assert (np.diff(positions) > 0).all()
